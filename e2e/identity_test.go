package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/gateway"
	"github.com/switchyard/switchyard/e2e/provider"
	"github.com/switchyard/switchyard/policies/identity/token/tokentest"
	"github.com/switchyard/switchyard/policies/usage/postgrestest"
)

// managementKey is that of the configuration.
const managementKey = "sk-sy-v1-fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

// managedKey is a key that was made over the API.
type managedKey struct {
	Data struct {
		Hash  string  `json:"hash"`
		Usage float64 `json:"usage"`
	} `json:"data"`
	Key string `json:"key"`
}

// manageable adds a management key to the configuration, and bounds answers: a key with
// a budget asks no endpoint whose answers nothing bounds.
func (s *stage) manageable() {
	for _, model := range s.config["models"].(settings) {
		for _, endpoint := range model.(settings)["endpoints"].([]any) {
			endpoint.(settings)["context_length"] = 128000
		}
	}
	s.config["keys"] = append(s.config["keys"].([]any), settings{"name": "root", "hash": hash(managementKey), "management": true})
}

// as is the header of a key.
func as(key string) []string { return []string{"Authorization", "Bearer " + key} }

// manage asks with the management key.
func (s *stage) manage(method, path, body string) answer {
	s.Helper()
	return s.do(method, "/api/v1"+path, body, as(managementKey)...)
}

// makeKey makes a key of the members of a request.
func (s *stage) makeKey(members string) managedKey {
	s.Helper()
	got := s.manage(http.MethodPost, "/keys", members)
	var made managedKey
	if err := json.Unmarshal([]byte(got.body), &made); err != nil || got.status != http.StatusCreated {
		s.Fatalf("%d %s", got.status, got.body)
	}
	s.Cleanup(func() {
		if strings.Contains(s.Log(), made.Key) {
			s.Error("the gateway's log has a managed key")
		}
	})
	return made
}

// within waits for a status of a request with a key, for a second: so long a change
// may take.
func (s *stage) within(status int, key string) {
	s.Helper()
	var got answer
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if got = s.ask(question("m/openai"), as(key)...); got.status == status {
			return
		}
	}
	s.Fatalf("not %d within a second: %d %s", status, got.status, got.body)
}

func TestRow7And160And167ManagedKeyLivesAndDies(t *testing.T) {
	s, gpt, _ := pair(t)
	s.manageable()
	state := t.TempDir()
	s.start("--state-dir", state)
	made := s.makeKey(`{"name":"team","limit":5,"limit_reset":"monthly"}`)
	if made.Data.Hash != hash(made.Key) {
		t.Errorf("row 160: hash %s", made.Data.Hash)
	}
	got := s.ask(question("m/openai"), as(made.Key)...) // at once: the gateway that made it knows it
	if got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	deadline := time.Now().Add(time.Second)
	for shown := made; shown.Data.Usage == 0; {
		if time.Now().After(deadline) {
			t.Fatal("what the key used is not told within a second")
		}
		if err := json.Unmarshal([]byte(s.manage(http.MethodGet, "/keys/"+made.Data.Hash, "").body), &shown); err != nil {
			t.Fatal(err)
		}
	}

	// It outlives the process, and Envoy has nothing to do with it.
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	running, err := gateway.Start(t.Context(), gateway.Options{Binary: binary, Directory: t.TempDir(), Config: s.config, Arguments: []string{"--state-dir", state}})
	if err != nil {
		t.Fatal(err)
	}
	s.Gateway = running
	s.within(200, made.Key)

	change := func(members string) {
		t.Helper()
		if changed := s.manage(http.MethodPatch, "/keys/"+made.Data.Hash, members); changed.status != 200 {
			t.Fatalf("%d %s", changed.status, changed.body)
		}
	}
	change(`{"disabled":true}`)
	before := gpt.calls()
	if refused := s.ask(question("m/openai"), as(made.Key)...); refused.status != 401 || !strings.Contains(refused.body, "disabled") || gpt.calls() != before {
		t.Errorf("row 7: %d %s", refused.status, refused.body)
	}
	change(`{"disabled":false,"expires_at":"` + time.Now().Add(500*time.Millisecond).UTC().Format(time.RFC3339Nano) + `"}`)
	s.within(401, made.Key)
	before = gpt.calls()
	if deleted := s.manage(http.MethodDelete, "/keys/"+made.Data.Hash, ""); deleted.body != `{"deleted":true}`+"\n" {
		t.Errorf("row 167: %s", deleted.body)
	}
	if refused := s.ask(question("m/openai"), as(made.Key)...); refused.status != 401 || !strings.Contains(refused.body, "User not found") {
		t.Errorf("row 167: %d %s", refused.status, refused.body)
	}
	if gpt.calls() != before {
		t.Error("a refused request reached the provider")
	}
}

func TestRow8And9KeysDoWhatTheyAreFor(t *testing.T) {
	s, gpt, _ := pair(t)
	s.manageable()
	s.start()
	viewer := s.makeKey(`{"name":"auditor","role":"viewer"}`)
	for name, key := range map[string]string{"the configuration's": managementKey, "one of the API's": viewer.Key} {
		if got := s.ask(question("m/openai"), as(key)...); got.status != 403 || !strings.Contains(got.body, "Management keys cannot be used for inference") {
			t.Errorf("row 8, %s: %d %s", name, got.status, got.body)
		}
	}
	if gpt.calls() != 0 {
		t.Error("row 8: the provider was asked")
	}
	if got := s.do(http.MethodGet, "/api/v1/keys", ""); got.status != 403 || !strings.Contains(got.body, "Only management keys can perform this operation") {
		t.Errorf("row 9: %d %s", got.status, got.body)
	}
	if got := s.do(http.MethodPost, "/api/v1/keys", `{"name":"k"}`, as(viewer.Key)...); got.status != 403 {
		t.Errorf("a viewer makes a key: %d %s", got.status, got.body)
	}
	rotated := s.manage(http.MethodPost, "/keys/"+s.makeKey(`{"name":"k"}`).Data.Hash+"/rotate", `{"overlap_seconds":1}`)
	var second managedKey
	if err := json.Unmarshal([]byte(rotated.body), &second); err != nil {
		t.Fatal(err)
	}
	s.within(200, second.Key)
}

// Two gateways, one PostgreSQL that goes away and comes back.
func TestManagedKeysHoldAtEveryGateway(t *testing.T) {
	server := postgrestest.Start(t)
	near, gpt, _ := pair(t)
	near.manageable()
	near.config["ledger"] = settings{"postgres": settings{"value": server.Connection()}}
	near.config["identity"] = settings{"secret": settings{"value": "the-same-for-both-gateways-0123456789"}}
	near.start()
	far := &stage{T: t, config: near.config, authority: near.authority, client: near.client}
	far.start()

	made := near.makeKey(`{"name":"k"}`)
	far.within(200, made.Key)
	near.manage(http.MethodPatch, "/keys/"+made.Data.Hash, `{"disabled":true}`)
	far.within(401, made.Key)
	far.manage(http.MethodPatch, "/keys/"+made.Data.Hash, `{"disabled":false}`)
	near.within(200, made.Key)
	rotated := near.manage(http.MethodPost, "/keys/"+made.Data.Hash+"/rotate", `{"overlap_seconds":0}`)
	var second managedKey
	if err := json.Unmarshal([]byte(rotated.body), &second); err != nil {
		t.Fatal(err)
	}
	far.within(401, made.Key)
	far.within(200, second.Key)

	server.Stop()
	for _, s := range []*stage{near, far} {
		for !strings.Contains(s.Log(), "managed keys cannot be read") {
			time.Sleep(10 * time.Millisecond) // until it has looked for changes
		}
		began := time.Now()
		if got := s.ask(question("m/openai"), as(second.Key)...); got.status != 200 || time.Since(began) > time.Second {
			t.Errorf("without the database: %d %s after %v", got.status, got.body, time.Since(began))
		}
		if got := s.manage(http.MethodPost, "/keys", `{"name":"k"}`); got.status != 503 {
			t.Errorf("a key is made without the database: %d %s", got.status, got.body)
		}
	}
	server.Restart()
	deadline := time.Now().Add(10 * time.Second)
	for near.manage(http.MethodDelete, "/keys/"+made.Data.Hash, "").status != 200 {
		if time.Now().After(deadline) {
			t.Fatal("no change is taken after the database came back")
		}
		time.Sleep(50 * time.Millisecond)
	}
	far.within(401, second.Key)
	if gpt.calls() == 0 {
		t.Error("the provider was never asked")
	}
}

// OpenRouter's own SDK refuses what departs from the schema of its API.
func TestOpenRouterSDKManagesKeys(t *testing.T) {
	s, gpt, _ := pair(t)
	s.manageable()
	s.start()
	sdk := startPython(t, "openrouter")
	seen := sdk.callAs(t, s, managementKey, "manage_keys", "", settings{})
	if seen.Error != nil || seen.ID != hash(seen.Text) || seen.Finish != "1.5 daily 2999 True renamed None True True 404" {
		t.Errorf("%+v, error %+v", seen, seen.Error)
	}
	gpt.Enqueue(provider.Answer{Text: "hello", Usage: provider.Usage{Input: 1000, Output: 50}})
	s.generation(s.ask(question("m/openai")).header.Get("X-Generation-Id"))
	if seen = sdk.callAs(t, s, managementKey, "account", "", settings{}); seen.Error != nil || !near(seen.Usage.Cost, 0.0011) || seen.Finish != "0.0 0" {
		t.Errorf("account: %+v, error %+v", seen, seen.Error)
	}
}

func TestRow14OpenRouterSDKManagesWorkspaces(t *testing.T) {
	s, gpt, _ := pair(t)
	s.manageable()
	s.start()
	if made := s.manage(http.MethodPost, "/organization/members", `{"email":"ada@example.com","gateway_role":"admin"}`); made.status != 201 {
		t.Fatalf("%d %s", made.status, made.body)
	}
	seen := startPython(t, "openrouter").callAs(t, s, managementKey, "manage_workspace", "m/openai", settings{})
	if seen.Error != nil || seen.Finish != "['default', 'lab'] m/openai d True org:admin 1 [True] 1" {
		t.Fatalf("%+v, error %+v", seen, seen.Error)
	}
	got := s.ask(`{"messages":[{"role":"user","content":"hi"}]}`, as(seen.Text)...)
	if got.status != 200 || got.decode(t).Model != "m/openai" || gpt.calls() != 1 {
		t.Errorf("row 14: %d %s", got.status, got.body)
	}
	if other := s.ask(`{"messages":[{"role":"user","content":"hi"}]}`); other.status != 400 {
		t.Errorf("a key of another workspace: %d %s", other.status, other.body)
	}
}

func TestOrganizationsAreApart(t *testing.T) {
	s, _, _ := pair(t)
	s.manageable()
	s.start()
	made := s.command("orgs", "create", "Acme Corp")
	owner := regexp.MustCompile(`sk-sy-v1-[0-9a-f]{64}`).FindString(made)
	if listed := s.command("orgs", "list"); !regexp.MustCompile(`(?m)^Default +default$\n^Acme Corp +\S{36}$`).MatchString(listed) {
		t.Errorf("%s", listed)
	}
	var theirs managedKey
	if err := json.Unmarshal([]byte(s.do(http.MethodPost, "/api/v1/keys", `{"name":"theirs"}`, as(owner)...).body), &theirs); err != nil {
		t.Fatal(err)
	}
	s.within(200, theirs.Key)
	for deadline := time.Now().Add(time.Second); !strings.Contains(s.do(http.MethodGet, "/api/v1/usage?by=key", "", as(owner)...).body, theirs.Data.Hash); {
		if time.Now().After(deadline) {
			t.Fatal("their usage is not told within a second")
		}
	}
	for _, path := range []string{"/keys", "/usage?by=key", "/audit"} {
		if got := s.manage(http.MethodGet, path, ""); got.status != 200 || strings.Contains(got.body, theirs.Data.Hash) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

func TestKeysAreHeldToModelsProvidersAndAddresses(t *testing.T) {
	s, gpt, claude := pair(t)
	s.serve("m/both", gpt, claude)
	s.manageable()
	elsewhere := "sk-sy-v1-" + hash("elsewhere")
	s.config["keys"] = append(s.config["keys"].([]any), settings{"name": "elsewhere", "hash": hash(elsewhere), "allowed_ips": []string{"10.0.0.0/8"}})
	s.start()
	model := s.makeKey(`{"name":"models","allowed_models":["m/anthropic","m/b*"]}`)
	at := s.makeKey(`{"name":"providers","allowed_providers":["claude"]}`)
	for _, test := range []struct {
		name, key, model string
		status           int
		provider         string
	}{
		{"a model that is allowed", model.Key, "m/anthropic", 200, "claude"},
		{"one by a pattern", model.Key, "m/both", 200, "gpt"},
		{"one that is not", model.Key, "m/openai", 404, ""},
		{"a provider that is allowed", at.Key, "m/both", 200, "claude"},
		{"one that is not", at.Key, "m/openai", 404, ""},
		{"a key without bounds", clientKey, "m/openai", 200, "gpt"},
	} {
		got := s.ask(question(test.model), as(test.key)...)
		if got.status != test.status || got.decode(t).Provider != test.provider {
			t.Errorf("%s: %d %s", test.name, got.status, got.body)
		}
	}
	if listed := s.do(http.MethodGet, "/api/v1/models/user", "", as(model.Key)...); strings.Contains(listed.body, `"id":"m/openai"`) || !strings.Contains(listed.body, `"id":"m/both"`) {
		t.Errorf("row 156: %d %s", listed.status, listed.body)
	}

	// What a client says of its address counts for nothing.
	far := s.makeKey(`{"name":"addresses","allowed_ips":["10.1.2.3","2001:db8::/32"]}`)
	viewer := s.makeKey(`{"name":"viewer","role":"viewer","allowed_ips":["10.1.2.3"]}`)
	spoofed := []string{"X-Forwarded-For", "10.1.2.3", "X-Switchyard-Client", "10.1.2.3", "X-Envoy-External-Address", "10.1.2.3", "X-Real-Ip", "10.1.2.3"}
	for _, key := range []string{far.Key, elsewhere} {
		for _, path := range []string{"/api/v1/key", "/api/v1/models/user"} {
			if got := s.do(http.MethodGet, path, "", append(as(key), spoofed...)...); got.status != 401 || !strings.Contains(got.body, "IP address") {
				t.Errorf("%s from elsewhere: %d %s", path, got.status, got.body)
			}
		}
		if got := s.ask(question("m/openai"), append(as(key), spoofed...)...); got.status != 401 || !strings.Contains(got.body, "IP address") {
			t.Errorf("from elsewhere: %d %s", got.status, got.body)
		}
	}
	if got := s.do(http.MethodGet, "/api/v1/keys", "", append(as(viewer.Key), spoofed...)...); got.status != 401 {
		t.Errorf("a management key from elsewhere: %d %s", got.status, got.body)
	}
	if changed := s.manage(http.MethodPatch, "/keys/"+far.Data.Hash, `{"allowed_ips":["127.0.0.0/8"]}`); changed.status != 200 {
		t.Fatalf("%d %s", changed.status, changed.body)
	}
	s.within(200, far.Key)
}

// Behind a proxy that is trusted, the client is whom the proxy names, and not whom the
// client does.
func TestAddressBehindATrustedProxy(t *testing.T) {
	s, _, _ := pair(t)
	s.manageable()
	s.config["listener"] = settings{"trusted_hops": 1}
	s.start()
	key := s.makeKey(`{"name":"k","allowed_ips":["203.0.113.7"]}`)
	for forwarded, status := range map[string]int{"203.0.113.7": 200, "198.51.100.1, 203.0.113.7": 200, "203.0.113.7, 198.51.100.1": 401, "": 401} {
		if got := s.ask(question("m/openai"), append(as(key.Key), "X-Forwarded-For", forwarded)...); got.status != status {
			t.Errorf("%q: %d %s", forwarded, got.status, got.body)
		}
	}
}

func TestTokensOfAnIssuerAreTakenForKeys(t *testing.T) {
	issuer := tokentest.Start(t)
	s, gpt, _ := pair(t)
	s.manageable()
	s.config["identity"] = settings{"issuers": []any{settings{"url": issuer.URL(), "audience": "switchyard", "rules": []any{
		settings{"claim": "groups", "value": "platform", "role": "admin"},
		settings{"claim": "sub", "value": "repo:acme/*", "key": "tests"},
	}}}}
	s.start()
	workload := issuer.Token(issuer.Claims("switchyard", "repo:acme/app", nil))
	s.within(200, workload)
	got := s.ask(question("m/openai"), as(workload)...)
	if told := s.generation(got.header.Get("X-Generation-Id")); got.status != 200 || told.Cost == 0 { // it is the key's own
		t.Errorf("%d %s, %+v", got.status, got.body, told)
	}
	person := issuer.Token(issuer.Claims("switchyard", "ada", map[string]any{"groups": []string{"platform"}, "email": "ada@example.com"}))
	if made := s.do(http.MethodPost, "/api/v1/keys", `{"name":"k"}`, as(person)...); made.status != 201 {
		t.Errorf("an admin makes a key: %d %s", made.status, made.body)
	}
	if logged := s.manage(http.MethodGet, "/audit", ""); !strings.Contains(logged.body, `"actor_name":"ada@example.com"`) {
		t.Errorf("%s", logged.body)
	}
	before := gpt.calls()
	for name, test := range map[string]struct {
		token  string
		status int
	}{
		"an admin asks a model":           {person, 403},
		"a token for somebody else":       {issuer.Token(issuer.Claims("else", "repo:acme/app", nil)), 401},
		"a token that no rule fits":       {issuer.Token(issuer.Claims("switchyard", "repo:other/app", nil)), 401},
		"a token that has expired":        {issuer.Token(issuer.Claims("switchyard", "repo:acme/app", map[string]any{"exp": time.Now().Unix() - 1})), 401},
		"a token whose end was cut off":   {workload[:len(workload)-10], 401},
		"a token of an issuer of its own": {tokentest.Start(t).Token(issuer.Claims("switchyard", "repo:acme/app", nil)), 401},
	} {
		if got := s.ask(question("m/openai"), as(test.token)...); got.status != test.status {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if gpt.calls() != before {
		t.Error("a refused request reached the provider")
	}
	if strings.Contains(s.Log(), workload) || strings.Contains(s.Log(), person) {
		t.Error("the gateway's log has a token")
	}
}

// command runs the program itself, as a person with the management key.
func (s *stage) command(arguments ...string) string {
	s.Helper()
	command := exec.Command(binary, arguments...)
	command.Env = append(os.Environ(), "SWITCHYARD_API="+s.URL+"/api/v1", "SWITCHYARD_MANAGEMENT_KEY="+managementKey)
	output, err := command.CombinedOutput()
	if err != nil {
		s.Fatalf("%v: %v\n%s", arguments, err, output)
	}
	return string(output)
}

func TestCommandLineManagesKeys(t *testing.T) {
	s, gpt, _ := pair(t)
	s.manageable()
	s.start()
	s.command("keys", "add", "lasting", "--limit", "1", "--limit-reset", "never")
	made := s.command("keys", "add", "team a", "--limit", "2.50", "--limit-reset", "weekly", "--workspace", "default", "--models", "m/*", "--providers", "gpt,claude", "--ips", "127.0.0.1,::1")
	key := regexp.MustCompile(`sk-sy-v1-[0-9a-f]{64}`).FindString(made)
	gpt.Enqueue(provider.Answer{Text: "hello", Usage: provider.Usage{Input: 1000, Output: 50}})
	got := s.ask(question("m/openai"), as(key)...)
	if got.status != 200 {
		t.Fatalf("%d %s with the key of %s", got.status, got.body, made)
	}
	for deadline := time.Now().Add(time.Second); !strings.Contains(s.command("credits"), "$0.0011"); {
		if time.Now().After(deadline) {
			t.Fatalf("credits: %s", s.command("credits"))
		}
	}
	for _, test := range []struct {
		arguments []string
		want      string
	}{
		{[]string{"keys", "list"}, `team a +` + hash(key)[:12] + ` +sk-sy-v1-\S{3}\.\.\.\S{3} +- +enabled +\$0\.0011 +\$2\.5 weekly`},
		{[]string{"usage", "--by", "key,model"}, `(?m)^team a ` + hash(key)[:12] + ` +m/openai +1 +1000 +50 +\$0\.0011$`},
		{[]string{"keys", "rotate", "team a", "--overlap", "0s"}, `sk-sy-v1-[0-9a-f]{64}`},
		{[]string{"keys", "disable", hash(key)[:12]}, `^$`},
		{[]string{"keys", "list"}, `disabled`},
		{[]string{"keys", "delete", "team a"}, `^$`},
		{[]string{"orgs", "owner", "default", "--name", "second"}, `sk-sy-v1-[0-9a-f]{64}`},
		{[]string{"audit"}, `(?s)root +key.delete +` + hash(key) + `.*key.update.*key.rotate.*key.create`},
	} {
		if output := s.command(test.arguments...); !regexp.MustCompile(test.want).MatchString(output) {
			t.Errorf("%v: %s", test.arguments, output)
		}
	}
}
