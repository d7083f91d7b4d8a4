package e2e

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAuthentication(t *testing.T) {
	s := newStage(t)
	only := s.openAI("only")
	s.serve("m/x", only)
	const disabled, expired = "sk-sy-v1-disabled", "sk-sy-v1-expired"
	s.config["keys"] = append(s.config["keys"].([]any),
		settings{"name": "disabled", "hash": hash(disabled), "disabled": true},
		settings{"name": "expired", "hash": hash(expired), "expires_at": "2020-01-01T00:00:00Z"},
	)
	s.start()
	for name, test := range map[string]struct {
		header  []string
		message string // "" for any
	}{
		"row 5: missing key":  {[]string{"Authorization", ""}, ""},
		"row 6: bad key":      {[]string{"Authorization", "Bearer sk-or-v1-bad"}, "User not found."},
		"row 7: disabled key": {[]string{"Authorization", "Bearer " + disabled}, ""},
		"row 7: expired key":  {[]string{"Authorization", "Bearer " + expired}, ""},
		"no bearer":           {[]string{"Authorization", "Basic " + clientKey}, ""},
		"the key's hash":      {[]string{"Authorization", "Bearer " + hash(clientKey)}, ""},
		"key and something":   {[]string{"Authorization", "Bearer " + clientKey + "x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, body := range []string{question("m/x"), streamed("m/x"), "{"} {
				said := s.ask(body, test.header...).failed(t, http.StatusUnauthorized)
				if test.message != "" && said.Message != test.message {
					t.Errorf("message %q, want %q", said.Message, test.message)
				}
			}
		})
	}
	if only.calls() != 0 {
		t.Errorf("%d unauthenticated requests reached the provider", only.calls())
	}
}

func TestBadRequests(t *testing.T) {
	s := newStage(t)
	s.serve("m/x", s.openAI("only"))
	s.start()
	for name, test := range map[string]struct {
		body, says string
	}{
		"row 10: unknown model":  {question("no/such"), "no/such is not a valid model ID"},
		"row 11: no input":       {`{"model":"m/x"}`, `Input required: specify "prompt" or "messages"`},
		"row 12: empty messages": {`{"model":"m/x","messages":[]}`, "messages"},
		"row 13: malformed JSON": {`{"model":"m/x",,}`, "15"},
		"row 13: cut-off JSON":   {`{`, ""},
		"duplicate key":          {`{"model":"m/x","model":"m/y"}`, "model"},
		"not an object":          {`[]`, ""},
		"wrong type":             {`{"model":7,"messages":[{"role":"user","content":"x"}]}`, "model"},
		"deep nesting":           {`{"model":"m/x","messages":` + strings.Repeat("[", 20000), ""},
		"row 97: effort twice":   {question("m/x", `"reasoning":{"effort":"low","max_tokens":2000}`), "reasoning"},
		"row 98: effort differs": {question("m/x", `"reasoning_effort":"low","reasoning":{"effort":"high"}`), "reasoning"},
	} {
		t.Run(name, func(t *testing.T) {
			said := s.ask(test.body).failed(t, http.StatusBadRequest)
			if !strings.Contains(said.Message, test.says) {
				t.Errorf("message %q does not say %q", said.Message, test.says)
			}
		})
	}
}

func TestRow10UnknownModelIsExplained(t *testing.T) {
	s := newStage(t)
	s.serve("m/x", s.openAI("only"))
	s.start()
	var told struct {
		Error struct {
			Availability struct {
				Code      string
				Retryable bool
				Requested []string `json:"requested_models"`
			}
		}
	}
	got := s.ask(question("no/such"))
	if err := json.Unmarshal([]byte(got.body), &told); err != nil {
		t.Fatal(err)
	}
	if a := told.Error.Availability; a.Code != "model_not_found" || a.Retryable || len(a.Requested) != 1 || a.Requested[0] != "no/such" {
		t.Errorf("availability in %s", got.body)
	}
}

// Row 13: after a malformed body the connection stays usable.
func TestRow13ConnectionStaysUsable(t *testing.T) {
	s := newStage(t)
	s.serve("m/x", s.openAI("only"))
	s.start()
	conn := s.dial(t)
	reader := bufio.NewReader(conn)
	for _, want := range []int{400, 200} {
		body := question("m/x")
		if want == 400 {
			body = "{"
		}
		write(t, conn, "POST /api/v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer "+clientKey+
			"\r\nContent-Type: application/json\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body)
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != want || response.Close {
			t.Errorf("status %d, want %d; closes: %v", response.StatusCode, want, response.Close)
		}
		if _, err := reader.Discard(int(response.ContentLength)); err != nil {
			t.Fatal(err)
		}
	}
}

// Errors that Envoy finds by itself have the same shape as all others.
func TestEnvoysOwnErrors(t *testing.T) {
	s := newStage(t)
	s.serve("m/x", s.openAI("only"))
	s.start()
	t.Run("unknown path", func(t *testing.T) {
		for _, path := range []string{"/api/v1/nothing", "/nothing", "/api/v1/chat/completions/x"} {
			s.do(http.MethodGet, path, "").failed(t, http.StatusNotFound)
		}
	})
	t.Run("wrong method", func(t *testing.T) {
		s.do(http.MethodGet, "/api/v1/chat/completions", "").failed(t, http.StatusMethodNotAllowed)
	})
	for name, test := range map[string]struct {
		request string
		status  int
	}{
		"no HTTP at all":     {"hello\r\n\r\n", 400},
		"a header too large": {"GET /health HTTP/1.1\r\nHost: x\r\nX-Large: " + strings.Repeat("x", 200<<10) + "\r\n\r\n", 431},
		"two lengths":        {"POST /api/v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400},
	} {
		t.Run(name, func(t *testing.T) {
			conn := s.dial(t)
			write(t, conn, test.request)
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != test.status {
				t.Errorf("status %d, want %d", response.StatusCode, test.status)
			}
			var told struct{ Error struct{ Code int } }
			if err := json.NewDecoder(response.Body).Decode(&told); err != nil || told.Error.Code != test.status {
				t.Errorf("not the gateway's error shape: %v, code %d", err, told.Error.Code)
			}
		})
	}
}

// The vendors' SDKs read what Envoy itself says: their own exceptions, with the words and
// the type in the place where each looks.
func TestSDKsReadEnvoysOwnErrors(t *testing.T) {
	s := newStage(t)
	only := s.openAI("only")
	s.serve("m/x", only)
	s.config["listener"] = settings{"max_request_body": "64KiB"}
	s.start()
	large := strings.Repeat("x", 128<<10)
	for _, test := range []struct {
		client    *sdk
		scenarios []string
		members   settings
		class     string
		where     []any // in the body, and what stands there
		want      string
	}{
		{startPython(t, "openai"), []string{"chat", "stream"}, settings{"user": large}, "APIStatusError", []any{"metadata", "error_type"}, "payload_too_large"},
		{startNode(t, "openai"), []string{"chat", "stream"}, settings{"user": large}, "APIError", []any{"metadata", "error_type"}, "payload_too_large"},
		{startPython(t, "anthropic"), []string{"whole", "stream"}, settings{"system": large}, "ContentTooLargeError", []any{"error", "type"}, "request_too_large"},
		{startNode(t, "anthropic"), []string{"whole", "stream"}, settings{"system": large}, "ContentTooLargeError", []any{"error", "type"}, "request_too_large"},
		{startPython(t, "google"), []string{"whole", "stream"}, settings{"labels": settings{"x": large}}, "ClientError", []any{"error", "status"}, "INVALID_ARGUMENT"},
	} {
		for _, scenario := range test.scenarios {
			seen := test.client.callWith(t, s, scenario, "m/x", test.members)
			if seen.Error == nil || seen.Error.Status == nil || *seen.Error.Status != 413 || seen.Error.Class != test.class {
				t.Errorf("%s, %s: %+v", test.client.name, scenario, seen.Error)
				continue
			}
			if got := text(seen.Error.Body, test.where...); got != test.want || !strings.Contains(seen.Error.Message, "The request body is too large.") {
				t.Errorf("%s, %s: %q in %v, message %q", test.client.name, scenario, got, seen.Error.Body, seen.Error.Message)
			}
		}
	}
	if only.calls() != 0 {
		t.Errorf("%d requests reached the provider", only.calls())
	}
}

// A body at the limit is served, one byte more is 413, announced or chunked
// (known-failures 46).
func TestRequestBodyLimit(t *testing.T) {
	s := newStage(t)
	only := s.openAI("only")
	s.serve("m/x", only)
	const limit = 1 << 20
	s.config["listener"] = settings{"max_request_body": "1MiB"}
	s.start()
	bare := strings.Replace(question("m/x"), `"hi"`, `""`, 1)
	filled := func(size int) string {
		return strings.Replace(bare, `""`, `"`+strings.Repeat("x", size-len(bare))+`"`, 1)
	}
	if got := s.ask(filled(limit)); got.status != 200 {
		t.Errorf("at the limit: status %d: %.200s", got.status, got.body)
	}
	s.ask(filled(limit+1)).failed(t, http.StatusRequestEntityTooLarge)
	s.ask(filled(3*limit)).failed(t, http.StatusRequestEntityTooLarge)
	t.Run("chunked", func(t *testing.T) {
		for size, want := range map[int]int{limit: 200, limit + 1: 413} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/chat/completions",
				// A reader of no known length is sent in chunks.
				bufio.NewReader(strings.NewReader(filled(size))))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("Authorization", "Bearer "+clientKey)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != want {
				t.Errorf("%d bytes: status %d, want %d", size, response.StatusCode, want)
			}
		}
	})
	if only.calls() != 2 {
		t.Errorf("%d requests reached the provider, want 2", only.calls())
	}
}

// Forty requests in ten seconds, for each key by itself; then 429 with the
// spec's headers, and the provider is left alone.
func TestRateLimit(t *testing.T) {
	s := newStage(t)
	only := s.openAI("only")
	s.serve("m/x", only)
	delete(s.config, "limits")
	const second = "sk-sy-v1-second"
	s.config["keys"] = append(s.config["keys"].([]any), settings{"name": "second", "hash": hash(second)})
	s.start()
	began := time.Now()
	for i := range 40 {
		if got := s.ask(question("m/x")); got.status != 200 {
			t.Fatalf("request %d: status %d: %s", i+1, got.status, got.body)
		}
	}
	if took := time.Since(began); took > 9*time.Second {
		t.Fatalf("40 requests took %v, too long to prove anything", took)
	}
	// The limit is checked before the body is even read.
	for _, body := range []string{question("m/x"), streamed("m/x"), "{"} {
		got := s.ask(body)
		got.failed(t, http.StatusTooManyRequests)
		after, err := strconv.Atoi(got.header.Get("Retry-After"))
		if err != nil || after < 1 || after > 10 {
			t.Errorf("Retry-After %q", got.header.Get("Retry-After"))
		}
		if got.header.Get("X-RateLimit-Limit") != "40" || got.header.Get("X-RateLimit-Remaining") != "0" {
			t.Errorf("limit headers: %v", got.header)
		}
		reset, err := strconv.ParseInt(got.header.Get("X-RateLimit-Reset"), 10, 64)
		if at := time.UnixMilli(reset); err != nil || at.Before(time.Now().Add(-time.Second)) || at.After(time.Now().Add(11*time.Second)) {
			t.Errorf("X-RateLimit-Reset %q", got.header.Get("X-RateLimit-Reset"))
		}
	}
	if got := s.ask(question("m/x"), "Authorization", "Bearer "+second); got.status != 200 {
		t.Errorf("another key: status %d: %s", got.status, got.body)
	}
	if only.calls() != 41 {
		t.Errorf("%d requests reached the provider, want 41", only.calls())
	}
}

// Many at once are counted as exactly as one after the other.
func TestRateLimitUnderConcurrency(t *testing.T) {
	s := newStage(t)
	only := s.openAI("only")
	s.serve("m/x", only)
	s.config["limits"] = settings{"requests": 10, "window": "60s"}
	s.start()
	statuses := make(chan int)
	const clients = 50
	for range clients {
		go func() {
			response, err := s.send(t.Context(), http.MethodPost, "/api/v1/chat/completions", question("m/x"))
			if err != nil {
				statuses <- 0
				return
			}
			response.Body.Close()
			statuses <- response.StatusCode
		}()
	}
	seen := map[int]int{}
	for range clients {
		seen[<-statuses]++
	}
	if seen[200] != 10 || seen[429] != 40 || only.calls() != 10 {
		t.Errorf("statuses %v, %d requests at the provider; want 10 answered and 40 refused", seen, only.calls())
	}
}

// dial opens a plain connection to the gateway.
func (s *stage) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func write(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}
