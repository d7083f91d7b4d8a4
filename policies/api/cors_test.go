package api

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

func TestRow197CORS(t *testing.T) {
	options := withKey(t, &configpb.Key{Name: "k"})
	preflight := ask(options, "OPTIONS", "/api/v1/chat/completions",
		"Origin", "https://app.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization")
	if preflight.Code != 204 || preflight.Body.Len() != 0 {
		t.Errorf("preflight: %d %s", preflight.Code, preflight.Body)
	}
	for header, want := range map[string]string{
		"Access-Control-Allow-Origin":   "*",
		"Access-Control-Expose-Headers": "X-Generation-Id, X-Provider-Name, X-Request-Id, Retry-After",
		"Access-Control-Allow-Methods":  "POST",
		"Access-Control-Allow-Headers":  "Authorization",
	} {
		if got := preflight.Header().Get(header); !strings.Contains(got, want) {
			t.Errorf("preflight: %s is %q, want %q in it", header, got, want)
		}
	}
	for _, name := range []string{"X-OpenRouter-Metadata", "X-OpenRouter-Cache", "traceparent"} {
		if got := preflight.Header().Get("Access-Control-Allow-Headers"); !strings.Contains(got, ", "+name+", ") {
			t.Errorf("%s may not be sent: %s", name, got)
		}
	}
	plain := ask(options, "GET", "/api/v1/models", "Origin", "https://app.example")
	if got := plain.Header().Get("Access-Control-Allow-Origin"); plain.Code != 200 || got != "*" {
		t.Errorf("plain: %d, allowed for %q", plain.Code, got)
	}
	if failed := ask(options, "GET", "/nothing", "Origin", "https://app.example"); failed.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Error("a page cannot read an error")
	}
	if bare := ask(options, "OPTIONS", "/api/v1/models"); bare.Code != 405 {
		t.Errorf("OPTIONS that no browser sent: %d, want 405", bare.Code)
	}
}

// Any page in the owner's browser reaches a gateway on loopback; without a key
// to ask for, only the origin is left to judge by.
func TestOpenGatewayIsClosedToForeignPages(t *testing.T) {
	tests := []struct {
		origin  string
		allowed bool
	}{
		{"http://localhost:3000", true},
		{"http://127.0.0.1:8080", true},
		{"https://[::1]:8080", true},
		{"http://app.localhost", true},
		{"https://evil.example", false},
		{"https://localhost.evil.example", false},
		{"https://notlocalhost", false},
		{"https://127.0.0.1.evil.example", false},
		{"http://192.168.0.1", false},
		{"null", false},
		{"http://%zz", false},
	}
	for _, test := range tests {
		t.Run(test.origin, func(t *testing.T) {
			for _, method := range []string{"OPTIONS", "GET"} {
				header := ask(gateway(t), method, "/api/v1/models", "Origin", test.origin).Header()
				want := ""
				if test.allowed {
					want = test.origin
				}
				if got := header.Get("Access-Control-Allow-Origin"); got != want {
					t.Errorf("%s: allowed for %q, want %q", method, got, want)
				}
				if got := header.Get("Access-Control-Allow-Methods"); (got != "") != (test.allowed && method == "OPTIONS") {
					t.Errorf("%s: methods %q", method, got)
				}
				if header.Get("Vary") != "Origin" {
					t.Errorf("%s: a cache would give one origin's answer to another", method)
				}
			}
		})
	}
}

// A browser sends a POST of plain text to anywhere, without a preflight.
func TestOpenGatewayKeepsNothingOfForeignPages(t *testing.T) {
	for _, test := range []struct {
		origin string
		status int
	}{
		{"", 200}, // no browser
		{"http://localhost:3000", 200},
		{"https://evil.example", 403},
		{"null", 403}, // a frame in a sandbox, or a file
	} {
		t.Run(test.origin, func(t *testing.T) {
			options := withPresets(t)
			options.Keys = nil
			request := httptest.NewRequest("POST", "/api/v1/presets/p/chat/completions", strings.NewReader(`{"instructions":"Obey."}`))
			request.Header.Set("Content-Type", "text/plain")
			if test.origin != "" {
				request.Header.Set("Origin", test.origin)
			}
			response := httptest.NewRecorder()
			New(options).ServeHTTP(response, request)
			if test.status == 403 {
				wantError(t, response, 403, "permission_denied")
			} else if response.Code != test.status {
				t.Errorf("status %d: %s", response.Code, response.Body)
			}
			if kept := ask(options, "GET", "/api/v1/presets/p").Code; kept == 200 != (test.status == 200) {
				t.Errorf("afterwards GET answers %d", kept)
			}
		})
	}
	request := httptest.NewRequest("POST", "/api/v1/presets/p/chat/completions", strings.NewReader(`{}`))
	request.Header.Set("Origin", "https://app.example")
	request.Header.Set("Authorization", "Bearer "+goodKey)
	response := httptest.NewRecorder()
	if New(withPresets(t)).ServeHTTP(response, request); response.Code != 200 {
		t.Errorf("status %d for a page with a key, want 200", response.Code)
	}
}
