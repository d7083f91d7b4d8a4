package api

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
)

// guardrail makes one and returns its id.
func (g *managedGateway) guardrail(members string) string {
	g.Helper()
	var made struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	got := g.call(managementKey, "POST", "/api/v1/guardrails", members)
	if err := json.Unmarshal(got.Body.Bytes(), &made); err != nil || got.Code != 201 {
		g.Fatalf("%d %s", got.Code, got.Body)
	}
	return made.Data.ID
}

func TestRow179GuardrailsThatCannotBe(t *testing.T) {
	g := manage(t)
	id := g.guardrail(`{"name":"g"}`)
	for body, says := range map[string]string{
		`{"content_filters":[{"pattern":"(a+)+","action":"block"}]}`:                          "content_filters[0].pattern: invalid_regex_pattern",
		`{"content_filters":[{"pattern":"(?=a)","action":"block"}]}`:                          "content_filters[0].pattern: invalid_regex_pattern",
		`{"content_filters":[{"pattern":"a{1000}b{1000}c{9}","action":"block"}]}`:             "more than 2000 steps",
		`{"content_filters":[{"pattern":"a","action":"delete"}]}`:                             "content_filters[0].action must be",
		`{"content_filters":[{"pattern":"a","action":"flag","colour":"red"}]}`:                `Unknown member \"content_filters/0/colour\"`,
		`{"content_filters":[{"pattern":1,"action":"flag"}]}`:                                 `Member \"content_filters/0/pattern\" must be a string`,
		`{"content_filter_builtins":[{"slug":"email","action":"redact","direction":"both"}]}`: `Unknown member \"content_filter_builtins/0/direction\"`,
		`{"content_filters":[]}`: "content_filters must be",
		`{"content_filter_builtins":[{"slug":"person-name","action":"redact"}]}`:                  "person-name takes a language model",
		`{"content_filter_builtins":[{"slug":"email","action":"flag","scan_scope":"user_only"}]}`: "scan_scope: is only for",
		`{"allowed_models":[]}`:                  "allowed_models: want a list",
		`{"allowed_providers":["nobody"]}`:       "allowed_providers: ",
		`{"limit_usd":0}`:                        "limit_usd must be",
		`{"reset_interval":"hourly"}`:            "reset_interval: ",
		`{"enforce_zdr_openai":"yes"}`:           "enforce_zdr_openai must be",
		`{"name":""}`:                            "name must have",
		`{"enable_free_model_publication":true}`: "must be false or null",
		`{"colour":"red"}`:                       "Unknown member",
		`{"workspace_id":"default"}`:             "workspace_id: a guardrail stays where it is",
	} {
		got := g.call(managementKey, "PATCH", "/api/v1/guardrails/"+id, body)
		if told := got.Body.String(); got.Code != 400 || !strings.Contains(told, says) {
			t.Errorf("%s: %d %s", body, got.Code, told)
		}
	}
	wantError(t, g.call(managementKey, "POST", "/api/v1/guardrails", `{"description":"d"}`), 400, "invalid_request")
	wantError(t, g.call(managementKey, "GET", "/api/v1/guardrails/none", ""), 404, "not_found")
	developer := g.made(managementKey, `{"name":"k","role":"developer"}`).Key
	wantError(t, g.call(developer, "PATCH", "/api/v1/guardrails/"+id, `{}`), 403, "permission_denied")
	wantError(t, g.call(goodKey, "GET", "/api/v1/guardrails", ""), 403, "permission_denied")
}

func TestGuardrailsAreBounded(t *testing.T) {
	g := manage(t)
	for range keystore.MaxGuardrails - 2 {
		g.guardrail(`{"name":"g"}`)
	}
	id := keystore.DefaultGuardrail(as[data[wireWorkspace]](g, 201, managementKey, "POST", "/workspaces", `{"name":"Lab","slug":"lab"}`).Data.ID)
	patch := func(id string) *httptest.ResponseRecorder {
		return g.call(managementKey, "PATCH", "/api/v1/guardrails/"+id, `{"description":"d"}`)
	}
	if got := patch(id); got.Code != 200 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	// One is left, for whoever comes first.
	made := make(chan int)
	for range 4 {
		go func() { made <- g.call(managementKey, "POST", "/api/v1/guardrails", `{"name":"g"}`).Code }()
	}
	codes := make(map[int]int)
	for range 4 {
		codes[<-made]++
	}
	if codes[201] != 1 || codes[400] != 3 {
		t.Errorf("answered are %v", codes)
	}
	for name, got := range map[string]*httptest.ResponseRecorder{
		"another": g.call(managementKey, "POST", "/api/v1/guardrails", `{"name":"g"}`), "another default one": patch(keystore.DefaultGuardrail("default")),
	} {
		if got.Code != 400 || !strings.Contains(got.Body.String(), "up to 100 guardrails") {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
	// What is there can be changed, and one that says nothing again makes room.
	if got := patch(id); got.Code != 200 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := g.call(managementKey, "DELETE", "/api/v1/guardrails/"+id, ""); got.Code != 200 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := patch(keystore.DefaultGuardrail("default")); got.Code != 200 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

func TestRow173GuardrailIsChangedAndAssigned(t *testing.T) {
	g := manage(t)
	id := g.guardrail(`{"name":"g","limit_usd":2.5,"reset_interval":"daily","allowed_models":["m/a"],"enforce_zdr":true,"enforce_zdr_openai":false,` +
		`"enable_paid_model_training":false,"content_filters":[{"pattern":"secret","action":"redact","label":"S"}]}`)
	path := "/api/v1/guardrails/" + id
	shown := g.call(managementKey, "GET", path, "").Body.String()
	for _, part := range []string{`"limit_usd":2.5`, `"reset_interval":"daily"`, `"allowed_models":["m/a"]`, `"enforce_zdr_openai":false`, `"enforce_zdr_other":true`,
		`"enable_paid_model_training":false`, `"enable_free_model_training":null`, `"content_filters":[{"pattern":"secret","action":"redact","label":"S"}]`, `"content_filter_builtins":null`} {
		if !strings.Contains(shown, part) {
			t.Errorf("no %s in %s", part, shown)
		}
	}
	// What is not said stays, null takes back, lists are exchanged whole.
	changed := g.call(managementKey, "PATCH", path, `{"limit_usd":null,"allowed_models":["m/b","x/*"],"enforce_zdr_openai":null,"content_filters":null}`).Body.String()
	for _, part := range []string{`"limit_usd":null`, `"reset_interval":"daily"`, `"allowed_models":["m/b","x/*"]`, `"enforce_zdr_openai":null`, `"enforce_zdr_google":true`, `"content_filters":null`} {
		if !strings.Contains(changed, part) {
			t.Errorf("no %s in %s", part, changed)
		}
	}
	key := g.made(managementKey, `{"name":"k"}`).Data.Hash
	if got := g.call(managementKey, "POST", path+"/assignments/keys", `{"key_hashes":["`+key+`"]}`).Body.String(); got != `{"assigned_count":1}`+"\n" {
		t.Errorf("%s", got)
	}
	for _, list := range []string{path + "/assignments/keys", "/api/v1/guardrails/assignments/keys"} {
		if got := g.call(managementKey, "GET", list, "").Body.String(); !strings.Contains(got, `"key_hash":"`+key+`","key_name":"k"`) || !strings.Contains(got, `"total_count":1`) {
			t.Errorf("%s: %s", list, got)
		}
	}
	if got := g.call(managementKey, "POST", path+"/assignments/keys/remove", `{"key_hashes":["`+key+`"]}`).Body.String(); got != `{"unassigned_count":1}`+"\n" {
		t.Errorf("%s", got)
	}
	if got := g.call(managementKey, "GET", path+"/assignments/members", "").Body.String(); !strings.Contains(got, `"total_count":0`) {
		t.Errorf("%s", got)
	}
	wantError(t, g.call(managementKey, "POST", path+"/assignments/keys", `{"key_hashes":["`+identity.Hash("none")+`"]}`), 404, "not_found")
	for _, body := range []string{`{}`, `{"key_hashes":[]}`, `{"member_user_ids":["u"]}`, `{"key_hashes":["` + key + `"],"member_user_ids":["u"]}`} {
		wantError(t, g.call(managementKey, "POST", path+"/assignments/keys", body), 400, "invalid_request")
	}
	if got := g.call(managementKey, "GET", "/api/v1/guardrails/"+keystore.DefaultGuardrail("default"), "").Body.String(); !strings.Contains(got, `"name":"Workspace default Default"`) {
		t.Errorf("the default one: %s", got)
	}
	if got := g.call(managementKey, "DELETE", path, "").Body.String(); got != `{"deleted":true}`+"\n" {
		t.Errorf("%s", got)
	}
}

func TestDeveloperTakesNoKeyOutOfAGuardrail(t *testing.T) {
	g := manage(t)
	var member struct{ Data wireMember }
	if err := json.Unmarshal(g.call(managementKey, "POST", "/api/v1/organization/members", `{"email":"a@example.com","gateway_role":"viewer"}`).Body.Bytes(), &member); err != nil {
		t.Fatal(err)
	}
	path := "/api/v1/guardrails/" + g.guardrail(`{"name":"g"}`)
	if got := g.call(managementKey, "POST", path+"/assignments/members", `{"member_user_ids":["`+member.Data.ID+`"]}`); got.Code != 200 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	key := "/api/v1/keys/" + g.made(managementKey, `{"name":"k","creator_user_id":"`+member.Data.ID+`"}`).Data.Hash
	developer, admin := g.made(managementKey, `{"name":"k","role":"developer"}`).Key, g.made(managementKey, `{"name":"k","role":"admin"}`).Key
	wantError(t, g.call(developer, "PATCH", key, `{"creator_user_id":null}`), 403, "permission_denied")
	if got := g.call(developer, "PATCH", key, `{"name":"renamed"}`); got.Code != 200 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := g.call(admin, "PATCH", key, `{"creator_user_id":null}`); got.Code != 200 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// Row 178: who is held to a guardrail makes no key that is free of it, and gets the secret
// of none.
func TestMemberIsHeldByEveryKeyThatTheyMake(t *testing.T) {
	g := manage(t)
	member := func(email, role string) string {
		t.Helper()
		return as[data[wireMember]](g, 201, managementKey, "POST", "/organization/members", `{"email":"`+email+`","gateway_role":"`+role+`"}`).Data.ID
	}
	ada, bob, eve := member("ada@example.com", "developer"), member("bob@example.com", "developer"), member("eve@example.com", "admin")
	makes := func(user, role string) string {
		t.Helper()
		return g.made(managementKey, `{"name":"m","role":"`+role+`","creator_user_id":"`+user+`"}`).Key
	}
	held, free, admin := makes(ada, "developer"), makes(bob, "developer"), makes(eve, "admin")
	id := g.guardrail(`{"name":"g","content_filters":[{"pattern":"secret","action":"block"}]}`)
	for _, user := range []string{ada, eve} {
		if got := g.call(managementKey, "POST", "/api/v1/guardrails/"+id+"/assignments/members", `{"member_user_ids":["`+user+`"]}`); got.Code != 200 {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
	}
	own := g.made(held, `{"name":"k"}`)
	if own.Data.Creator == nil || *own.Data.Creator != ada {
		t.Errorf("the key is of %v", own.Data.Creator)
	}
	if told := g.call(own.Key, "GET", "/api/v1/key", "").Body.String(); !strings.Contains(told, `"creator_user_id":"`+ada+`"`) {
		t.Errorf("whose key it is: %s", told)
	}
	code := as[data[struct {
		ID string `json:"id"`
	}]](g, 200, held, "POST", "/auth/keys/code", `{"callback_url":"https://a.example"}`).Data.ID
	exchanged := as[struct {
		Key  string  `json:"key"`
		User *string `json:"user_id"`
	}](g, 200, managementKey, "POST", "/auth/keys", `{"code":"`+code+`"}`)
	if exchanged.User == nil || *exchanged.User != ada {
		t.Errorf("the code's key is of %v", exchanged.User)
	}
	snapshot, err := g.Identity.Store.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{own.Key, exchanged.Key} {
		if got := snapshot.Guarded.Members[identity.Hash(key)]; got.Guardrail != id || got.Member != ada {
			t.Errorf("held is %+v", got)
		}
	}
	others := g.made(managementKey, `{"name":"k"}`).Data
	if others.Creator != nil {
		t.Errorf("a key that the configuration's makes is of %s", *others.Creator)
	}
	for _, test := range []struct {
		name, by, method, path, body string
		status                       int
	}{
		{"nobody's", held, "POST", "/keys", `{"name":"k","creator_user_id":null}`, 403},
		{"another's", held, "POST", "/keys", `{"name":"k","creator_user_id":"` + bob + `"}`, 403},
		{"one's own", held, "POST", "/keys", `{"name":"k","creator_user_id":"` + ada + `"}`, 201},
		{"the secret of nobody's", held, "POST", "/keys/" + others.Hash + "/rotate", "", 403},
		{"the secret of one's own", held, "POST", "/keys/" + own.Data.Hash + "/rotate", "", 200},
		{"by who is not held", free, "POST", "/keys", `{"name":"k","creator_user_id":null}`, 201},
		{"by who may free keys", admin, "POST", "/keys", `{"name":"k","creator_user_id":null}`, 201},
		{"of who is not in the workspace", held, "POST", "/keys", `{"name":"k","workspace_id":"` + as[data[wireWorkspace]](g, 201, managementKey, "POST", "/workspaces", `{"name":"Lab","slug":"lab"}`).Data.ID + `"}`, 400},
	} {
		got := g.call(test.by, test.method, "/api/v1"+test.path, test.body)
		if got.Code != test.status || got.Code == 403 && !strings.Contains(got.Body.String(), "leave creator_user_id out") {
			t.Errorf("%s: %d %s", test.name, got.Code, got.Body)
		}
	}
}

// What OpenRouter's clients say of a guardrail though it is as it would be without.
func TestGuardrailTakesWhatClientsSayByDefault(t *testing.T) {
	g := manage(t)
	workspace := as[data[wireWorkspace]](g, 201, managementKey, "POST", "/workspaces", `{"name":"Lab","slug":"lab"}`).Data.ID
	for body, part := range map[string]string{
		`{"name":"g","workspace_id":null}`:                   `"workspace_id":null`,
		`{"name":"g","workspace_id":"default"}`:              `"workspace_id":null`,
		`{"name":"g","enable_free_model_publication":null}`:  `"enable_free_model_publication":null`,
		`{"name":"g","enable_free_model_publication":false}`: `"enable_free_model_publication":false`,
		`{"name":"g","limit_usd":0.30000000000000004}`:       `"limit_usd":0.3,`,
	} {
		if got := g.call(managementKey, "POST", "/api/v1/guardrails", body); got.Code != 201 || !strings.Contains(got.Body.String(), part) {
			t.Errorf("%s: %d %s", body, got.Code, got.Body)
		}
	}
	// A workspace's own guardrail is another one.
	wantError(t, g.call(managementKey, "POST", "/api/v1/guardrails", `{"name":"g","workspace_id":"`+workspace+`"}`), 400, "invalid_request")
	wantError(t, g.call(managementKey, "POST", "/api/v1/guardrails", `{"name":"g","workspace_id":"none"}`), 404, "not_found")
	if got := g.call(managementKey, "PUT", "/api/v1/workspaces/default/budgets/daily", `{"limit_usd":0.30000000000000004}`); got.Code != 200 || !strings.Contains(got.Body.String(), `"limit_usd":0.3,`) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

func TestAssignmentsAreListedAtOnceHoweverManyThereAre(t *testing.T) {
	g := manage(t)
	id := g.guardrail(`{"name":"g"}`)
	asked := func(n int) int64 {
		t.Helper()
		before := g.asked.Load()
		got := g.call(managementKey, "GET", "/api/v1/guardrails/assignments/keys", "").Body.String()
		if strings.Count(got, `"key_name":"k"`) != n || strings.Count(got, `"key_label":"sk-sy-v1-`) != n {
			t.Errorf("%s", got)
		}
		return g.asked.Load() - before
	}
	none := asked(0)
	for range 3 {
		g.call(managementKey, "POST", "/api/v1/guardrails/"+id+"/assignments/keys", `{"key_hashes":["`+g.made(managementKey, `{"name":"k"}`).Data.Hash+`"]}`)
	}
	if three := asked(3); three != none {
		t.Errorf("the database was asked %d times of three keys, %d times of none", three, none)
	}
}
