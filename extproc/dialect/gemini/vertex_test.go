package gemini

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
)

const vertexBase = "/v1/projects/p/locations/global/publishers/google"

func TestVertexRequest(t *testing.T) {
	vertex := func(model string) dialect.Target { return dialect.Target{Model: model, Base: vertexBase} }
	priority := vertex("gemini-3-flash-preview")
	priority.ServiceTier = "priority"
	const loop = f + `,"messages":[{"role":"user","content":"hi"},{"role":"assistant","tool_calls":[
		{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},
		{"role":"tool","tool_call_id":"b","content":"B"},{"role":"tool","tool_call_id":"a","content":"A"}]`
	for _, test := range []struct {
		name, body string
		target     dialect.Target
		want       string
		dropped    []string
	}{
		// Discovery revision 20260921 of aiplatform has the ids; older models refuse them.
		{name: "ids of calls", target: vertex("gemini-3.5-flash"), body: `{` + loop + `}`,
			want: `{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"id":"b","name":"f","args":{}}}]},` +
				`{"role":"user","parts":[{"functionResponse":{"id":"b","name":"f","response":{"output":"B"}}},{"functionResponse":{"id":"a","name":"f","response":{"output":"A"}}}]}],` + fOut + `}`},
		{name: "no ids, and results in the order of their calls", target: vertex("gemini-2.5-flash"), body: `{` + loop + `}`,
			want: `{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"f","args":{}}}]},` +
				`{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"A"}}},{"functionResponse":{"name":"f","response":{"output":"B"}}}]}],` + fOut + `}`},
		{name: "a tier is in a header", target: priority, body: `{` + hi + `}`, want: `{` + hiOut + `}`},
		{name: "labels", target: vertex(""), body: `{"labels":{"team":"a"},` + hi + `}`, want: `{` + hiOut + `,"labels":{"team":"a"}}`},
		{name: "labels that are none", target: vertex(""), body: `{"labels":{"team":7},` + hi + `}`, want: `{` + hiOut + `}`, dropped: []string{"labels"}},
		{name: "no labels for AI Studio", body: `{"labels":{"team":"a"},` + hi + `}`, want: `{` + hiOut + `}`, dropped: []string{"labels"}},
		{name: "files of the cloud", target: vertex(""), body: `{"messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"gs://b/a.pdf"}},{"type":"image_url","image_url":{"url":"gs://b/c.png"}}]}]}`,
			want: `{"contents":[{"role":"user","parts":[{"fileData":{"mimeType":"application/pdf","fileUri":"gs://b/a.pdf"}},{"fileData":{"mimeType":"image/png","fileUri":"gs://b/c.png"}}]}]}`},
		{name: "a film", target: vertex(""), body: `{"messages":[{"role":"user","content":[{"type":"video_url","video_url":{"url":"https://youtu.be/abc"}}]}]}`,
			want: `{"contents":[{"role":"user","parts":[{"fileData":{"mimeType":"video/mp4","fileUri":"https://youtu.be/abc"}}]}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			made, err := write(t, test.body, test.target)
			if err != nil {
				t.Fatal(err)
			}
			if string(made.Body) != test.want {
				t.Errorf("%s\nwant %s", made.Body, test.want)
			}
			if diff := cmp.Diff(test.dropped, made.Dropped); diff != "" {
				t.Error(diff)
			}
			tier := ""
			for _, h := range made.Headers {
				if h.Name == vertexTier {
					tier = h.Value
				}
			}
			if tier != test.target.ServiceTier {
				t.Errorf("tier %q, want %q", tier, test.target.ServiceTier)
			}
		})
	}
}

// A client of this dialect may say what AI Studio takes and Vertex AI refuses.
func TestVertexRequestOfTheSameDialect(t *testing.T) {
	const loop = `{"contents":[ {"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"c2ln"},{"functionCall":{"id":"b","name":"f","args":{}},"thoughtSignature":"c2ln"}]},` +
		`{"role":"user","parts":[{"functionResponse":{"id":"b","name":"f","response":{"output":"B"}}},{"function_response":{"id":"a","name":"f","response":{"output":"A"}}}]}],"labels":{"team":"a"},"serviceTier":"priority"}`
	for _, test := range []struct {
		name   string
		target dialect.Target
		want   string
		tier   string
	}{
		{
			"before the third generation", dialect.Target{Model: "gemini-2.5-flash", Base: vertexBase, Strict: true, ServiceTier: "priority"},
			`{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}},"thoughtSignature":"c2ln"},{"functionCall":{"name":"f","args":{}},"thoughtSignature":"c2ln"}]},` +
				`{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"A"}}},{"functionResponse":{"name":"f","response":{"output":"B"}}}]}],"labels":{"team":"a"}}`, "priority",
		},
		{
			"the third generation", dialect.Target{Model: "gemini-3-flash-preview", Base: vertexBase, Strict: true, ServiceTier: "priority"},
			strings.Replace(loop, `,"serviceTier":"priority"`, "", 1), "priority",
		},
		{
			"AI Studio", dialect.Target{Model: "gemini-2.5-flash", Base: "/v1beta", Strict: true, ServiceTier: "priority"},
			strings.Replace(loop, `,"labels":{"team":"a"}`, "", 1), "",
		},
	} {
		request, err := Client{model: "m/x"}.Parse([]byte(loop))
		if err != nil {
			t.Fatal(err)
		}
		made, err := Provider{}.Request(request, test.target)
		if err != nil {
			t.Fatal(err)
		}
		if string(made.Body) != test.want {
			t.Errorf("%s: %s\nwant %s", test.name, made.Body, test.want)
		}
		if last := made.Headers[len(made.Headers)-1]; test.tier != "" && (last.Name != vertexTier || last.Value != test.tier) {
			t.Errorf("%s: headers %v", test.name, made.Headers)
		}
		if !bytes.Equal(request.Raw, []byte(loop)) {
			t.Error("the client's body was written to")
		}
	}
}

func TestVertexRefuses(t *testing.T) {
	for part, want := range map[string]string{
		`{"type":"file","file":{"file_id":"https://generativelanguage.googleapis.com/v1beta/files/abc"}}`: "'messages.0'",
		`{"type":"file","file":{"file_id":"file-abc"}}`:                                                   "gs or https",
		`{"type":"image_url","image_url":{"url":"gs://b/picture"}}`:                                       "such as .png",
	} {
		_, err := write(t, `{"messages":[{"role":"user","content":[`+part+`]}]}`, dialect.Target{Base: vertexBase})
		var refused *dialect.Error
		if !errors.As(err, &refused) || refused.Status != 400 || !strings.Contains(refused.Message, want) {
			t.Errorf("%s: %v", part, err)
		}
	}
}

func TestVertexIsToldByTheBase(t *testing.T) {
	for base, want := range map[string]bool{
		vertexBase: true, "/v1/publishers/google": true, "/v1beta1/projects/p/locations/us-central1": true,
		"/v1beta": false, "": false,
	} {
		if isVertex(base) != want {
			t.Errorf("%s: %v", base, !want)
		}
	}
}

func TestVertexTrafficIsTheTierThatServed(t *testing.T) {
	for traffic, want := range map[string]string{
		"ON_DEMAND": "default", "ON_DEMAND_FLEX": "flex", "ON_DEMAND_PRIORITY": "priority", "PROVISIONED_THROUGHPUT": "", "TRAFFIC_TYPE_UNSPECIFIED": "",
	} {
		events, err := Provider{}.Decoder().Whole([]byte(`{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"trafficType":"` + traffic + `"}}`))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, event := range events {
			if event.Kind == dialect.EventTier {
				got = event.Text
			}
		}
		if got != want {
			t.Errorf("%s: tier %q, want %q", traffic, got, want)
		}
	}
}
