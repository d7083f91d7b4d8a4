package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
)

// Row 159: GET /key lists every budget that holds for a key, names the one that refuses
// first, and tells what is left of the key's own to the picodollar.
func TestRow159KeyTellsWhatBindsIt(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, configure func(*stage)) {
		s, only := priced(t, nil)
		// Each token costs 201 picodollars.
		s.models["m/fine"] = settings{"endpoints": []any{only.endpoint("0", "0.000201", settings{"context_length": 128000})}}
		s.config["organization_limits"] = settings{"requests": 1000, "window": "1m"}
		s.manageable()
		configure(s)
		s.start()
		var member struct {
			Data struct {
				ID string `json:"id"`
			} `json:"data"`
		}
		if err := json.Unmarshal([]byte(s.manage(http.MethodPost, "/organization/members", `{"email":"ada@example.com","gateway_role":"developer"}`).body), &member); err != nil {
			t.Fatal(err)
		}
		key := s.makeKey(`{"name":"k","limit":5,"limit_reset":"daily","creator_user_id":"` + member.Data.ID + `"}`)
		s.done(http.MethodPut, "/workspaces/default/budgets/monthly", `{"limit_usd":0.5}`)
		ofKey, ofMember := s.makeGuardrail(`{"name":"g","limit_usd":4,"reset_interval":"weekly"}`), s.makeGuardrail(`{"name":"m","limit_usd":3}`)
		s.done(http.MethodPost, "/guardrails/"+ofKey+"/assignments/keys", `{"key_hashes":["`+key.Data.Hash+`"]}`)
		s.done(http.MethodPost, "/guardrails/"+ofMember+"/assignments/members", `{"member_user_ids":["`+member.Data.ID+`"]}`)
		s.done(http.MethodPost, "/organizations/default/credits", `{"amount":2}`)

		type budget struct {
			Scope     string      `json:"scope"`
			BudgetID  *string     `json:"budget_id"`
			Guardrail *string     `json:"guardrail_id"`
			Limit     json.Number `json:"limit_usd"`
			Remaining json.Number `json:"remaining_usd"`
		}
		var told struct {
			Data struct {
				Limit     json.Number `json:"limit"`
				Left      json.Number `json:"limit_remaining"`
				Usage     json.Number `json:"usage"`
				Budgets   []budget    `json:"budgets"`
				Effective *budget     `json:"effective_budget"`
				Rate      struct {
					Requests int    `json:"requests"`
					Interval string `json:"interval"`
				} `json:"rate_limit"`
			} `json:"data"`
		}
		read := func() {
			t.Helper()
			got := s.do(http.MethodGet, "/api/v1/key", "", as(key.Key)...)
			if err := json.Unmarshal([]byte(got.body), &told); err != nil || got.status != 200 {
				t.Fatalf("%d %s", got.status, got.body)
			}
		}
		for range 3 {
			if got := s.ask(question("m/fine", `"max_tokens":50`), as(key.Key)...); got.status != 200 {
				t.Fatalf("%d %s", got.status, got.body)
			}
		}
		read()
		// Three times 50 tokens of 201 picodollars: 30,150, where each rounded up were 33,000.
		if told.Data.Left != "4.99999996985" || told.Data.Limit != "5" || told.Data.Usage != "0.00000003015" {
			t.Errorf("%+v", told.Data)
		}
		var scopes []string
		for _, each := range told.Data.Budgets {
			scopes = append(scopes, each.Scope)
		}
		if want := []string{"key_limit", "workspace", "credits", "api_key", "member"}; !slices.Equal(scopes, want) {
			t.Errorf("%v, want %v", scopes, want)
		}
		if each := told.Data.Budgets[1]; each.BudgetID == nil || *each.BudgetID == "" || each.Limit != "" || each.Remaining != "" {
			t.Errorf("%+v", each)
		}
		for i, id := range []string{ofKey, ofMember} {
			if each := told.Data.Budgets[3+i]; each.Guardrail == nil || *each.Guardrail != id {
				t.Errorf("%+v, want that of %s", each, id)
			}
		}
		if told.Data.Effective == nil || told.Data.Effective.Scope != "member" {
			t.Errorf("%+v refuses first", told.Data.Effective)
		}
		if told.Data.Rate.Requests != 1000 || told.Data.Rate.Interval != "1m0s" {
			t.Errorf("%+v", told.Data.Rate)
		}
		s.done(http.MethodPatch, "/guardrails/"+ofKey, `{"limit_usd":0.00000001}`)
		read()
		if told.Data.Effective.Scope != "api_key" || told.Data.Effective.Remaining != "-0.00000002015" {
			t.Errorf("%+v refuses first", told.Data.Effective)
		}
		if got := s.ask(question("m/fine", `"max_tokens":50`), as(key.Key)...); got.status != 403 {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}
