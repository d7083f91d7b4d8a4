package api

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/preset"
)

// withPresets is the gateway with one key, and the preset "set" of the configuration.
func withPresets(t *testing.T) Options {
	t.Helper()
	store, err := preset.Open(filepath.Join(t.TempDir(), "presets.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Configure(&configpb.Config{Presets: map[string]*configpb.Preset{"set": {Name: "Set", Description: "By hand."}}}); err != nil {
		t.Fatal(err)
	}
	options := withKey(t, &configpb.Key{Name: "dev"})
	options.Presets = store
	return options
}

// askWith makes a request with the good key and a body.
func askWith(options Options, method, target, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, target, strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer "+goodKey)
	recorder := httptest.NewRecorder()
	New(options).ServeHTTP(recorder, request)
	return recorder
}

func TestRow129PresetFromInference(t *testing.T) {
	options := withPresets(t)
	steps := []struct{ method, target, body, want string }{
		{"POST", "/api/v1/presets/p/chat/completions", `{"model":"m/a","temperature":0.2,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}]}`,
			`{"data":{"slug":"p","name":"p","description":null,"designated_version":{"version":1,"config":{"model":"m/a","temperature":0.2},"system_prompt":"Be brief."}}}`},
		{"POST", "/v1/presets/p/messages", `{"model":"m/b","max_tokens":9,"messages":[]}`,
			`{"data":{"slug":"p","name":"p","description":null,"designated_version":{"version":2,"config":{"max_tokens":9,"model":"m/b"},"system_prompt":null}}}`},
		{"POST", "/api/v1/presets/q/responses", `{"input":"Hi","instructions":"Rhyme."}`,
			`{"data":{"slug":"q","name":"q","description":null,"designated_version":{"version":1,"config":{},"system_prompt":"Rhyme."}}}`},
		{"GET", "/api/v1/presets/p", "",
			`{"data":{"slug":"p","name":"p","description":null,"designated_version":{"version":2,"config":{"max_tokens":9,"model":"m/b"},"system_prompt":null}}}`},
		{"GET", "/api/v1/presets/set", "",
			`{"data":{"slug":"set","name":"Set","description":"By hand.","designated_version":{"version":1,"config":{},"system_prompt":null}}}`},
		{"GET", "/api/v1/presets/p/versions", "",
			`{"data":[{"version":2,"config":{"max_tokens":9,"model":"m/b"},"system_prompt":null},{"version":1,"config":{"model":"m/a","temperature":0.2},"system_prompt":"Be brief."}],"total_count":2}`},
		{"GET", "/api/v1/presets/p/versions/1", "",
			`{"data":{"version":1,"config":{"model":"m/a","temperature":0.2},"system_prompt":"Be brief."}}`},
		{"GET", "/api/v1/presets?offset=1&limit=1", "",
			`{"data":[{"slug":"q","name":"q","description":null,"designated_version":{"version":1,"config":{},"system_prompt":"Rhyme."}}],"total_count":3}`},
		{"GET", "/api/v1/presets?offset=9", "", `{"data":[],"total_count":3}`},
	}
	for _, step := range steps {
		response := askWith(options, step.method, step.target, step.body)
		if response.Code != http.StatusOK {
			t.Errorf("%s %s: status %d", step.method, step.target, response.Code)
		}
		if diff := cmp.Diff(step.want+"\n", response.Body.String()); diff != "" {
			t.Errorf("%s %s: %s", step.method, step.target, diff)
		}
	}
}

func TestPresetsThatAreRefused(t *testing.T) {
	options := withPresets(t)
	for _, test := range []struct {
		name, method, target, body string
		status                     int
		errorType                  string
	}{
		{"row 126: no such preset", "GET", "/api/v1/presets/none", "", 404, "not_found"},
		{"no such versions", "GET", "/api/v1/presets/none/versions", "", 404, "not_found"},
		{"no such version", "GET", "/api/v1/presets/set/versions/2", "", 404, "not_found"},
		{"a version that is no number", "GET", "/api/v1/presets/set/versions/x", "", 404, "not_found"},
		{"over the configuration's", "POST", "/api/v1/presets/set/chat/completions", `{}`, 409, "invalid_request"},
		{"a slug", "POST", "/api/v1/presets/P/chat/completions", `{}`, 400, "invalid_request"},
		{"no JSON", "POST", "/api/v1/presets/p/chat/completions", `hi`, 400, "invalid_request"},
		{"another dialect", "POST", "/api/v1/presets/p/completions", `{}`, 404, "not_found"},
		{"another method", "PUT", "/api/v1/presets/p", "", 405, "invalid_request"},
		{"deleting none", "DELETE", "/api/v1/presets/none", "", 404, "not_found"},
		{"deleting the configuration's", "DELETE", "/api/v1/presets/set", "", 409, "invalid_request"},
		{"a page too large", "GET", "/api/v1/presets?limit=101", "", 400, "invalid_request"},
		{"an offset", "GET", "/api/v1/presets?offset=x", "", 400, "invalid_request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantError(t, askWith(options, test.method, test.target, test.body), test.status, test.errorType)
		})
	}
	if seen := options.Presets.List(identity.Hash(goodKey)); len(seen) != 1 || seen[0].Slug != "set" {
		t.Errorf("created all the same: %v", seen)
	}
}

// A key can neither read, take over nor delete what another created.
func TestPresetsBelongToTheirKey(t *testing.T) {
	options := withPresets(t)
	const otherKey = identity.Prefix + "other"
	keys, err := identity.NewKeyring(&configpb.Config{Keys: []*configpb.Key{
		{Name: "dev", Hash: identity.Hash(goodKey)}, {Name: "other", Hash: identity.Hash(otherKey)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	options.Keys = func() *identity.Keyring { return keys }
	if response := askWith(options, "POST", "/api/v1/presets/p/responses", `{"instructions":"My secret."}`); response.Code != 200 {
		t.Fatal(response.Code, response.Body)
	}
	other := func(method, target string) *httptest.ResponseRecorder {
		return ask(options, method, target, "Authorization", "Bearer "+otherKey)
	}
	if list := other("GET", "/api/v1/presets").Body.String(); strings.Contains(list, `"p"`) || !strings.Contains(list, `"set"`) {
		t.Errorf("the other key sees %s", list)
	}
	for _, path := range []string{"/api/v1/presets/p", "/api/v1/presets/p/versions", "/api/v1/presets/p/versions/1"} {
		wantError(t, other("GET", path), 404, "not_found")
	}
	wantError(t, other("DELETE", "/api/v1/presets/p"), 404, "not_found")

	if got := askWith(options, "DELETE", "/v1/presets/p", ""); got.Code != 200 || got.Body.String() != `{"deleted":true}`+"\n" {
		t.Errorf("the owner deletes it: %d %s", got.Code, got.Body)
	}
	wantError(t, askWith(options, "GET", "/api/v1/presets/p", ""), 404, "not_found")
}

func TestPresetsNeedAKey(t *testing.T) {
	options := withPresets(t)
	for _, target := range []string{"/api/v1/presets", "/api/v1/presets/set", "/api/v1/presets/set/versions", "/api/v1/presets/set/versions/1"} {
		wantError(t, ask(options, "GET", target), 401, "authentication")
	}
	wantError(t, ask(options, "POST", "/api/v1/presets/p/chat/completions", "Authorization", "Bearer nonsense"), 401, "authentication")
}

func TestGatewayWithoutPresets(t *testing.T) {
	wantError(t, askWith(gateway(t), "GET", "/api/v1/presets", ""), 404, "not_found")
	wantError(t, askWith(gateway(t), "POST", "/api/v1/presets/p/chat/completions", "{}"), 404, "not_found")
}
