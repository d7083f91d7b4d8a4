package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/identity"
)

const ownSecret = "sk-own-0123456789abcdef"

// own makes an own key by a management key.
func (g *managedGateway) own(by, body string) wireOwnKey {
	g.Helper()
	response := g.call(by, "POST", "/api/v1/byok", body)
	if response.Code != http.StatusCreated {
		g.Fatalf("%d %s", response.Code, response.Body)
	}
	return decode[data[wireOwnKey]](g.T, response).Data
}

func TestRow188OwnKeyIsNeverShown(t *testing.T) {
	g := manage(t)
	team := g.made(managementKey, `{"name":"k"}`)
	created := g.own(managementKey, `{"provider":"openai","key":"`+ownSecret+`","name":" prod ","allowed_models":["m/a"],"allowed_api_key_hashes":["`+team.Data.Hash+`","`+identity.Hash(goodKey)+`"],"is_required":true,"declared_zdr":false}`)
	workspace := identity.Default
	want := wireOwnKey{
		ID: created.ID, Provider: "openai", Name: new("prod"), Label: "sk-...cdef", WorkspaceID: &workspace, IsRequired: true, DeclaredZDR: new(false),
		Models: &[]string{"m/a"}, KeyHashes: &[]string{team.Data.Hash, identity.Hash(goodKey)}, CreatedAt: created.CreatedAt,
	}
	if diff := cmp.Diff(want, created); diff != "" || created.ID == "" || created.CreatedAt.IsZero() {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, path := range []string{"/byok/" + created.ID, "/byok", "/audit"} {
		shown := g.call(managementKey, "GET", "/api/v1"+path, "")
		if shown.Code != 200 || strings.Contains(shown.Body.String(), ownSecret) || strings.Contains(shown.Body.String(), "0123456789") || !strings.Contains(shown.Body.String(), created.ID) {
			t.Errorf("%s: %d %s", path, shown.Code, shown.Body)
		}
	}
	// SDKs want every member to be there, null where there is nothing.
	plain := g.call(managementKey, "POST", "/api/v1/byok", `{"provider":"openai","key":"`+ownSecret+`","workspace_id":null}`)
	for _, member := range []string{`"name":null`, `"workspace_id":null`, `"allowed_models":null`, `"allowed_api_key_hashes":null`, `"allowed_user_ids":null`, `"declared_region":null`, `"declared_zdr":null`, `"sort_order":1`, `"is_byok_only":false`} {
		if !strings.Contains(plain.Body.String(), member) {
			t.Errorf("no %s in %s", member, plain.Body)
		}
	}
}

func TestOwnKeyIsChangedMemberByMember(t *testing.T) {
	g := manage(t)
	created := g.own(managementKey, `{"provider":"openai","key":"`+ownSecret+`","name":"prod","allowed_models":["m/a"]}`)
	patch := func(body string) wireOwnKey {
		t.Helper()
		response := g.call(managementKey, "PATCH", "/api/v1/byok/"+created.ID, body)
		if response.Code != 200 {
			t.Fatalf("%s: %d %s", body, response.Code, response.Body)
		}
		return decode[data[wireOwnKey]](t, response).Data
	}
	want := created
	want.Disabled, want.IsExclusive, want.SortOrder = true, true, 3
	if diff := cmp.Diff(want, patch(`{"disabled":true,"is_byok_only":true,"sort_order":3}`)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want.Name, want.Models, want.Label = nil, nil, "sk-...6789"
	if diff := cmp.Diff(want, patch(`{"name":null,"allowed_models":null,"key":"sk-another-123456789"}`)); diff != "" {
		t.Errorf("null clears (-want +got):\n%s", diff)
	}
	if deleted := g.call(managementKey, "DELETE", "/api/v1/byok/"+created.ID, ""); deleted.Body.String() != `{"deleted":true}`+"\n" {
		t.Errorf("%s", deleted.Body)
	}
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		wantError(t, g.call(managementKey, method, "/api/v1/byok/"+created.ID, `{}`), 404, "not_found")
	}
}

func TestOwnKeysAreListedByWorkspaceAndProvider(t *testing.T) {
	g := manage(t)
	workspace := g.call(managementKey, "POST", "/api/v1/workspaces", `{"name":"W","slug":"w"}`)
	if workspace.Code != 201 {
		t.Fatal(workspace.Body)
	}
	for _, body := range []string{
		`{"provider":"openai","key":"a"}`, `{"provider":"anthropic","key":"a"}`,
		`{"provider":"openai","key":"a","workspace_id":null}`, `{"provider":"openai","key":"a","workspace_id":"w"}`,
	} {
		g.own(managementKey, body)
	}
	for query, want := range map[string]int{"": 3, "?provider=openai": 2, "?workspace_id=w": 2, "?workspace_id=w&provider=anthropic": 0, "?limit=1": 3} {
		response := g.call(managementKey, "GET", "/api/v1/byok"+query, "")
		list := decode[struct {
			Data  []wireOwnKey `json:"data"`
			Total int          `json:"total_count"`
		}](t, response)
		if list.Total != want || len(list.Data) != want && query != "?limit=1" {
			t.Errorf("%q: %s", query, response.Body)
		}
	}
	wantError(t, g.call(managementKey, "GET", "/api/v1/byok?workspace_id=none", ""), 404, "not_found")
	wantError(t, g.call(managementKey, "GET", "/api/v1/byok?limit=101", ""), 400, "invalid_request")
}

func TestOwnKeysThatAreRefused(t *testing.T) {
	g := manage(t)
	created := g.own(managementKey, `{"provider":"openai","key":"`+ownSecret+`"}`)
	for body, want := range map[string]string{
		`{"key":"a"}`:                            "provider is missing",
		`{"provider":"openai"}`:                  "key is missing",
		`{"provider":"nobody","key":"a"}`:        "provider",
		`{"provider":"openai","key":"SECRET x"}`: "key",
		`{"provider":"openai","key":"{\"api_key\":\"SECRET\",\"region\":\"europe\"}"}`:            "region",
		`{"provider":"openai","key":"a","workspace_id":""}`:                                       "workspace_id",
		`{"provider":"openai","key":"a","api_key":"b"}`:                                           "api_key",
		`{"provider":"openai","key":"a","allowed_api_key_hashes":[]}`:                             "allowed_api_key_hashes", // row 187
		`{"provider":"openai","key":"a","allowed_api_key_hashes":["x"]}`:                          "64",
		`{"provider":"openai","key":"a","allowed_api_key_hashes":["` + identity.Hash("x") + `"]}`: "allowed_api_key_hashes",
		`{"provider":"openai","key":"a","allowed_models":[""]}`:                                   "allowed_models",
		`{"provider":"openai","key":"a","allowed_models":"m/a"}`:                                  "allowed_models",
		`{"provider":"openai","key":"a","allowed_user_ids":["user_x"]}`:                           "allowed_user_ids",
		`{"provider":"openai","key":"a","is_fallback":true,"is_byok_only":true}`:                  "is_fallback",
		`{"provider":"openai","key":"a","declared_zdr":true}`:                                     "declared_zdr",
		`{"provider":"openai","key":"a","declared_region":"europe"}`:                              "declared_region",
		`{"provider":"openai","key":"a","sort_order":-1}`:                                         "sort_order",
		`{"provider":"openai","key":"a","name":""}`:                                               "name",
	} {
		response := g.call(managementKey, "POST", "/api/v1/byok", body)
		if wantError(t, response, 400, "invalid_request"); !strings.Contains(response.Body.String(), want) || strings.Contains(response.Body.String(), "SECRET") {
			t.Errorf("%s: %s", body, response.Body)
		}
	}
	for body, want := range map[string]string{
		`{"provider":"anthropic"}`:                 "provider",
		`{"workspace_id":null}`:                    "workspace",
		`{"key":""}`:                               "key",
		`{"allowed_api_key_hashes":[]}`:            "allowed_api_key_hashes",
		`{"is_byok_only":true,"is_fallback":true}`: "is_fallback",
	} {
		response := g.call(managementKey, "PATCH", "/api/v1/byok/"+created.ID, body)
		if wantError(t, response, 400, "invalid_request"); !strings.Contains(response.Body.String(), want) {
			t.Errorf("%s: %s", body, response.Body)
		}
	}
	if unchanged := decode[data[wireOwnKey]](t, g.call(managementKey, "GET", "/api/v1/byok/"+created.ID, "")).Data; !cmp.Equal(created, unchanged) {
		t.Errorf("%+v", unchanged)
	}
}

func TestWhoMayHaveOwnKeys(t *testing.T) {
	g := manage(t)
	created := g.own(managementKey, `{"provider":"openai","key":"`+ownSecret+`"}`)
	requests := []struct{ method, path string }{
		{"GET", "/byok"}, {"POST", "/byok"}, {"GET", "/byok/" + created.ID}, {"PATCH", "/byok/" + created.ID}, {"DELETE", "/byok/" + created.ID}, {"POST", "/byok/reseal"},
	}
	viewer := g.made(managementKey, `{"name":"v","role":"viewer"}`).Key
	for _, request := range requests {
		wantError(t, g.call(goodKey, request.method, "/api/v1"+request.path, `{}`), 403, "permission_denied")
		want := 403
		if request.method == "GET" {
			want = 200
		}
		if response := g.call(viewer, request.method, "/api/v1"+request.path, `{}`); response.Code != want {
			t.Errorf("a viewer: %s %s: %d %s", request.method, request.path, response.Code, response.Body)
		}
	}
	// Another organisation knows nothing of it.
	other := decode[secretKey](t, g.call(managementKey, "POST", "/api/v1/organizations", `{"name":"other"}`)).Key
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		wantError(t, g.call(other, method, "/api/v1/byok/"+created.ID, `{}`), 404, "not_found")
	}
	wantError(t, g.call(other, "POST", "/api/v1/byok/reseal", ""), 403, "permission_denied")
	wantError(t, g.call(other, "POST", "/api/v1/byok", `{"provider":"openai","key":"a","allowed_api_key_hashes":["`+identity.Hash(goodKey)+`"]}`), 400, "invalid_request")
	if resealed := g.call(managementKey, "POST", "/api/v1/byok/reseal", ""); resealed.Body.String() != `{"resealed":0}`+"\n" {
		t.Errorf("%s", resealed.Body)
	}
}
