package api

import (
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/usage"
)

// What was said with a key is told to management keys of its organisation whose role may
// read it, and to no other.
func TestRow170ContentIsToldToWhoManagesTheKey(t *testing.T) {
	g := manage(t)
	app := g.made(managementKey, `{"name":"app","store_content":true}`)
	if !app.Data.StoreContent {
		t.Errorf("%+v", app.Data)
	}
	silent := g.made(managementKey, `{"name":"silent"}`)
	said := served("gen-1-said", time.Now(), app.Data.Hash, "app")
	said.Content = &usage.Content{Output: usage.Output{Completion: new("forty-two")}}
	if err := g.generations.Save(t.Context(), []usage.Generation{said, served("gen-1-silent", time.Now(), silent.Data.Hash, "silent")}); err != nil {
		t.Fatal(err)
	}
	acme := as[struct {
		Key string `json:"key"`
	}](g, 201, managementKey, "POST", "/organizations", `{"name":"Acme"}`).Key
	roles := map[identity.Role]string{}
	for _, role := range identity.Roles() {
		roles[role] = g.made(managementKey, `{"name":"k","role":"`+string(role)+`"}`).Key
	}
	for _, test := range []struct {
		name, key, id       string
		generation, content int
	}{
		{"the key itself", app.Key, said.ID, 200, 200},
		{"the configuration's", managementKey, said.ID, 200, 200},
		{"an owner", roles[identity.Owner], said.ID, 200, 200},
		{"an admin", roles[identity.Admin], said.ID, 200, 200},
		{"a developer", roles[identity.Developer], said.ID, 403, 403},
		{"billing", roles[identity.Billing], said.ID, 200, 403},
		{"a viewer", roles[identity.Viewer], said.ID, 200, 403},
		{"another key", silent.Key, said.ID, 404, 404},
		{"another organisation", acme, said.ID, 404, 404},
		{"a key that stores nothing", silent.Key, "gen-1-silent", 200, 403},
		{"who manages that", managementKey, "gen-1-silent", 200, 404},
	} {
		if got := g.call(test.key, "GET", "/api/v1/generation?id="+test.id, ""); got.Code != test.generation {
			t.Errorf("%s: %d %s", test.name, got.Code, got.Body)
		}
		got := g.call(test.key, "GET", "/api/v1/generation/content?id="+test.id, "")
		if got.Code != test.content || strings.Contains(got.Body.String(), "forty-two") != (test.content == 200) {
			t.Errorf("%s: content %d %s", test.name, got.Code, got.Body)
		}
	}
	for range 3 { // it is known already
		g.call(app.Key, "GET", "/api/v1/generation/content?id="+said.ID, "")
	}
	log := g.call(managementKey, "GET", "/api/v1/audit?limit=100", "").Body.String()
	if strings.Count(log, `"action":"content.read","target":"gen-1-said"`) != 4 || strings.Count(log, "content.read") != 4 || !strings.Contains(log, `"actor_name":"app","action":"content.read"`) || strings.Contains(log, "forty-two") {
		t.Errorf("who read it is not told: %s", log)
	}
	if got := g.call(managementKey, "PATCH", "/api/v1/keys/"+app.Data.Hash, `{"store_content":false}`).Body.String(); !strings.Contains(got, `"store_content":false`) {
		t.Errorf("%s", got)
	}
}
