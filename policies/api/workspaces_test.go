package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/usage"
)

// as asks for JSON of a type, and insists on a status.
func as[T any](g *managedGateway, status int, key, method, path, body string) T {
	g.Helper()
	response := g.call(key, method, "/api/v1"+path, body)
	if response.Code != status {
		g.Fatalf("%s %s: %d %s, want %d", method, path, response.Code, response.Body, status)
	}
	return decode[T](g.T, response)
}

func TestWorkspacesAreManaged(t *testing.T) {
	g := manage(t)
	made := as[data[wireWorkspace]](g, 201, managementKey, "POST", "/workspaces", `{"name":"Lab","slug":"the-lab","description":"d","default_text_model":"m/a","default_provider_sort":"price"}`).Data
	if made.Name != "Lab" || *made.Description != "d" || *made.DefaultTextModel != "m/a" || *made.DefaultSort != "price" || *made.CreatedBy != identity.Hash(managementKey) {
		t.Errorf("%+v", made)
	}
	if shown := as[data[wireWorkspace]](g, 200, managementKey, "GET", "/workspaces/the-lab", "").Data; shown.ID != made.ID {
		t.Errorf("by slug: %+v", shown)
	}
	if listed := g.call(managementKey, "GET", "/api/v1/workspaces?limit=1&offset=1", "").Body.String(); !strings.Contains(listed, made.ID) || !strings.Contains(listed, `"total_count":2`) {
		t.Errorf("%s", listed)
	}
	key := g.made(managementKey, `{"name":"k","workspace_id":"the-lab"}`)
	if key.Data.WorkspaceID != made.ID {
		t.Errorf("%+v", key)
	}
	for _, named := range []string{"the-lab", made.ID} {
		if listed := as[data[[]wireKey]](g, 200, managementKey, "GET", "/keys?workspace_id="+named, "").Data; len(listed) != 1 || listed[0].Hash != key.Data.Hash {
			t.Errorf("keys of %s: %+v", named, listed)
		}
	}
	wantError(t, g.call(managementKey, "GET", "/api/v1/keys?workspace_id=none", ""), 404, "not_found")
	changed := as[data[wireWorkspace]](g, 200, managementKey, "PATCH", "/workspaces/"+made.ID, `{"name":"L","default_text_model":null}`).Data
	if changed.Name != "L" || changed.DefaultTextModel != nil || *changed.DefaultSort != "price" {
		t.Errorf("%+v", changed)
	}
	for _, test := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/workspaces", `{"name":"x","slug":"the-lab"}`, 409},
		{"POST", "/workspaces", `{"name":"x"}`, 400},
		{"POST", "/workspaces", `{"name":"x","slug":"-x"}`, 400},
		{"POST", "/workspaces", `{"name":"x","slug":"X"}`, 400},
		{"POST", "/workspaces", `{"name":"x","slug":"0f14d0ab-9605-4a62-a9e4-5ed26688389b"}`, 400},
		{"POST", "/workspaces", `{"name":"x","slug":"default"}`, 409},
		{"POST", "/workspaces", `{"name":"x","slug":"x","default_text_model":"no/such"}`, 400},
		{"POST", "/workspaces", `{"name":"x","slug":"x","default_provider_sort":"luck"}`, 400},
		{"POST", "/workspaces", `{"name":"x","slug":"x","io_logging_sampling_rate":0.5}`, 400},
		{"DELETE", "/workspaces/" + made.ID, "", 400},
		{"DELETE", "/workspaces/default", "", 400},
		{"GET", "/workspaces/none", "", 404},
		{"POST", "/keys", `{"name":"k","workspace_id":"none"}`, 404},
		{"DELETE", "/keys/" + key.Data.Hash, "", 200},
		{"DELETE", "/workspaces/" + made.ID, "", 200},
		{"GET", "/workspaces/" + made.ID, "", 404},
	} {
		if response := g.call(managementKey, test.method, "/api/v1"+test.path, test.body); response.Code != test.status {
			t.Errorf("%s %s %s: %d %s, want %d", test.method, test.path, test.body, response.Code, response.Body, test.status)
		}
	}
}

func TestMembersAreManaged(t *testing.T) {
	g := manage(t)
	ada := as[data[wireMember]](g, 201, managementKey, "POST", "/organization/members", `{"email":"ada@example.com","first_name":"Ada","gateway_role":"developer"}`).Data
	if ada.Role != "org:member" || ada.GatewayRole != identity.Developer || *ada.FirstName != "Ada" || ada.LastName != nil {
		t.Errorf("%+v", ada)
	}
	admin := g.made(managementKey, `{"name":"admin","role":"admin"}`)
	owner := as[data[wireMember]](g, 201, managementKey, "POST", "/organization/members", `{"email":"o@example.com","gateway_role":"owner"}`).Data
	if owner.Role != "org:admin" {
		t.Errorf("%+v", owner)
	}
	lab := as[data[wireWorkspace]](g, 201, managementKey, "POST", "/workspaces", `{"name":"Lab","slug":"lab"}`).Data
	added := g.call(managementKey, "POST", "/api/v1/workspaces/lab/members/add", `{"user_ids":["`+ada.ID+`"]}`).Body.String()
	if !strings.Contains(added, `"added_count":1`) || !strings.Contains(added, `"user_id":"`+ada.ID+`"`) || !strings.Contains(added, lab.ID) {
		t.Errorf("%s", added)
	}
	for path, want := range map[string]string{"/workspaces/lab/members": `"total_count":1`, "/workspaces/default/members": `"total_count":2`, "/organization/members": `"total_count":2`} {
		if listed := g.call(managementKey, "GET", "/api/v1"+path, "").Body.String(); !strings.Contains(listed, want) || !strings.Contains(listed, ada.ID) {
			t.Errorf("%s: %s", path, listed)
		}
	}
	key := g.made(managementKey, `{"name":"k","workspace_id":"lab","creator_user_id":"`+ada.ID+`"}`)
	if got := g.call(managementKey, "POST", "/api/v1/workspaces/lab/members/remove", `{"user_ids":["`+ada.ID+`"]}`).Body.String(); got != `{"removed_count":1}`+"\n" {
		t.Errorf("%s", got)
	}
	wantError(t, g.call(key.Key, "GET", "/api/v1/key", ""), 401, "authentication") // at once
	for _, test := range []struct {
		key, method, path, body string
		status                  int
	}{
		{admin.Key, "PATCH", "/organization/members/" + owner.ID, `{"last_name":"x"}`, 403},
		{admin.Key, "DELETE", "/organization/members/" + owner.ID, "", 403},
		{admin.Key, "PATCH", "/organization/members/" + ada.ID, `{"gateway_role":"owner"}`, 403},
		{admin.Key, "PATCH", "/organization/members/" + ada.ID, `{"gateway_role":"viewer"}`, 200},
		{admin.Key, "POST", "/organization/members", `{"email":"ADA@example.com","gateway_role":"viewer"}`, 409},
		{admin.Key, "POST", "/organization/members", `{"email":"Ada <ada2@example.com>","gateway_role":"viewer"}`, 400},
		{admin.Key, "POST", "/organization/members", `{"email":"ada2@example.com"}`, 400},
		{admin.Key, "POST", "/organization/members", `{"email":"ada2@example.com","gateway_role":"org:member"}`, 400},
		{admin.Key, "POST", "/workspaces/lab/members/add", `{"user_ids":["user_none"]}`, 404},
		{admin.Key, "POST", "/workspaces/lab/members/add", `{"user_ids":[]}`, 400},
		{admin.Key, "POST", "/workspaces/default/members/remove", `{"user_ids":["` + ada.ID + `"]}`, 400},
		{admin.Key, "DELETE", "/organization/members/" + ada.ID, "", 200},
		{admin.Key, "DELETE", "/organization/members/" + ada.ID, "", 404},
	} {
		if response := g.call(test.key, test.method, "/api/v1"+test.path, test.body); response.Code != test.status {
			t.Errorf("%s %s %s: %d %s, want %d", test.method, test.path, test.body, response.Code, response.Body, test.status)
		}
	}
}

// An organisation whose owner has lost the key gets another from who runs the gateway.
func TestOperatorsMakeOwnersOfOrganizations(t *testing.T) {
	g := manage(t)
	acme := as[struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
		Key string `json:"key"`
	}](g, 201, managementKey, "POST", "/organizations", `{"name":"Acme"}`)
	path := "/organizations/" + acme.Data.ID + "/owners"
	made := as[secretKey](g, 201, managementKey, "POST", path, `{"name":"second"}`)
	if made.Data.Role == nil || *made.Data.Role != string(identity.Owner) || made.Data.Name != "second" {
		t.Errorf("%+v", made)
	}
	listed := g.call(made.Key, "GET", "/api/v1/keys", "").Body.String()
	if !strings.Contains(listed, made.Data.Hash) || !strings.Contains(listed, identity.Hash(acme.Key)) {
		t.Errorf("it sees %s", listed)
	}
	if log := g.call(made.Key, "GET", "/api/v1/audit", "").Body.String(); !strings.Contains(log, `"action":"key.create","target":"`+made.Data.Hash) || !strings.Contains(log, identity.Hash(managementKey)) {
		t.Errorf("the organisation is not told who made it: %s", log)
	}
	wantError(t, g.call(acme.Key, "POST", "/api/v1"+path, `{"name":"x"}`), 403, "permission_denied")
	wantError(t, g.call(managementKey, "POST", "/api/v1/organizations/none/owners", `{"name":"x"}`), 404, "not_found")
	wantError(t, g.call(managementKey, "POST", "/api/v1"+path, `{"name":" "}`), 400, "invalid_request")
}

func TestOrganizationsAreMadeByOperatorsAndSeeTheirOwn(t *testing.T) {
	g := manage(t)
	type organization struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
		Key string `json:"key"`
	}
	acme := as[organization](g, 201, managementKey, "POST", "/organizations", `{"name":"Acme"}`)
	owner := g.made(managementKey, `{"name":"owner","role":"owner"}`)
	for _, key := range []string{owner.Key, acme.Key} {
		wantError(t, g.call(key, "POST", "/api/v1/organizations", `{"name":"x"}`), 403, "permission_denied")
		wantError(t, g.call(key, "GET", "/api/v1/organizations", ""), 403, "permission_denied")
	}
	if listed := g.call(managementKey, "GET", "/api/v1/organizations", "").Body.String(); !strings.Contains(listed, acme.Data.ID) || !strings.Contains(listed, `"total_count":2`) {
		t.Errorf("%s", listed)
	}
	key := g.made(acme.Key, `{"name":"theirs"}`)
	wantError(t, g.call(managementKey, "GET", "/api/v1/keys/"+key.Data.Hash, ""), 404, "not_found")
	wantError(t, g.call(acme.Key, "GET", "/api/v1/workspaces/default-of-none", ""), 404, "not_found")
	generation := served("a", time.Now(), key.Data.Hash, "theirs")
	generation.Workspace = key.Data.WorkspaceID
	if err := g.generations.Save(t.Context(), []usage.Generation{generation}); err != nil {
		t.Fatal(err)
	}
	for by, want := range map[string]string{acme.Key: `"total_usage":0.5`, managementKey: `"total_usage":0}`} {
		if got := g.call(by, "GET", "/api/v1/credits", ""); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), want) {
			t.Errorf("%d %s, want %s", got.Code, got.Body, want)
		}
	}
}
