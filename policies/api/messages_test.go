package api

import (
	"strings"
	"testing"

	"github.com/switchyard/switchyard/policies/identity"
)

// A stranger learns from each refusal what is wrong, and what to do.
func TestRefusalsSayWhatIsWrongAndWhatToDo(t *testing.T) {
	g := manage(t)
	as[data[wireWorkspace]](g, 201, managementKey, "POST", "/workspaces", `{"name":"Lab","slug":"lab"}`)
	as[data[wireMember]](g, 201, managementKey, "POST", "/organization/members", `{"email":"ada@example.com","gateway_role":"viewer"}`)
	g.made(managementKey, `{"name":"k","workspace_id":"lab"}`)
	unknown := identity.Hash("none")
	for _, test := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/keys/" + unknown, "", 404, `There is no key \"` + unknown + `\" in your organization; GET /keys?include_disabled=true lists what there is. Keys of the gateway's configuration are not managed here, but in its file.`},
		{"GET", "/workspaces/none", "", 404, `There is no workspace \"none\" in your organization; GET /workspaces lists what there is."`},
		{"PATCH", "/organization/members/none", `{}`, 404, `There is no member \"none\" in your organization; GET /organization/members lists`},
		{"DELETE", "/guardrails/none", "", 404, `There is no guardrail \"none\" in your organization; GET /guardrails lists`},
		{"GET", "/byok/none", "", 404, `There is no own key of a provider \"none\" in your organization; GET /byok lists`},
		{"POST", "/organizations/none/credits", `{"amount":1}`, 404, `There is no organization \"none\"; GET /organizations lists`},
		{"GET", "/workspaces/lab/budgets/monthly", "", 404, "The workspace has no monthly budget; PUT makes one."},
		{"POST", "/workspaces", `{"name":"x","slug":"lab"}`, 409, `slug: another workspace of the organization has \"lab\" already.`},
		{"POST", "/organization/members", `{"email":"ADA@example.com","gateway_role":"viewer"}`, 409, `email: another member of the organization has \"ADA@example.com\" already.`},
		{"DELETE", "/workspaces/lab", "", 400, "The workspace has keys, or own keys of providers. Delete them first, or move keys"},
		{"DELETE", "/workspaces/default", "", 400, "default workspace: it is not deleted"},
		{"POST", "/keys", `{"name":"k","creator_user_id":"user_none"}`, 400, "somebody who is not in its workspace"},
		{"PATCH", "/workspaces/lab", `{"name":7}`, 400, `Member \"name\" must be a string, not a number like this.`},
		{"PATCH", "/workspaces/lab", `{"name":`, 400, "not a valid JSON object: unexpected EOF"},
		{"PATCH", "/workspaces/lab", `[]`, 400, "The request body must be an object, not a list."},
		{"POST", "/keys", `{"name":"k","limit_reset":"hourly"}`, 400, `limit_reset: \"hourly\" is not one of daily, weekly, monthly, and null, for never.`},
		{"POST", "/workspaces", `{"name":"x"}`, 400, "slug is missing."},
		{"POST", "/organization/members", `{"email":"b@example.com"}`, 400, "gateway_role is missing."},
		{"PATCH", "/workspaces/lab", `{"default_text_model":"none"}`, 400, "GET /models lists them"},
		{"POST", "/keys", `{"name":"k\u0000"}`, 400, `Member \"name\" has the character U+0000, which cannot be kept.`},
		{"POST", "/keys", `{"name":"k","allowed_models":["a\u0000"]}`, 400, `Member \"allowed_models/0\" has the character U+0000`},
		{"POST", "/keys", `{"name":"the escape \\u0000 itself"}`, 201, `the escape \\u0000 itself`},
		{"POST", "/keys", `{"name":"k","disabled":"true"}`, 400, `Member \"disabled\" must be true or false, not a string like this.`},
	} {
		got := g.call(managementKey, test.method, "/api/v1"+test.path, test.body)
		if got.Code != test.status || !strings.Contains(got.Body.String(), test.says) {
			t.Errorf("%s %s %s: %d %s\nwant %s", test.method, test.path, test.body, got.Code, got.Body, test.says)
		}
	}
}
