package api

import (
	"strings"
	"testing"
)

// No amount is rounded or cut to what can be kept: it is refused, and the answer says what
// can be.
func TestAmountsThatCannotBeKeptAreRefused(t *testing.T) {
	g := manage(t)
	id := g.guardrail(`{"name":"g"}`)
	key := g.made(managementKey, `{"name":"k","limit":5}`).Data.Hash
	for _, to := range []struct{ method, path, member, rest, says string }{
		{"POST", "/keys", "limit", `,"name":"k"`, "from 0.000000001 to 9000000"},
		{"PATCH", "/keys/" + key, "limit", "", "from 0.000000001 to 9000000"},
		{"POST", "/auth/keys/code", "limit", `,"callback_url":"https://a.example"`, "from 0.000000001 to 9000000"},
		{"POST", "/guardrails", "limit_usd", `,"name":"g"`, "from 0.000000001 to 9000000"},
		{"PATCH", "/guardrails/" + id, "limit_usd", "", "from 0.000000001 to 9000000"},
		{"PUT", "/workspaces/default/budgets/daily", "limit_usd", "", "from 0.000000001 to 9000000"},
		{"POST", "/organizations/default/credits", "amount", "", "from -9223372.036854775807 to 9223372.036854775807"},
		{"POST", "/organizations", "credits", `,"name":"o"`, "from -9223372.036854775807 to 9223372.036854775807"},
	} {
		for _, amount := range []string{"1e30", "-1e30", "1e-13", "0.3000000000001", `"1"`, `"NaN"`, "true", "[1]"} {
			response := g.call(managementKey, to.method, "/api/v1"+to.path, `{"`+to.member+`":`+amount+to.rest+`}`)
			wantError(t, response, 400, "invalid_request")
			if says := decode[errorBody](t, response).Error.Message; !strings.Contains(says, to.member+" must be a number of US dollars "+to.says) || !strings.Contains(says, amount) {
				t.Errorf("%s %s of %s: %s", to.method, to.path, amount, says)
			}
		}
	}
	if shown := decode[data[wireKey]](t, g.call(managementKey, "GET", "/api/v1/keys/"+key, "")).Data; shown.Limit.String() != "5" {
		t.Errorf("the limit is now %s", shown.Limit)
	}
	if got := g.call(managementKey, "GET", "/api/v1/workspaces/default/budgets", "").Body.String(); !strings.Contains(got, `"data":[]`) {
		t.Errorf("%s", got)
	}
	for path, member := range map[string]string{"/workspaces/default/budgets/daily": "limit_usd", "/organizations/default/credits": "amount"} {
		method := "PUT"
		if member == "amount" {
			method = "POST"
		}
		if says := g.call(managementKey, method, "/api/v1"+path, `{}`).Body.String(); !strings.Contains(says, member+" is missing") {
			t.Errorf("%s", says)
		}
	}
}
