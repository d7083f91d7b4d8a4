package vertex

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/sse"
)

var target = dialect.Target{Model: "claude-sonnet-4-5@20250929", Base: "/v1/projects/p/locations/global/publishers/anthropic", ServiceTier: "priority"}

func write(t testing.TB, client dialect.Client, body string) (dialect.Upstream, error) {
	t.Helper()
	request, err := client.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return NewAnthropic().Request(request, target)
}

func TestRequest(t *testing.T) {
	for _, test := range []struct {
		name, body string
		client     dialect.Client
		path, want string
		dropped    []string
	}{
		{"of a chat", `{"model":"m/x","messages":[{"role":"user","content":"hi"}]}`, openai.Client{}, ":rawPredict",
			`{"anthropic_version":"vertex-2023-10-16","max_tokens":4096,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}`, nil},
		{"of a chat, streamed", `{"stream":true,"service_tier":"auto","messages":[{"role":"user","content":"hi"}]}`, openai.Client{}, ":streamRawPredict",
			`{"anthropic_version":"vertex-2023-10-16","max_tokens":4096,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}],"stream":true}`, []string{"service_tier"}},
		{"of its own dialect", `{ "max_tokens":9, "model":"m/x","unknown":[1, 2],"messages":[ {"role":"user","content":"hi"}] }`, anthropic.Client{}, ":rawPredict",
			`{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"unknown":[1, 2],"messages":[ {"role":"user","content":"hi"}]}`, nil},
		{"of its own dialect, streamed", `{"model":"m/x","anthropic_version":"of old","max_tokens":9,"stream":true,"service_tier":"auto","messages":[{"role":"user","content":"hi"}]}`, anthropic.Client{}, ":streamRawPredict",
			`{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}`, []string{"service_tier"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			made, err := write(t, test.client, test.body)
			if err != nil {
				t.Fatal(err)
			}
			if want := "/models/claude-sonnet-4-5@20250929" + test.path; made.Path != want || string(made.Body) != test.want {
				t.Errorf("%s %s\nwant %s %s", made.Path, made.Body, want, test.want)
			}
			if diff := cmp.Diff(test.dropped, made.Dropped); diff != "" {
				t.Error(diff)
			}
			for _, h := range made.Headers {
				if strings.HasPrefix(h.Name, "anthropic-") {
					t.Errorf("header %s: %s", h.Name, h.Value)
				}
			}
		})
	}
}

func TestNameOfAModelStaysInItsSegment(t *testing.T) {
	request, _ := anthropic.Client{}.Parse([]byte(`{"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`))
	made, err := NewAnthropic().Request(request, dialect.Target{Model: "a/b?c;d"})
	if err != nil || made.Path != "/models/a%2Fb%3Fc%3Bd:rawPredict" {
		t.Errorf("%s, %v", made.Path, err)
	}
}

// What the client wanted to be told apart from its bytes: contexts are managed where
// the API is told so.
func TestContextManagementIsAnnounced(t *testing.T) {
	made, err := write(t, anthropic.Client{}, `{"max_tokens":9,"context_management":{"edits":[]},"messages":[{"role":"user","content":"hi"}]}`)
	if err != nil || made.Headers[len(made.Headers)-1].Name != "anthropic-beta" {
		t.Errorf("%v, %v", made.Headers, err)
	}
}

// Vertex answers "messages.0.content.1.image.source.base64.data: URL sources are not
// supported", whatever the client sent.
func TestMediaByAddressIsRefused(t *testing.T) {
	chat := func(part string) string {
		return `{"messages":[{"role":"user","content":[{"type":"text","text":"?"},` + part + `]}]}`
	}
	messages := func(blocks string) string {
		return `{"max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"?"},{"role":"user","content":[` + blocks + `]}]}`
	}
	const inline = `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}}`
	for _, test := range []struct {
		client     dialect.Client
		body, want string
	}{
		{openai.Client{}, chat(`{"type":"image_url","image_url":{"url":"https://a.example/b.png"}}`), "'image_url.url'"},
		{openai.Client{}, chat(`{"type":"file","file":{"file_id":"file-1"}}`), "'file.file_data'"},
		{openai.Client{}, chat(`{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}}`), ""},
		{anthropic.Client{}, messages(inline), ""},
		{anthropic.Client{}, messages(inline + `,{"type":"image","source":{"type":"url","url":"https://a.example/b.png"}}`), "'messages.2.content.1.source'"},
		{anthropic.Client{}, messages(`{"type":"document","source":{"type":"file","file_id":"f"}}`), "'messages.2.content.0.source'"},
		{anthropic.Client{}, messages(`{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"x"},{"type":"image","source":{"type":"url","url":"https://a.example/b.png"}}]}`),
			"'messages.2.content.0.content.1.source'"},
		{anthropic.Client{}, messages(`{"type":"document","source":{"type":"text","media_type":"text/plain","data":"url"}}`), ""},
	} {
		_, err := write(t, test.client, test.body)
		var refused *dialect.Error
		if test.want == "" && err != nil || test.want != "" && (!errors.As(err, &refused) || refused.Status != 400 || !strings.Contains(refused.Message, test.want) || !strings.Contains(refused.Message, "base64")) {
			t.Errorf("%s: %v; want %q", test.body, err, test.want)
		}
	}
}

func TestFailure(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		want   dialect.ProviderFailure
	}{
		{400, `{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: too large"},"request_id":"req_vrtx_1"}`,
			dialect.ProviderFailure{Status: 400, Message: "max_tokens: too large", Code: "invalid_request_error"}},
		{429, `[{"error":{"code":429,"message":"Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model","status":"RESOURCE_EXHAUSTED"}}]`,
			dialect.ProviderFailure{Status: 429, Message: "Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model", Code: "RESOURCE_EXHAUSTED"}},
		// Not the client's fault: another provider serves the same request.
		{400, `{"error":{"code":400,"message":"claude is not servable in region us-central1.","status":"FAILED_PRECONDITION"}}`,
			dialect.ProviderFailure{Status: 403, Message: "claude is not servable in region us-central1.", Code: "FAILED_PRECONDITION"}},
		{404, `{"error":{"code":404,"message":"Publisher Model was not found.","status":"NOT_FOUND"}}`,
			dialect.ProviderFailure{Status: 404, Message: "Publisher Model was not found.", Code: "NOT_FOUND"}},
	} {
		if diff := cmp.Diff(test.want, NewAnthropic().Failure(test.status, []byte(test.body))); diff != "" {
			t.Errorf("%s:\n%s", test.body, diff)
		}
	}
}

// A client of the Messages API gets the provider's own events.
func TestPassthrough(t *testing.T) {
	request := &dialect.Request{Dialect: "anthropic", Stream: true}
	pipe := dialect.NewPipe(anthropic.Client{}, NewAnthropic(), request, dialect.Meta{ID: "gen-1-a", Model: "m/x"})
	var out []byte
	for _, data := range []string{
		`{"type":"message_start","message":{"id":"msg_vrtx_1","type":"message","role":"assistant","model":"claude","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}`,
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"},"new_field":1}`,
	} {
		var err error
		if out, err = pipe.Event(out, sse.Event{Data: []byte(data)}); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(string(out), `"new_field":1`) || !strings.Contains(string(out), `"id":"gen-1-a"`) {
		t.Errorf("%s", out)
	}
}
