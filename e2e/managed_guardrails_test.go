package e2e

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// makeGuardrail makes one of the members of a request and returns its id.
func (s *stage) makeGuardrail(members string) string {
	s.Helper()
	var made struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	got := s.manage(http.MethodPost, "/guardrails", members)
	if err := json.Unmarshal([]byte(got.body), &made); err != nil || got.status != http.StatusCreated {
		s.Fatalf("%d %s", got.status, got.body)
	}
	return made.Data.ID
}

func (s *stage) done(method, path, body string) {
	s.Helper()
	if got := s.manage(method, path, body); got.status/100 != 2 {
		s.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
	}
}

// Rows 173, 175, 176 and 178: a guardrail is inert until it is assigned, and of a key's
// and its member's the stronger rule counts.
func TestRow173And178ManagedGuardrailsHoldForWhomTheyAreAssignedTo(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, configure func(*stage)) {
		s, only := priced(t, nil)
		s.manageable()
		configure(s)
		s.start()
		redact := s.makeGuardrail(`{"name":"redact","content_filter_builtins":[{"slug":"email","action":"redact"}]}`)
		block := s.makeGuardrail(`{"name":"block","content_filter_builtins":[{"slug":"email","action":"block"}],"content_filters":[{"pattern":"AKIA[0-9A-Z]{16}","action":"block","label":"AWS Key"}]}`)
		var member struct {
			Data struct {
				ID string `json:"id"`
			} `json:"data"`
		}
		if err := json.Unmarshal([]byte(s.manage(http.MethodPost, "/organization/members", `{"email":"ada@example.com","gateway_role":"developer"}`).body), &member); err != nil {
			t.Fatal(err)
		}
		key := s.makeKey(`{"name":"k","creator_user_id":"` + member.Data.ID + `"}`)
		ask := func(text string) answer {
			return s.ask(`{"model":"m/x","max_tokens":10,"messages":[{"role":"user","content":"`+text+`"}]}`, as(key.Key)...)
		}
		sent := func() string { return string(only.last(t).Body) }

		if got := ask("write to ada@example.com"); got.status != 200 || !strings.Contains(sent(), "ada@example.com") {
			t.Errorf("row 173: %d %s", got.status, sent())
		}
		s.done(http.MethodPost, "/guardrails/"+redact+"/assignments/members", `{"member_user_ids":["`+member.Data.ID+`"]}`)
		if got := ask("write to ada@example.com"); got.status != 200 || !strings.Contains(sent(), "write to [EMAIL]") {
			t.Errorf("row 175: %d %s", got.status, sent())
		}
		// What holds for a member holds for the keys that they make, and that are made for them.
		developer := s.makeKey(`{"name":"ada's","role":"developer","creator_user_id":"` + member.Data.ID + `"}`).Key
		byAda := s.do(http.MethodPost, "/api/v1/keys", `{"name":"k"}`, as(developer)...).body
		for _, made := range []string{byAda, s.command("keys", "add", "k", "--member", "ada@example.com")} {
			fresh := regexp.MustCompile(`sk-sy-v1-[0-9a-f]{64}`).FindString(made)
			if got := s.ask(`{"model":"m/x","max_tokens":10,"messages":[{"role":"user","content":"write to ada@example.com"}]}`, as(fresh)...); got.status != 200 || !strings.Contains(sent(), "write to [EMAIL]") {
				t.Errorf("row 178: %d %s with the key of %s", got.status, sent(), made)
			}
		}
		if got := s.do(http.MethodPost, "/api/v1/keys", `{"name":"k","creator_user_id":null}`, as(developer)...); got.status != 403 {
			t.Errorf("row 178: %d %s", got.status, got.body)
		}
		s.done(http.MethodPost, "/guardrails/"+block+"/assignments/keys", `{"key_hashes":["`+key.Data.Hash+`"]}`)
		before := only.calls()
		if told := ask("write to ada@example.com").failed(t, 403); told.Message != "Request blocked by content filter: Email address" || only.calls() != before {
			t.Errorf("row 178: %+v", told)
		}
		if told := ask("AKIAABCDEFGHIJKLMNOP").failed(t, 403); told.Message != "Request blocked by content filter: AWS Key" {
			t.Errorf("row 176: %+v", told)
		}
		if got := s.ask(question("m/x", `"max_tokens":10`)); got.status != 200 {
			t.Errorf("another key: %d %s", got.status, got.body)
		}
		s.done(http.MethodDelete, "/guardrails/"+block, "")
		if got := ask("write to ada@example.com"); got.status != 200 || !strings.Contains(sent(), "write to [EMAIL]") {
			t.Errorf("when one is gone: %d %s", got.status, sent())
		}
	})
}

// Row 174.
func TestRow174GuardrailBudgetHoldsForEachKey(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, configure func(*stage)) {
		s, _ := priced(t, nil)
		s.manageable()
		configure(s)
		s.start()
		id := s.makeGuardrail(`{"name":"cheap","limit_usd":0.01,"reset_interval":"daily"}`)
		one, other := s.makeKey(`{"name":"one"}`), s.makeKey(`{"name":"other"}`)
		s.done(http.MethodPost, "/guardrails/"+id+"/assignments/keys", `{"key_hashes":["`+one.Data.Hash+`","`+other.Data.Hash+`"]}`)
		ask := func(key string) answer { return s.ask(question("m/x", `"max_tokens":50`), as(key)...) }
		if got := ask(one.Key); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		if told := ask(one.Key).failed(t, 403); !strings.HasPrefix(told.Message, "Guardrail limit exceeded (daily limit)") || !strings.HasSuffix(told.Message, "Manage it with a management key, by PATCH /api/v1/guardrails/"+id+".") {
			t.Errorf("%+v", told)
		}
		if got := ask(other.Key); got.status != 200 {
			t.Errorf("the other key: %d %s", got.status, got.body)
		}
	})
}

// Rows 27, 29, 52 and 156: what a workspace's default guardrail says of models and
// endpoints holds for all its keys, and no request relaxes it.
func TestRow156DefaultGuardrailOfAWorkspace(t *testing.T) {
	s, _ := priced(t, nil)
	keeps := s.openAI("keeps")
	keeps.Default(provider.Answer{Text: "hello", Usage: provider.Usage{Input: 1, Output: 1}})
	s.models["m/y"] = settings{"endpoints": []any{keeps.endpoint("1", "1", settings{"context_length": 128000})}}
	s.manageable()
	s.start()
	s.done(http.MethodPost, "/workspaces", `{"name":"Team","slug":"team"}`)
	var team struct {
		Data struct {
			Guardrail string `json:"default_guardrail_id"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(s.manage(http.MethodGet, "/workspaces/team", "").body), &team); err != nil {
		t.Fatal(err)
	}
	key := s.makeKey(`{"name":"k","workspace_id":"team"}`).Key
	s.done(http.MethodPatch, "/guardrails/"+team.Data.Guardrail, `{"allowed_models":["m/x"]}`)
	if got := s.do(http.MethodGet, "/api/v1/models/user", "", as(key)...); !strings.Contains(got.body, `"id":"m/x"`) || strings.Contains(got.body, `"id":"m/y"`) {
		t.Errorf("row 156: %d %s", got.status, got.body)
	}
	if got := s.ask(cent(), as(key)...); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	told := s.ask(question("m/y", `"max_tokens":10`), as(key)...).failed(t, 404)
	if !strings.Contains(told.Message, "matching your guardrail restrictions and data policy") {
		t.Errorf("%+v", told)
	}
	if got := s.ask(question("m/y", `"max_tokens":10`)); got.status != 200 {
		t.Errorf("a key of another workspace: %d %s", got.status, got.body)
	}
	s.done(http.MethodPatch, "/guardrails/"+team.Data.Guardrail, `{"allowed_models":null,"enforce_zdr_other":true}`)
	s.ask(cent(`"provider":{"zdr":false}`), as(key)...).failed(t, 404)
	s.done(http.MethodPatch, "/guardrails/"+team.Data.Guardrail, `{"enforce_zdr_other":false,"enable_paid_model_training":false}`)
	s.ask(cent(), as(key)...).failed(t, 404)
	s.done(http.MethodPatch, "/guardrails/"+team.Data.Guardrail, `{"enable_paid_model_training":null,"ignored_providers":["only"]}`)
	s.ask(cent(), as(key)...).failed(t, 404)
	if got := s.ask(question("m/y", `"max_tokens":10`), as(key)...); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestSDKManagesGuardrails(t *testing.T) {
	s, _ := priced(t, nil)
	s.manageable()
	s.start()
	seen := startPython(t, "openrouter").callAs(t, s, managementKey, "manage_guardrails", "m/x", settings{})
	if seen.Error != nil || seen.Finish != "5.0 monthly True S 1 [True] None d ['strict'] 1 True" {
		t.Errorf("%+v, error %+v", seen, seen.Error)
	}
}
