package provider

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestFailuresHaveTheVendorsShape(t *testing.T) {
	for status, types := range map[int][2]string{
		400: {"invalid_request_error", "invalid_request_error"},
		401: {"invalid_request_error", "authentication_error"},
		403: {"invalid_request_error", "permission_error"},
		404: {"invalid_request_error", "not_found_error"},
		408: {"invalid_request_error", "invalid_request_error"},
		413: {"invalid_request_error", "request_too_large"},
		422: {"invalid_request_error", "invalid_request_error"},
		429: {"requests", "rate_limit_error"},
		500: {"server_error", "api_error"},
		502: {"server_error", "api_error"},
		503: {"server_error", "api_error"},
		504: {"server_error", "timeout_error"},
		529: {"server_error", "overloaded_error"},
	} {
		for i, f := range []*fixture{startOpenAI(t), startAnthropic(t)} {
			f.Enqueue(Failure{Status: status, RetryAfter: "7"})
			response, body, err := f.post(t, f.body)
			if err != nil || response.StatusCode != status || response.Header.Get("Retry-After") != "7" {
				t.Errorf("status %d, Retry-After %q, error %v", response.StatusCode, response.Header.Get("Retry-After"), err)
			}
			if !strings.Contains(body, `"type":"`+types[i]+`"`) {
				t.Errorf("status %d: %s, want type %s", status, body, types[i])
			}
		}
	}
}

func TestHTMLPage(t *testing.T) {
	both(t, func(t *testing.T, f *fixture) {
		f.Enqueue(HTML(http.StatusBadGateway), Stream{End: EndHTML})
		for _, want := range []int{502, 200} {
			response, body, err := f.post(t, f.body)
			if err != nil || response.StatusCode != want || !strings.HasPrefix(body, "<!DOCTYPE html>") {
				t.Errorf("status %d, error %v: %s", response.StatusCode, err, body)
			}
		}
	})
}

// reset reports whether reading ended as a reset connection does.
func reset(err error) bool { return errors.Is(err, syscall.ECONNRESET) }

func TestFaultsAroundTheHeaders(t *testing.T) {
	both(t, func(t *testing.T, f *fixture) {
		f.client.Timeout = 100 * time.Millisecond
		for name, test := range map[string]struct {
			script  Fault
			headers bool
			fails   func(error) bool
		}{
			"hang up":               {HangUp, false, func(err error) bool { return errors.Is(err, io.EOF) }},
			"reset":                 {Reset, false, reset},
			"silence":               {Silence, false, timedOut},
			"reset after headers":   {ResetAfterHeaders, true, reset},
			"silence after headers": {SilenceAfterHeaders, true, timedOut},
		} {
			t.Run(name, func(t *testing.T) {
				f.Enqueue(test.script)
				response, err := f.open(t.Context(), t, streaming(f.body))
				if (err == nil) != test.headers {
					t.Fatalf("headers %v, error %v", response, err)
				}
				if err == nil {
					defer response.Body.Close()
					_, err = io.ReadAll(response.Body)
				}
				if !test.fails(err) {
					t.Errorf("wrong error: %v", err)
				}
			})
		}
	})
}

func timedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

func TestResetOnHTTP2ResetsTheStreamOnly(t *testing.T) {
	authority, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, OpenAI(Config{Key: testKey}), Network{TLS: authority, HTTP2: true})
	f.trust(t, authority, "localhost")
	f.Enqueue(Reset)
	if _, _, err := f.post(t, f.body); err == nil || !strings.Contains(err.Error(), "stream error") {
		t.Errorf("error %v, want a stream error", err)
	}
	if response, _, err := f.post(t, f.body); err != nil || response.ProtoMajor != 2 {
		t.Errorf("the next request: %v, %v", response, err)
	}
}

func TestSlowUpload(t *testing.T) {
	f := startOpenAI(t)
	f.Enqueue(SlowUpload{BytesPerSecond: 1000, Then: Answer{}})
	began := time.Now()
	body := conversation(`{"role":"user","content":"` + strings.Repeat("x", 200) + `"}`)
	if response, answer, err := f.post(t, body); err != nil || response.StatusCode != 200 {
		t.Fatalf("error %v: %s", err, answer)
	}
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("read %d bytes in %v, want at most 1000 bytes a second", len(body), took)
	}
}

func TestEcho(t *testing.T) {
	both(t, func(t *testing.T, f *fixture) {
		f.Default(Echo{})
		for _, content := range []string{`"who am I"`, `[{"type":"text","text":"who am I"}]`} {
			asked := strings.Replace(f.body, `"hi"`, content, 1)
			if _, body, err := f.post(t, asked); err != nil || !strings.Contains(body, `"who am I"`) {
				t.Errorf("asked %s: %v %s", content, err, body)
			}
			if _, body, err := f.post(t, streaming(asked)); err != nil || said(t, reference(body)) != "who am I" {
				t.Errorf("asked %s: %v %s", content, err, body)
			}
		}
	})
}

func TestLate(t *testing.T) {
	f := startOpenAI(t)
	f.Enqueue(Late{After: 50 * time.Millisecond, Then: Failure{Status: 503}})
	began := time.Now()
	response, _, err := f.post(t, f.body)
	if err != nil || response.StatusCode != 503 || time.Since(began) < 50*time.Millisecond {
		t.Errorf("status %d, error %v after %v", response.StatusCode, err, time.Since(began))
	}
}

func TestFloodIsAsLongAsItWasToldToBe(t *testing.T) {
	const size = 3 << 20
	both(t, func(t *testing.T, f *fixture) {
		for _, body := range []string{f.body, streaming(f.body)} {
			f.Enqueue(Flood{Bytes: size})
			response, answer, err := f.post(t, body)
			if err != nil || response.StatusCode != 200 {
				t.Fatal(err)
			}
			if n := strings.Count(answer, "x"); n < size || n > size+1000 {
				t.Errorf("%d bytes of text, want %d", n, size)
			}
			if got := f.Exchanges()[0].Written(); got < size {
				t.Errorf("recorded %d bytes written", got)
			}
		}
	})
}

func TestNoCapacityForATier(t *testing.T) {
	f := startOpenAI(t)
	f.Default(NoCapacity{Tier: "flex", Then: Answer{Text: "served"}})
	for tier, want := range map[string]int{"flex": 429, "default": 200, "priority": 200} {
		response, body, err := f.post(t, chatWith(`"service_tier":"`+tier+`"`))
		if err != nil || response.StatusCode != want {
			t.Errorf("%s: status %d, want %d, error %v: %s", tier, response.StatusCode, want, err, body)
		}
		if want == http.StatusTooManyRequests && !strings.Contains(body, `"code":"resource_unavailable"`) {
			t.Errorf("%s: %s", tier, body)
		}
	}
	f.Default(NoCapacity{Tier: "flex"})
	if response, body, err := f.post(t, f.body); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("without another script: status %d, error %v: %s", response.StatusCode, err, body)
	}
}
