package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/identity"
)

// gateway is the API over a small catalog: models m/a to m/e that write text, an
// embedding model e/x, and the provider "local" of any model.
func gateway(t testing.TB) Options {
	t.Helper()
	priced := &configpb.Endpoint{
		Provider: "anthropic", Model: "their-a", MaxCompletionTokens: 500, ContextLength: 8000,
		Prices: &configpb.Prices{Prompt: "3", Completion: "15", CacheRead: "0.3", CacheWrite: "3.75", CacheWrite_1H: "6", Image: "0.0048"},
	}
	plain := func() []*configpb.Endpoint {
		return []*configpb.Endpoint{{Provider: "openai", SupportedParameters: []string{"temperature"}}}
	}
	models, err := catalog.New(&configpb.Config{
		Providers: map[string]*configpb.Provider{
			"anthropic": {Name: "Anthropic", Dialect: configpb.Dialect_DIALECT_ANTHROPIC, BaseUrl: "https://anthropic.example"},
			"openai":    {Name: "OpenAI", Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "https://openai.example"},
			"local":     {Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "http://local.example", AnyModel: new(true)},
		},
		Models: map[string]*configpb.Model{
			"m/a": {
				Name: "A", Description: "The first.", CanonicalSlug: "m/a-2026", Created: 1767225600,
				InputModalities: []string{"text", "image"},
				Endpoints:       []*configpb.Endpoint{priced, {Provider: "openai", SupportedParameters: []string{"seed"}, Prices: &configpb.Prices{Prompt: "2", CacheRead: "1"}}},
			},
			"m/b": {Endpoints: plain()}, "m/c": {Endpoints: plain()}, "m/d": {Endpoints: plain()}, "m/e": {Endpoints: plain()},
			"e/x": {OutputModalities: []string{"embeddings"}, Endpoints: plain()},
		},
	}, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Catalog:  func() *catalog.Catalog { return models },
		Checks:   func() []Check { return nil },
		Gatherer: prometheus.NewRegistry(),
	}
}

const goodKey = identity.Prefix + "good"

// withKey is the gateway with one key.
func withKey(t *testing.T, key *configpb.Key) Options {
	t.Helper()
	key.Hash = identity.Hash(goodKey)
	keys, err := identity.NewKeyring(&configpb.Config{Keys: []*configpb.Key{key}})
	if err != nil {
		t.Fatal(err)
	}
	options := gateway(t)
	options.Keys = func() *identity.Keyring { return keys }
	return options
}

// ask makes a request; headers come in pairs.
func ask(options Options, method, target string, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	New(options).ServeHTTP(recorder, request)
	return recorder
}

// decode reads an answer strictly as T.
func decode[T any](t *testing.T, response *httptest.ResponseRecorder) T {
	t.Helper()
	var body T
	if got := response.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	if err := json.Unmarshal(response.Body.Bytes(), &body); err != nil {
		t.Fatalf("%v in %s", err, response.Body)
	}
	return body
}

type errorBody struct {
	Error struct {
		Code     int    `json:"code"`
		Message  string `json:"message"`
		Metadata struct {
			ErrorType string `json:"error_type"`
		} `json:"metadata"`
	} `json:"error"`
}

// wantError checks the spec's error shape.
func wantError(t *testing.T, response *httptest.ResponseRecorder, status int, errorType string) {
	t.Helper()
	body := decode[errorBody](t, response)
	if response.Code != status || body.Error.Code != status || body.Error.Message == "" || body.Error.Metadata.ErrorType != errorType {
		t.Errorf("%d %s, want %d %s", response.Code, response.Body, status, errorType)
	}
}

func TestErrorsOfTheMuxAreInTheSpecsShape(t *testing.T) {
	tests := []struct {
		name, method, target string
		status               int
		errorType, allow     string
	}{
		{"nothing there", "GET", "/nothing", 404, "not_found", ""},
		{"nothing there for a POST", "POST", "/api/v1/nothing", 404, "not_found", ""},
		{"root", "GET", "/", 404, "not_found", ""},
		{"not cleaned", "GET", "//nothing", 404, "not_found", ""},
		{"wrong method", "DELETE", "/api/v1/models", 405, "invalid_request", "GET, HEAD"},
		{"inference is not here", "GET", "/api/v1/chat/completions", 404, "not_found", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			response := ask(gateway(t), test.method, test.target)
			wantError(t, response, test.status, test.errorType)
			if got := response.Header().Get("Allow"); got != test.allow {
				t.Errorf("allow %q, want %q", got, test.allow)
			}
		})
	}
}

// What is not served beside an inference path is refused as that API's clients read it.
func TestErrorsBesideInferenceAreInItsAPIsShape(t *testing.T) {
	options := gateway(t)
	options.InferencePaths = []string{"/api/v1/chat/completions", "/api/v1/messages", "/v1/models/"}
	options.ErrorBody = func(path string, status int, message string) []byte {
		return fmt.Appendf(nil, "%d in the words of %s", status, path)
	}
	for _, test := range []struct{ method, target, want string }{
		{"GET", "/api/v1/messages", "405 in the words of /api/v1/messages"},
		{"GET", "/api/v1/messages/batches", "404 in the words of /api/v1/messages"},
		{"GET", "/api/v1/messages_of_old", "OpenRouter's"},
		{"GET", "/v1/models/m/x:generateContent", "405 in the words of /v1/models/"},
		{"DELETE", "/v1/models/m/x:generateContent", "405 in the words of /v1/models/"},
		{"DELETE", "/v1/models/m/x", "OpenRouter's"},
	} {
		got := ask(options, test.method, test.target).Body.String()
		if strings.Contains(got, `"error_type"`) {
			got = "OpenRouter's"
		}
		if got != test.want {
			t.Errorf("%s %s: %s, want %s", test.method, test.target, got, test.want)
		}
	}
}

func TestLargeBodyIsRefused(t *testing.T) {
	request := httptest.NewRequest("POST", "/api/v1/models", strings.NewReader(strings.Repeat(" ", maxBody+1)))
	recorder := httptest.NewRecorder()
	New(gateway(t)).ServeHTTP(recorder, request)
	wantError(t, recorder, http.StatusRequestEntityTooLarge, "payload_too_large")
}

func TestSlowAnswerIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := gateway(t)
		hang := make(chan struct{})
		defer close(hang)
		options.Checks = func() []Check { <-hang; return nil }
		began := time.Now()
		response := ask(options, "GET", "/health")
		wantError(t, response, http.StatusServiceUnavailable, "timeout")
		if waited := time.Since(began); waited != maxTime {
			t.Errorf("waited %v, want %v", waited, maxTime)
		}
	})
}

func TestRow88PanicIsMasked(t *testing.T) {
	options := gateway(t)
	options.Checks = func() []Check { panic("hunter2") }
	request := httptest.NewRequest("GET", "/health", nil)
	recorder := httptest.NewRecorder()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the server does not learn of the panic, and cannot log it")
			}
		}()
		New(options).ServeHTTP(recorder, request)
	}()
	wantError(t, recorder, http.StatusInternalServerError, "server")
	if strings.Contains(recorder.Body.String(), "hunter2") {
		t.Errorf("the inside is shown: %s", recorder.Body)
	}
}

func TestMetrics(t *testing.T) {
	options := gateway(t)
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "switchyard_test_total"})
	registry.MustRegister(counter)
	counter.Add(3)
	options.Gatherer = registry
	response := ask(options, "GET", "/metrics")
	if response.Code != 200 || !strings.Contains(response.Body.String(), "\nswitchyard_test_total 3\n") {
		t.Errorf("%d %s", response.Code, response.Body)
	}
	if got := response.Header().Get("Content-Type"); !strings.HasPrefix(got, "text/plain") {
		t.Errorf("content type %q", got)
	}
}

func TestRow159KeyInfo(t *testing.T) {
	tests := []struct {
		name string
		key  *configpb.Key
		want string
	}{
		{
			"limited",
			&configpb.Key{Name: "k", ExpiresAt: "2999-01-31T00:00:00Z", Limits: &configpb.Limits{Requests: 7}},
			`{"data":{"label":"k","limit":null,"limit_remaining":null,"limit_reset":null,"include_byok_in_limit":false,"is_free_tier":false,"is_management_key":false,"is_provisioning_key":false,"creator_user_id":null,"organization_id":"default","workspace_id":"default","allowed_data_regions":["global"],` +
				`"expires_at":"2999-01-31T00:00:00Z","rate_limit":{"requests":7,"interval":"10s","note":"Requests in any interval of this length."},"free_model_daily_requests":{"limit":-1,"remaining":-1,"used":0},"budgets":[],"effective_budget":null}}`,
		},
		{
			"unlimited",
			&configpb.Key{Name: "k", Limits: &configpb.Limits{Unlimited: true}},
			`{"data":{"label":"k","limit":null,"limit_remaining":null,"limit_reset":null,"include_byok_in_limit":false,"is_free_tier":false,"is_management_key":false,"is_provisioning_key":false,"creator_user_id":null,"organization_id":"default","workspace_id":"default","allowed_data_regions":["global"],` +
				`"expires_at":null,"rate_limit":{"requests":-1,"interval":"10s","note":"There is no limit on requests."},"free_model_daily_requests":{"limit":-1,"remaining":-1,"used":0},"budgets":[],"effective_budget":null}}`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, path := range []string{"/api/v1/key", "/api/v1/auth/key", "/v1/key"} {
				response := ask(withKey(t, test.key), "GET", path, "Authorization", "Bearer "+goodKey)
				if diff := cmp.Diff(test.want+"\n", response.Body.String()); diff != "" || response.Code != 200 {
					t.Errorf("%s: %d (-want +got):\n%s", path, response.Code, diff)
				}
			}
		})
	}
	t.Run("bad key", func(t *testing.T) {
		wantError(t, ask(withKey(t, &configpb.Key{Name: "k"}), "GET", "/api/v1/key", "X-Api-Key", "bad"), 401, "authentication")
	})
	t.Run("no keys at all", func(t *testing.T) {
		if response := ask(gateway(t), "GET", "/api/v1/key"); response.Code != 200 {
			t.Errorf("%d %s", response.Code, response.Body)
		}
	})
}
