package api

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/switchyard/switchyard/policies/catalog"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
)

// audited is the newest entry of an action.
func (g *managedGateway) audited(action string) (before, after map[string]any) {
	g.Helper()
	var log data[[]struct {
		Action string         `json:"action"`
		Before map[string]any `json:"before"`
		After  map[string]any `json:"after"`
	}]
	got := g.call(managementKey, "GET", "/api/v1/audit?limit=100", "")
	if err := json.Unmarshal(got.Body.Bytes(), &log); err != nil {
		g.Fatalf("%v in %s", err, got.Body)
	}
	for _, entry := range log.Data {
		if entry.Action == action {
			return entry.Before, entry.After
		}
	}
	g.Fatalf("no %s in %s", action, got.Body)
	return nil, nil
}

// Whoever reads the log knows the API: what was before a change and after it goes by the
// names that the API has for it.
func TestAuditHasTheNamesOfTheAPI(t *testing.T) {
	g := manage(t)
	g.Identity.CheckOwnKey = func(*catalog.Provider, string) (string, error) { return "sk-...x", nil }
	one := func(status int, method, path, body string) map[string]any {
		t.Helper()
		return as[data[map[string]any]](g, status, managementKey, method, path, body).Data
	}
	member := one(201, "POST", "/organization/members", `{"email":"ada@example.com","gateway_role":"developer"}`)
	user := member["id"].(string)
	workspace := one(201, "POST", "/workspaces", `{"name":"Lab","slug":"lab"}`)
	key := one(201, "POST", "/keys", `{"name":"k","limit":5,"limit_reset":"daily","expires_at":"2999-01-01T00:00:00Z","allowed_models":["m/a"],"allowed_ips":["10.0.0.0/8"]}`)
	hash := key["hash"].(string)
	guardrail := one(201, "POST", "/guardrails", `{"name":"g","limit_usd":5,"reset_interval":"weekly","enforce_zdr_openai":true,"allowed_models":["m/a"],"content_filter_builtins":[{"slug":"email","action":"redact"}]}`)
	id := guardrail["id"].(string)
	own := one(201, "POST", "/byok", `{"provider":"openai","key":"sk-secret","declared_zdr":false,"allowed_models":["m/a"]}`)
	budget := one(200, "PUT", "/workspaces/lab/budgets/lifetime", `{"limit_usd":10}`)
	for _, change := range [][3]string{
		{"PATCH", "/organization/members/" + user, `{"gateway_role":"viewer"}`},
		{"PATCH", "/workspaces/lab", `{"default_provider_sort":"price"}`},
		{"POST", "/workspaces/lab/members/add", `{"user_ids":["` + user + `"]}`},
		{"POST", "/workspaces/lab/members/remove", `{"user_ids":["` + user + `"]}`},
		{"PATCH", "/keys/" + hash, `{"limit":7,"limit_reset":null}`},
		{"POST", "/keys/" + hash + "/rotate", ""},
		{"PATCH", "/guardrails/" + id, `{"limit_usd":null,"enforce_zdr_other":false}`},
		{"POST", "/guardrails/" + id + "/assignments/keys", `{"key_hashes":["` + hash + `"]}`},
		{"POST", "/guardrails/" + id + "/assignments/members", `{"member_user_ids":["` + user + `"]}`},
		{"POST", "/guardrails/" + id + "/assignments/keys/remove", `{"key_hashes":["` + hash + `"]}`},
		{"PATCH", "/byok/" + own["id"].(string), `{"key":"sk-newer"}`},
		{"PATCH", "/byok/" + own["id"].(string), `{"disabled":true}`},
		{"PUT", "/workspaces/lab/budgets/lifetime", `{"limit_usd":20,"include_byok_in_budgets":true}`},
		{"POST", "/organizations/default/credits", `{"amount":5,"reference":"r","note":"n"}`},
		{"POST", "/auth/keys/code", `{"callback_url":"https://a.example","limit":1}`},
		{"DELETE", "/usage?before=2026-01-01", ""},
		{"DELETE", "/workspaces/lab/budgets/lifetime", ""},
		{"DELETE", "/byok/" + own["id"].(string), ""},
		{"DELETE", "/guardrails/" + id, ""},
		{"DELETE", "/keys/" + hash, ""},
		{"DELETE", "/workspaces/lab", ""},
		{"DELETE", "/organization/members/" + user, ""},
	} {
		if got := g.call(managementKey, change[0], "/api/v1"+change[1], change[2]); got.Code/100 != 2 {
			t.Fatalf("%v: %d %s", change, got.Code, got.Body)
		}
	}
	names := func(object map[string]any, more ...string) []string {
		return append(slices.Collect(maps.Keys(object)), more...)
	}
	known := map[string][]string{
		"key":       names(key),
		"auth_code": names(key),
		"guardrail": names(guardrail, "key_hashes", "member_user_ids"),
		"workspace": names(workspace, "organization_id", "user_ids"),
		"member":    names(member, "created_at"),
		"byok":      names(own, "organization_id", "created_by", "updated_at"),
		"budget":    names(budget, "include_byok_in_budgets"),
		"credits":   {"id", "organization_id", "amount", "reference", "note", "created_by", "created_at"},
		"usage":     {"workspace_ids"},
	}
	for _, action := range []string{
		"key.create", "key.update", "key.rotate", "key.delete", "auth_code.create",
		"guardrail.create", "guardrail.update", "guardrail.assign", "guardrail.unassign", "guardrail.delete",
		"workspace.create", "workspace.update", "workspace.add_members", "workspace.remove_members", "workspace.delete",
		"member.create", "member.update", "member.delete", "byok.create", "byok.update", "byok.rotate", "byok.delete",
		"budget.set", "budget.delete", "credits.add", "usage.purge",
	} {
		kind, _, _ := strings.Cut(action, ".")
		before, after := g.audited(action)
		if len(before)+len(after) == 0 {
			t.Errorf("%s tells nothing", action)
		}
		for _, told := range []map[string]any{before, after} {
			for name := range told {
				if !slices.Contains(known[kind], name) {
					t.Errorf("%s: the API knows no %q: %v", action, name, told)
				}
			}
		}
	}
	if before, after := g.audited("key.update"); before["limit"] != 5. || after["limit"] != 7. || before["limit_reset"] != "daily" || after["limit_reset"] != nil {
		t.Errorf("%v became %v", before, after)
	}
	if before, after := g.audited("budget.set"); before["limit_usd"] != 10. || after["limit_usd"] != 20. || before["include_byok_in_budgets"] != false || after["include_byok_in_budgets"] != true {
		t.Errorf("%v became %v", before, after)
	}
	if before, after := g.audited("guardrail.update"); before["enforce_zdr_openai"] != true || after["enforce_zdr_other"] != false || before["limit_usd"] != 5. || after["limit_usd"] != nil {
		t.Errorf("%v became %v", before, after)
	}
	if before, _ := g.audited("byok.rotate"); before["declared_zdr"] != false {
		t.Errorf("%v", before)
	}
	if log := g.call(managementKey, "GET", "/api/v1/audit?limit=100", "").Body.String(); strings.Contains(log, "sk-secret") || strings.Contains(log, "sk-newer") {
		t.Errorf("a secret is logged: %s", log)
	}
}

// A key that is disabled because its member leaves is logged as any other.
func TestKeysThatGoWithTheirMemberAreLogged(t *testing.T) {
	g := manage(t)
	user := as[data[wireMember]](g, 201, managementKey, "POST", "/organization/members", `{"email":"ada@example.com","gateway_role":"developer"}`).Data.ID
	key := g.made(managementKey, `{"name":"k","creator_user_id":"`+user+`"}`).Data.Hash
	g.made(managementKey, `{"name":"other"}`)
	g.made(managementKey, `{"name":"disabled already","disabled":true,"creator_user_id":"`+user+`"}`)
	if got := g.call(managementKey, "DELETE", "/api/v1/organization/members/"+user, ""); got.Code != 200 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	before, after := g.audited("key.update")
	if before["hash"] != key || before["disabled"] != false || after["disabled"] != true {
		t.Errorf("%v became %v", before, after)
	}
	g.inOrder("key.update", key, 1)
	if log := g.call(managementKey, "GET", "/api/v1/audit?limit=100", "").Body.String(); strings.Count(log, "key.update") != 1 {
		t.Errorf("%s", log)
	}
}

func TestDefaultWorkspaceWasMadeAtSomeTime(t *testing.T) {
	g := manage(t)
	for _, path := range []string{"/workspaces", "/workspaces/default", "/organizations", "/guardrails/" + keystore.DefaultGuardrail("default")} {
		got := g.call(managementKey, "GET", "/api/v1"+path, "")
		if got.Code != 200 || !strings.Contains(got.Body.String(), `"created_at":"20`) || strings.Contains(got.Body.String(), "0001-01-01") {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
}
