package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/usage/postgrestest"
)

// onEachDatabase runs a test with the gateway's own database and with a PostgreSQL.
func onEachDatabase(t *testing.T, test func(t *testing.T, configure func(*stage))) {
	t.Run("sqlite", func(t *testing.T) { test(t, func(*stage) {}) })
	t.Run("postgres", func(t *testing.T) {
		server := postgrestest.Start(t)
		test(t, func(s *stage) {
			s.config["ledger"] = settings{"postgres": settings{"value": server.Connection()}}
			s.config["identity"] = settings{"secret": settings{"value": "the-same-for-all-gateways-0123456789"}}
		})
	})
}

// organization makes one that was given so much, and returns its id and an inference key
// of it.
func (s *stage) organization(name, credits string) (id, key string) {
	s.Helper()
	var made struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
		Key string `json:"key"`
	}
	got := s.manage(http.MethodPost, "/organizations", fmt.Sprintf(`{"name":%q,"credits":%s}`, name, credits))
	if err := json.Unmarshal([]byte(got.body), &made); err != nil || got.status != http.StatusCreated {
		s.Fatalf("%d %s", got.status, got.body)
	}
	var inference managedKey
	got = s.do(http.MethodPost, "/api/v1/keys", `{"name":"app"}`, as(made.Key)...)
	if err := json.Unmarshal([]byte(got.body), &inference); err != nil || got.status != http.StatusCreated {
		s.Fatalf("%d %s", got.status, got.body)
	}
	return made.Data.ID, inference.Key
}

// Rows 165 and 166: an organisation spends what it was given, to the last cent, and no
// more, however many ask at once; others do not notice.
func TestRow165And166CreditsAreSpentAndNoMore(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, configure func(*stage)) {
		s, only := priced(t, nil)
		s.manageable()
		configure(s)
		s.start()
		id, key := s.organization("Acme", "0")

		told := s.ask(cent(), as(key)...).failed(t, 402)
		if !strings.HasPrefix(told.Message, "Insufficient credits.") || told.Metadata["limit_source"] != "openrouter_credits" || told.Metadata["error_type"] != "payment_required" || only.calls() != 0 {
			t.Errorf("row 165: %+v", told)
		}
		give := func(amount string) {
			t.Helper()
			if got := s.manage(http.MethodPost, "/organizations/"+id+"/credits", `{"amount":`+amount+`}`); got.status != http.StatusCreated {
				t.Fatalf("%d %s", got.status, got.body)
			}
		}
		give("0.10")
		told = s.ask(question("m/x", `"max_tokens":100000`), as(key)...).failed(t, 402)
		if !strings.Contains(told.Message, "You requested up to 100000 tokens, but can only afford 500.") {
			t.Errorf("row 166: %+v", told)
		}
		// An answer costs one cent, and reserves two.
		seen := s.crowdAs(key, 60)
		if seen[200] < 5 || seen[200] > 10 || seen[200]+seen[402] != 60 || only.calls() != seen[200] {
			t.Errorf("statuses %v for ten cents, %d requests at the provider", seen, only.calls())
		}
		served := seen[200]
		for s.ask(question("m/x", `"max_tokens":50`), as(key)...).status == 200 {
			served++
		}
		if served != 10 {
			t.Errorf("%d answers of one cent for ten cents", served)
		}
		if got := s.ask(cent()); got.status != 200 {
			t.Errorf("of another organisation: %d %s", got.status, got.body)
		}
		give("0.01")
		if got := s.ask(question("m/x", `"max_tokens":50`), as(key)...); got.status != 200 {
			t.Errorf("after more was given: %d %s", got.status, got.body)
		}
		s.ask(question("m/x", `"max_tokens":50`), as(key)...).failed(t, 402)

		// What may be told again stays.
		for ago, want := range map[int]int{0: 400, 1: 200} {
			day := time.Now().UTC().AddDate(0, 0, -ago).Format(time.DateOnly)
			if got := s.manage(http.MethodDelete, "/usage?before="+day, ""); got.status != want {
				t.Errorf("%d %s, want %d", got.status, got.body, want)
			}
		}
		s.ask(question("m/x", `"max_tokens":50`), as(key)...).failed(t, 402)
	})
}

// Row 181.
func TestRow181WorkspaceBudgetRefusesAllItsKeys(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, configure func(*stage)) {
		s, only := priced(t, nil)
		s.manageable()
		configure(s)
		s.start()
		if got := s.manage(http.MethodPost, "/workspaces", `{"name":"Team","slug":"team"}`); got.status != http.StatusCreated {
			t.Fatalf("%d %s", got.status, got.body)
		}
		set := func(interval, limit string) answer {
			return s.manage(http.MethodPut, "/workspaces/team/budgets/"+interval, `{"limit_usd":`+limit+`}`)
		}
		if got := set("daily", "10"); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		if got := set("weekly", "5"); got.status != 400 {
			t.Errorf("row 180: %d %s", got.status, got.body)
		}
		for _, budget := range [][2]string{{"daily", "0.01"}, {"monthly", "0.02"}} {
			if got := set(budget[0], budget[1]); got.status != 200 {
				t.Fatalf("%d %s", got.status, got.body)
			}
		}
		one, other := s.makeKey(`{"name":"one","workspace_id":"team"}`).Key, s.makeKey(`{"name":"other","workspace_id":"team"}`).Key
		elsewhere := s.makeKey(`{"name":"elsewhere"}`).Key
		ask := func(key string) answer { return s.ask(question("m/x", `"max_tokens":50`), as(key)...) }
		if got := ask(one); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		if told := ask(other).failed(t, 403); !strings.HasPrefix(told.Message, "Workspace daily budget of $0.01 exceeded. Contact your org admin. The budget begins anew at ") {
			t.Errorf("%+v", told)
		}
		if got := s.manage(http.MethodDelete, "/workspaces/team/budgets/daily", ""); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		if got := ask(other); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		before := only.calls()
		if told := ask(one).failed(t, 403); !strings.HasPrefix(told.Message, "Workspace monthly budget of $0.02 exceeded. Contact your org admin.") || only.calls() != before {
			t.Errorf("%+v", told)
		}
		if got := ask(elsewhere); got.status != 200 {
			t.Errorf("a key of another workspace: %d %s", got.status, got.body)
		}
	})
}

// OpenRouter's SDK exchanges a code for a key, and keeps a workspace's budgets.
func TestRow172SDKExchangesACodeAndKeepsBudgets(t *testing.T) {
	s, _ := priced(t, nil)
	s.manageable()
	s.start()
	python := startPython(t, "openrouter")
	seen := python.callAs(t, s, managementKey, "exchange_code", "m/x", settings{})
	if seen.Error != nil || seen.Finish != "[403, 200, 403]" {
		t.Fatalf("%+v, error %+v", seen, seen.Error)
	}
	if got := s.ask(cent(), as(seen.Text)...); got.status != 200 {
		t.Errorf("the key: %d %s", got.status, got.body)
	}
	seen = python.callAs(t, s, managementKey, "manage_budgets", "m/x", settings{})
	if seen.Error != nil || seen.Finish != "20.0 monthly 1 False True" {
		t.Errorf("%+v, error %+v", seen, seen.Error)
	}
}

// Row 159, as OpenRouter's SDK reads it.
func TestRow159SDKReadsItsKey(t *testing.T) {
	s, _ := priced(t, nil)
	s.manageable()
	s.start()
	key := s.makeKey(`{"name":"app","limit":1}`).Key
	if got := s.ask(cent(), as(key)...); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	seen := startPython(t, "openrouter").callAs(t, s, key, "current_key", "m/x", settings{})
	if seen.Error != nil || seen.Finish != "app 1.0 0.99 default default -1 ['global'] [('key_limit', 0.01)]" {
		t.Errorf("%+v, error %+v", seen, seen.Error)
	}
}
