package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// raw sends a request whose target and headers no client library would write, and reads
// its answer. The body is sent with a length.
func (s *stage) raw(t *testing.T, method, target, body string, headers ...string) answer {
	t.Helper()
	conn := s.dial(t)
	defer conn.Close()
	if !slices.ContainsFunc(headers, func(h string) bool { return strings.HasPrefix(h, "Host:") }) {
		headers = append(headers, "Host: gateway")
	}
	write(t, conn, fmt.Sprintf("%s %s HTTP/1.1\r\n%s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		method, target, strings.Join(headers, "\r\n"), len(body), body))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return answer{body: err.Error()} // Envoy's right, with what is no HTTP
	}
	defer response.Body.Close()
	read, _ := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(read)}
}

// known-failures 52: who may come in is judged by the path that the request is served
// by. However a path is spelled, whatever Host is named and whatever header claims
// another one, nobody gets in without a key, and no inference key gets to what is
// managed.
func TestPathsAreJudgedAsTheyAreServed(t *testing.T) {
	s, gpt, _ := pair(t)
	s.manageable()
	s.start()
	inference := []string{
		"/api/v1/chat/completions", "//api/v1/chat/completions", "/api//v1///chat/completions", "/api/v1/./chat/completions", "/health/../api/v1/chat/completions",
		"/api/v1/models/../chat/completions", "/api/v1/%63hat/completions", "/api/v1/chat%2fcompletions", "/api/v1/chat%5Ccompletions", "/api/v1/chat\\completions",
		"/api/v1/chat/completions/", "/api/v1/chat/completions;x=1", "/api/v1/chat/completions?x=/health", "/api/v1/chat/completions#/health", "/api/v1/chat/completions%00", "/api/v1/chat/completions%20",
		"/API/V1/CHAT/COMPLETIONS", "/health?/api/v1/chat/completions", "/health/%2e%2e/api/v1/chat/completions", "/api/v1/models/m/openai/../../../chat/completions",
		"/v1/models/x/%2e%2e/%2e%2e/chat/completions", "/v1beta/models/m/openai:generateContent/../../../../../v1/chat/completions", "http://gateway/api/v1/chat/completions", "http://evil.example/api/v1/chat/completions",
	}
	managed := []string{
		"/api/v1/keys", "//api/v1/keys", "/api/v1//keys", "/api/v1/./keys", "/api/v1/models/../keys", "/health/../api/v1/keys", "/api/v1/models/%2e%2e/keys", "/api/v1/%6beys", "/api/v1/models%2f..%2fkeys",
		"/api/v1/keys/", "/api/v1/keys;a", "/api/v1/keys?x", "/api/v1/chat/completions/../../keys", "/API/V1/keys", "http://gateway/api/v1/keys", "/api/v1/organizations", "/api/v1/audit", "/api/v1/byok", "/api/v1/workspaces",
	}
	disguises := [][]string{
		nil, {"Host: evil.example"}, {"Host: localhost"}, {"Host: 127.0.0.1:9901"}, {"Host: gateway", "X-Original-URL: /health", "X-Rewrite-URL: /health"},
		{"Host: gateway", "X-Envoy-Original-Path: /health", "X-Forwarded-Uri: /health", "X-Forwarded-Prefix: /health"}, {"Host: gateway", "X-HTTP-Method-Override: GET"},
		{"Host: gateway", "X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1", "X-Envoy-Internal: true", "X-Envoy-External-Address: 127.0.0.1"},
	}
	refused := []int{0, 400, 401, 403, 404, 405}
	for _, headers := range disguises {
		for _, target := range inference {
			got := s.raw(t, "POST", target, question("m/openai"), headers...)
			if !slices.Contains(refused, got.status) {
				t.Errorf("%s with %q and no key: %d %s", target, headers, got.status, got.body)
			}
		}
		for _, target := range managed {
			for method, body := range map[string]string{"GET": "", "POST": `{"name":"mine"}`} {
				for _, key := range []string{"", clientKey} {
					sent := headers
					if key != "" {
						sent = append(slices.Clone(headers), "Authorization: Bearer "+key)
					}
					got := s.raw(t, method, target, body, sent...)
					if !slices.Contains(refused, got.status) || strings.Contains(got.body, hash(clientKey)[:16]) {
						t.Errorf("%s %s with %q: %d %s", method, target, sent, got.status, got.body)
					}
				}
			}
		}
	}
	if gpt.calls() != 0 {
		t.Errorf("the provider was asked %d times", gpt.calls())
	}
	if got := s.manage(http.MethodGet, "/keys", ""); got.status != 200 || strings.Contains(got.body, "mine") {
		t.Errorf("keys: %d %s", got.status, got.body)
	}
	// With a key, what is another spelling of the path is the path.
	for _, target := range inference[:5] {
		if got := s.raw(t, "POST", target, question("m/openai"), "Authorization: Bearer "+clientKey); got.status != 200 {
			t.Errorf("%s with a key: %d %s", target, got.status, got.body)
		}
	}
}

// known-failures 53: what is presented as a key, or as anybody's id, is a value and never
// a part of a statement; and no key is known from a manual.
func TestNoStatementIsBuiltOfWhatIsPresented(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, configure func(*stage)) {
		s, gpt, _ := pair(t)
		s.manageable()
		configure(s)
		s.start()
		kept := s.makeKey(`{"name":"kept"}`)
		s.within(200, kept.Key)
		id := s.ask(question("m/openai"), as(kept.Key)...).header.Get("X-Generation-Id")
		s.generationOf(id, kept.Key)
		asked := gpt.calls()
		statements := []string{
			`'`, `"`, `' OR '1'='1`, `' OR 1=1 --`, `x' OR hash LIKE '%`, `'; DROP TABLE keys; --`, `'; DELETE FROM generations; --`, `\'`, `%27%20OR%201=1`, `x' UNION SELECT * FROM keys --`, `$1`, `?`, `%`, `_`, "\u02bc OR 1=1",
			kept.Data.Hash, hash(kept.Key), kept.Key + `' OR '1'='1`, kept.Key + ` `, kept.Key[:len(kept.Key)-1], kept.Key[:len(kept.Key)-1] + `%`, strings.ToUpper(kept.Key),
		}
		manuals := []string{"sk-1234", "sk-sy-v1-", "sk-or-v1-", "sk-master-1234", "admin", "password", "changeme", "null", "undefined", "Bearer", "0", ""}
		for _, presented := range append(statements, manuals...) {
			if strings.TrimSpace(presented) == kept.Key {
				continue // HTTP has no spaces at the end of a header
			}
			for _, header := range [][]string{{"Authorization", "Bearer " + presented}, {"Authorization", "", "X-Api-Key", presented}, {"Authorization", "", "X-Goog-Api-Key", presented}} {
				if got := s.ask(question("m/openai"), header...); got.status != 401 && got.status != 400 {
					t.Errorf("%q: %d %s", header, got.status, got.body)
				}
				if got := s.do(http.MethodGet, "/api/v1/keys", "", header...); got.status != 401 && got.status != 400 {
					t.Errorf("keys with %q: %d %s", header, got.status, got.body)
				}
			}
		}
		for _, statement := range statements[:15] {
			escaped := url.QueryEscape(statement)
			for _, ask := range []struct{ method, path, body string }{
				{"GET", "/generation?id=" + escaped, ""},
				{"GET", "/keys/" + url.PathEscape(statement), ""},
				{"DELETE", "/keys/" + url.PathEscape(statement), ""},
				{"PATCH", "/keys/" + url.PathEscape(statement), `{"disabled":true}`},
				{"GET", "/activity?date=" + escaped, ""},
				{"GET", "/keys?offset=" + escaped, ""},
				{"GET", "/workspaces/" + url.PathEscape(statement), ""},
				{"DELETE", "/workspaces/" + url.PathEscape(statement), ""},
			} {
				if got := s.manage(ask.method, ask.path, ask.body); got.status == 200 && !strings.Contains(got.body, `"data":[]`) || got.status >= 500 || got.status == 0 {
					t.Errorf("%s %s: %d %s", ask.method, ask.path, got.status, got.body)
				}
			}
			// As a value it is taken, and comes back.
			made := s.makeKey(`{"name":` + quoted(statement) + `}`)
			if got := s.manage(http.MethodGet, "/keys/"+made.Data.Hash, ""); got.status != 200 || !strings.Contains(got.body, `"name":`) {
				t.Errorf("a key called %s: %d %s", statement, got.status, got.body)
			}
		}
		if gpt.calls() != asked {
			t.Errorf("the provider was asked %d times", gpt.calls()-asked)
		}
		s.within(200, kept.Key)
		s.generationOf(id, kept.Key)
	})
}

func quoted(text string) string {
	b, _ := json.Marshal(text) // of a string
	return string(b)
}

// generationOf waits until a key is told of a generation.
func (s *stage) generationOf(id, key string) {
	s.Helper()
	s.until("generation "+id+" is told", func() bool {
		return s.do(http.MethodGet, "/api/v1/generation?id="+id, "", as(key)...).status == 200
	})
}

// known-failures 51: a request names models and providers of the configuration, and no
// host. Whatever else a client says of where to go, nothing goes there, and no
// credential leaves for anywhere but its provider.
func TestRequestsNameNoHosts(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	var came atomic.Int32
	intruder := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came.Add(1)
		s.Errorf("the intruder got %s %s %v", r.Method, r.URL, r.Header)
	}))
	t.Cleanup(intruder.Close)
	at := quoted(intruder.URL)
	host := strings.TrimPrefix(intruder.URL, "http://")
	for _, members := range []string{
		`"api_base":` + at, `"base_url":` + at, `"api_key":"sk-mine","api_base":` + at, `"custom_llm_provider":"openai","api_base":` + at, `"endpoint":` + at, `"host":` + quoted(host), `"proxy":` + at, `"webhook":` + at,
		`"extra_body":{"api_base":` + at + `}`, `"litellm_params":{"api_base":` + at + `}`, `"metadata":{"api_base":"` + intruder.URL + `"}`, `"extra_headers":{"Host":` + quoted(host) + `}`,
		`"provider":{"order":[` + at + `]}`, `"provider":{"only":["openai"],"base_url":` + at + `}`, `"mcp_servers":[{"type":"url","name":"x","url":` + at + `}]`,
	} {
		for _, model := range []string{"m/openai", "m/anthropic"} {
			if got := s.ask(question(model, members)); got.status == 0 || got.status >= 500 {
				t.Errorf("%s with %s: %d %s", model, members, got.status, got.body)
			}
		}
	}
	for _, model := range []string{intruder.URL, intruder.URL + "/m/openai", "openai/" + intruder.URL, host + "/x", "m/openai@" + host, "../m/openai", "m/openai?base=" + intruder.URL} {
		if got := s.ask(question(model)); got.status/100 != 4 {
			t.Errorf("model %q: %d %s", model, got.status, got.body)
		}
	}
	for _, headers := range [][]string{
		{"Host: " + host}, {"X-Forwarded-Host: " + host, "Host: gateway"}, {"X-Envoy-Original-Dst-Host: " + host, "Host: gateway"}, {"X-Switchyard-Cluster: api", "Host: gateway"},
		{"X-Portkey-Custom-Host: " + intruder.URL, "Host: gateway"}, {"Helicone-Target-Url: " + intruder.URL, "Host: gateway"}, {"X-Upstream: " + intruder.URL, "Host: gateway"}, {"Proxy: " + intruder.URL, "Host: gateway"},
	} {
		before := gpt.calls()
		got := s.raw(t, "POST", "/api/v1/chat/completions", question("m/openai"), append(headers, "Authorization: Bearer "+clientKey)...)
		if got.status != 200 || gpt.calls() != before+1 {
			t.Errorf("%q: %d %s, asked %d times", headers, got.status, got.body, gpt.calls()-before)
		}
	}
	if got := s.raw(t, "POST", intruder.URL+"/api/v1/chat/completions", question("m/openai"), "Authorization: Bearer "+clientKey); got.status != 200 {
		t.Errorf("an absolute target: %d %s", got.status, got.body)
	}
	if got := s.raw(t, "CONNECT", host, "", "Authorization: Bearer "+clientKey); got.status/100 == 2 {
		t.Errorf("CONNECT: %d", got.status)
	}
	if came.Load() != 0 || claude.calls() == 0 {
		t.Errorf("the intruder was asked %d times", came.Load())
	}
}
