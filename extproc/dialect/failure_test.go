package dialect

import (
	"strings"
	"testing"
)

func TestReadFailure(t *testing.T) {
	for _, test := range []struct {
		name          string
		status        int
		body          string
		message, code string
	}{
		{"OpenAI", 429, `{"error":{"message":"Slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}}`, "Slow down", "rate_limit_exceeded"},
		{"OpenAI without a code", 400, `{"error":{"message":"No","type":"invalid_request_error","code":null}}`, "No", "invalid_request_error"},
		{"Anthropic", 529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, "Overloaded", "overloaded_error"},
		{"row 89: a string", 400, `{"error":"x"}`, "x", ""},
		{"a message alone", 401, `{"message":"Unauthorized"}`, "Unauthorized", ""},
		{"FastAPI", 404, `{"detail":"Not Found"}`, "Not Found", ""},
		{"FastAPI's validation", 422, `{"detail":[{"loc":["body","x"],"msg":"field required","type":"missing"}]}`, "field required", "missing"},
		{"Google's list", 400, `[{"error":{"code":400,"message":"API key not valid","status":"INVALID_ARGUMENT"}}]`, "API key not valid", "INVALID_ARGUMENT"},
		{"a JSON string", 500, `"broken"`, "broken", ""},
		{"plain text", 502, "upstream connect error\n", "upstream connect error", ""},
		{"a page", 502, "\n<!DOCTYPE html><html><body>secret host</body></html>", "The provider answered with status 502 (Bad Gateway) and gave no reason.", ""},
		{"nothing", 503, "", "The provider answered with status 503 (Service Unavailable) and gave no reason.", ""},
		{"a status without a name", 599, "{}", "The provider answered with status 599 and gave no reason.", ""},
		{"binary", 500, "\x00\x01", "The provider answered with status 500 (Internal Server Error) and gave no reason.", ""},
		{"a page inside a message", 500, `{"error":{"message":"<html>"}}`, "The provider answered with status 500 (Internal Server Error) and gave no reason.", ""},
		{"no end to it", 500, strings.Repeat("[", 50) + strings.Repeat("]", 50), "The provider answered with status 500 (Internal Server Error) and gave no reason.", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ReadFailure(test.status, []byte(test.body))
			if want := (ProviderFailure{Status: test.status, Message: test.message, Code: test.code}); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
	long := ReadFailure(400, []byte(`{"error":{"message":"`+strings.Repeat("é", 5000)+`"}}`))
	if len(long.Message) > longestMessage+len("…") {
		t.Errorf("a message of %d bytes", len(long.Message))
	}
}

func FuzzReadFailure(f *testing.F) {
	f.Add([]byte(`{"error":{"message":"x","code":429}}`))
	f.Add([]byte(`[{"detail":[{"msg":1}]}]`))
	f.Add([]byte(`<html>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, failure := range []ProviderFailure{ReadFailure(500, body), *ReadStreamFailure(body)} {
			if failure.Message == "" || strings.HasPrefix(failure.Message, "<") || failure.Status < 400 || failure.Status > 599 {
				t.Errorf("%q became %+v", body, failure)
			}
		}
	})
}

// TestUsageOfACutStream holds that text is billed that a provider sent before it
// counted it.
func TestUsageOfACutStream(t *testing.T) {
	request := &Request{PromptBytes: 400}
	counted := Progress{HasUsage: true, Usage: Usage{Prompt: 90, Completion: 1}, OutputBytes: 200}
	if u := counted.Settled(request).Usage; u.Prompt != 90 || u.Completion != 50 || !u.Estimated {
		t.Errorf("cut after the prompt was counted: %+v", u)
	}
	if u := (Progress{OutputBytes: 201}).Settled(request).Usage; u.Prompt != 100 || u.Completion != 51 || !u.Estimated {
		t.Errorf("cut before anything was counted: %+v", u)
	}
	counted.FinishReason = "stop"
	if u := counted.Settled(request).Usage; u.Completion != 1 || u.Estimated {
		t.Errorf("finished: %+v", u)
	}
}
