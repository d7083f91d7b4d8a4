package bedrock

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
)

const (
	sonnet = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

	hi    = `"messages":[{"role":"user","content":"hi"}]`
	hiOut = `"messages":[{"role":"user","content":[{"text":"hi"}]}]`
	f     = `"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}]`
	fOut  = `"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object"}}}}]`
)

func write(t testing.TB, provider dialect.Provider, client dialect.Client, body string, target dialect.Target) (dialect.Upstream, error) {
	t.Helper()
	request, err := client.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if target.Model == "" {
		target.Model = sonnet
	}
	return provider.Request(request, target)
}

func TestRequest(t *testing.T) {
	model := func(name string) dialect.Target { return dialect.Target{Model: name} }
	for _, test := range []struct {
		name, body string
		target     dialect.Target
		want       string
		dropped    []string
	}{
		{name: "the least", body: `{` + hi + `}`, want: `{` + hiOut + `}`},
		{name: "sampling", body: `{"max_tokens":9,"temperature":1.5,"top_k":40,"stop":["a"," b"],"seed":7,"n":2,"user":"bob",` + hi + `}`,
			want:    `{` + hiOut + `,"inferenceConfig":{"maxTokens":9,"temperature":1,"stopSequences":["a"," b"]},"additionalModelRequestFields":{"top_k":40}}`,
			dropped: []string{"n", "seed", "temperature", "user"}},
		{name: "one of two for Claude", body: `{"temperature":0.5,"top_p":0.9,` + hi + `}`, want: `{` + hiOut + `,"inferenceConfig":{"temperature":0.5}}`, dropped: []string{"top_p"}},
		{name: "both for others, top_k in Nova's words", target: model("amazon.nova-pro-v1:0"), body: `{"temperature":0.5,"top_p":0.9,"top_k":40,` + hi + `}`,
			want: `{` + hiOut + `,"inferenceConfig":{"temperature":0.5,"topP":0.9},"additionalModelRequestFields":{"inferenceConfig":{"topK":40}}}`},
		{name: "what the model has no word for", target: model("meta.llama3-3-70b-instruct-v1:0"), body: `{"top_k":40,"reasoning":{"effort":"low"},` + hi + `}`,
			want: `{` + hiOut + `}`, dropped: []string{"reasoning", "top_k"}},
		{name: "row 18: what the endpoint lacks", target: dialect.Target{Supported: []string{"max_tokens"}}, body: `{"max_tokens":9,"temperature":1,"reasoning":{"effort":"low"},"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}},` + f + `,` + hi + `}`,
			want: `{` + hiOut + `,"inferenceConfig":{"maxTokens":9}}`, dropped: []string{"reasoning", "response_format", "temperature", "tools"}},
		{name: "guardrails and latency, for those who know", body: `{"guardrailConfig":{"guardrailIdentifier":"g"},"performanceConfig":{"latency":"optimized"},"foo":1,` + hi + `}`,
			want: `{` + hiOut + `,"guardrailConfig":{"guardrailIdentifier":"g"},"performanceConfig":{"latency":"optimized"}}`, dropped: []string{"foo"}},
		{name: "row 132: the target's tier", target: dialect.Target{ServiceTier: "flex"}, body: `{"service_tier":"flex",` + hi + `}`, want: `{` + hiOut + `,"serviceTier":{"type":"flex"}}`},
		{name: "row 132: a tier that this endpoint does not serve", body: `{"service_tier":"priority",` + hi + `}`, want: `{` + hiOut + `}`, dropped: []string{"service_tier"}},

		{name: "row 95: effort becomes a budget", body: `{"max_tokens":10000,"temperature":0,"top_k":3,"reasoning":{"effort":"high"},` + hi + `}`,
			want:    `{` + hiOut + `,"inferenceConfig":{"maxTokens":10000},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":8000}}}`,
			dropped: []string{"temperature", "top_k"}},
		{name: "a budget needs a bound", body: `{"reasoning":{"max_tokens":2000},` + hi + `}`,
			want: `{` + hiOut + `,"inferenceConfig":{"maxTokens":6096},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2000}}}`},
		{name: "a model that finds its budget itself", target: dialect.Target{Refused: []string{"thinking.budget_tokens"}}, body: `{"reasoning":{"effort":"max"},` + hi + `}`,
			want: `{` + hiOut + `,"outputConfig":{"effort":"max"},"additionalModelRequestFields":{"thinking":{"type":"adaptive"}}}`},
		{name: "no room for thoughts", body: `{"max_tokens":100,"reasoning":{"effort":"high"},` + hi + `}`, want: `{` + hiOut + `,"inferenceConfig":{"maxTokens":100}}`, dropped: []string{"reasoning"}},
		{name: "no thoughts with a forced tool", body: `{"reasoning":{"effort":"high"},"tool_choice":"required",` + f + `,` + hi + `}`,
			want: `{` + hiOut + `,"toolConfig":{` + fOut + `,"toolChoice":{"any":{}}}}`, dropped: []string{"reasoning"}},
		{name: "gpt-oss", target: model("openai.gpt-oss-120b-1:0"), body: `{"reasoning":{"effort":"xhigh"},` + hi + `}`, want: `{` + hiOut + `,"additionalModelRequestFields":{"reasoning_effort":"high"}}`},
		{name: "Nova 2", target: model("us.amazon.nova-2-lite-v1:0"), body: `{"max_tokens":9,"reasoning":{"effort":"high"},` + hi + `}`,
			want: `{` + hiOut + `,"inferenceConfig":{"maxTokens":9},"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"medium"}}}`},

		{name: "a chosen tool", body: `{"tool_choice":{"type":"function","function":{"name":"f"}},` + f + `,` + hi + `}`,
			want: `{` + hiOut + `,"toolConfig":{` + fOut + `,"toolChoice":{"tool":{"name":"f"}}}}`},
		{name: "a strict tool", target: dialect.Target{Supported: []string{"structured_outputs", "tools"}}, body: `{"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object","properties":{"a":{"type":"object"}}}}}],` + hi + `}`,
			want: `{` + hiOut + `,"toolConfig":{"tools":[{"toolSpec":{"name":"f","strict":true,"inputSchema":{"json":{"type":"object","properties":{"a":{"type":"object","additionalProperties":false}},"additionalProperties":false}}}}]}}`},
		{name: "a strict tool, for a model of which nobody knows", body: `{"tools":[{"type":"function","function":{"name":"f","description":"d","strict":true,"parameters":{"type":"object"}}},{"type":"function","function":{"name":"g","strict":false}}],` + hi + `}`,
			want: `{` + hiOut + `,"toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object"}}}},{"toolSpec":{"name":"g","inputSchema":{"json":{"type":"object"}}}}]}}`, dropped: []string{"tools.strict"}},
		{name: "no tool is to be called", body: `{"tool_choice":"none",` + f + `,` + hi + `}`, want: `{` + hiOut + `}`},
		{name: "one at a time, for Claude", body: `{"parallel_tool_calls":false,` + f + `,` + hi + `}`,
			want: `{` + hiOut + `,"toolConfig":{` + fOut + `},"additionalModelRequestFields":{"tool_choice":{"type":"auto","disable_parallel_tool_use":true}}}`},
		{name: "one at a time, for others", target: model("amazon.nova-pro-v1:0"), body: `{"parallel_tool_calls":false,` + f + `,` + hi + `}`,
			want: `{` + hiOut + `,"toolConfig":{` + fOut + `}}`, dropped: []string{"parallel_tool_calls"}},
		{name: "known-failures 34: a history of tools, which are gone", body: `{"messages":[{"role":"user","content":"hi"},
				{"role":"assistant","content":null,"tool_calls":[{"id":"a.1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","type":"function","function":{"name":"g","arguments":"nonsense"}}]},
				{"role":"user","content":"so?"},{"role":"tool","tool_call_id":"b","content":"B"},{"role":"tool","tool_call_id":"a.1","content":""}]}`,
			want: `{"messages":[{"role":"user","content":[{"text":"hi"}]},
				{"role":"assistant","content":[{"toolUse":{"toolUseId":"` + dialect.PlainID("a.1", 64) + `","name":"f","input":{"x":1}}},{"toolUse":{"toolUseId":"b","name":"g","input":{}}}]},
				{"role":"user","content":[{"toolResult":{"toolUseId":"b","content":[{"text":"B"}]}},{"toolResult":{"toolUseId":"` + dialect.PlainID("a.1", 64) + `","content":[{"text":"(no output)"}]}},{"text":"so?"}]}],
				"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}},{"toolSpec":{"name":"g","inputSchema":{"json":{"type":"object"}}}}]}}`},

		{name: "row 120: a schema", body: `{"response_format":{"type":"json_schema","json_schema":{"name":"n","description":"d","schema":{"type":"object","properties":{"a":{"type":"object"}}}}},` + hi + `}`,
			want: `{` + hiOut + `,"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"name":"n","description":"d",
				"schema":"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"object\",\"additionalProperties\":false}},\"additionalProperties\":false}"}}}}}`},
		{name: "JSON of any form", target: model("us.anthropic.claude-sonnet-4-5-20250929-v1:0"), body: `{"response_format":{"type":"json_object"},` + hi + `}`,
			want: `{` + hiOut + `,"system":[{"text":"` + dialect.JSONInstruction + `"}]}`, dropped: []string{"response_format"}},
		{name: "JSON of models that may take no system", target: model("amazon.titan-text-express-v1"), body: `{"response_format":{"type":"json_object"},` + hi + `}`, want: `{` + hiOut + `}`, dropped: []string{"response_format"}},

		{name: "cache points", body: `{"messages":[{"role":"system","content":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}]},
				{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}},{"type":"text","text":"ho"}]}]}`,
			want: `{"system":[{"text":"s"},{"cachePoint":{"type":"default","ttl":"1h"}}],"messages":[{"role":"user","content":[{"text":"hi"},{"cachePoint":{"type":"default"}},{"text":"ho"}]}]}`},
		{name: "an hour, for a model that knows five minutes", target: model("us.anthropic.claude-sonnet-4-20250514-v1:0"), body: `{"messages":[{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral","ttl":"1h"}}]}]}`,
			want: `{"messages":[{"role":"user","content":[{"text":"hi"},{"cachePoint":{"type":"default"}}]}]}`, dropped: []string{"cache_control.ttl"}},
		{name: "an hour, for Nova", target: model("amazon.nova-pro-v1:0"), body: `{"messages":[{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral","ttl":"1h"}}]}]}`,
			want: `{"messages":[{"role":"user","content":[{"text":"hi"},{"cachePoint":{"type":"default"}}]}]}`, dropped: []string{"cache_control.ttl"}},
		{name: "cache points that the model refuses", target: model("meta.llama3-3-70b-instruct-v1:0"), body: `{"messages":[{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]}]}`,
			want: `{` + hiOut + `}`, dropped: []string{"cache_control"}},

		{name: "images and a film", target: model("us.amazon.nova-2-omni-v1:0"), body: `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/jpg;base64,AAAA"}},{"type":"video_url","video_url":{"url":"data:video/mp4;base64,AAAA"}}]}]}`,
			want: `{"messages":[{"role":"user","content":[{"image":{"format":"jpeg","source":{"bytes":"AAAA"}}},{"video":{"format":"mp4","source":{"bytes":"AAAA"}}}]}]}`},
		{name: "sound", target: model("us.amazon.nova-2-omni-v1:0"), body: `{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}]}`,
			want: `{"messages":[{"role":"user","content":[{"audio":{"format":"wav","source":{"bytes":"AAAA"}}}]}]}`},
		{name: "documents get names that are allowed, and some text", body: `{"messages":[{"role":"user","content":[
				{"type":"file","file":{"filename":"John's  report_v1.pdf","file_data":"data:application/pdf;base64,AAAA"}},
				{"type":"file","file":{"filename":"分.pdf","file_data":"data:application/pdf;base64,AAAA"}},
				{"type":"file","file":{"filename":"Document.md","file_data":"data:text/x-unknown;base64,AAAA"}}]}]}`,
			want: `{"messages":[{"role":"user","content":[{"document":{"format":"pdf","name":"John s report v1","source":{"bytes":"AAAA"}}},
				{"document":{"format":"pdf","name":"document","source":{"bytes":"AAAA"}}},{"document":{"format":"md","name":"Document 2","source":{"bytes":"AAAA"}}},{"text":"."}]}]}`},
		{name: "the assistant begins, and goes on", body: `{"messages":[{"role":"assistant","content":"a"},{"role":"user","name":"Bob","content":"b"},{"role":"assistant","content":"c \n"}]}`,
			want: `{"messages":[{"role":"user","content":[{"text":"."}]},{"role":"assistant","content":[{"text":"a"}]},{"role":"user","content":[{"text":"Bob: b"}]},{"role":"assistant","content":[{"text":"c"}]}]}`},
		{name: "instructions with an image, which cannot be", body: `{"messages":[{"role":"system","content":[{"type":"text","text":"s"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},{"role":"user","content":"hi"}]}`,
			want: `{"system":[{"text":"s"}],` + hiOut + `}`, dropped: []string{"messages.0.image_url.url"}},
		{name: "instructions alone", body: `{"messages":[{"role":"system","content":"hi"}]}`, want: `{` + hiOut + `}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := write(t, Provider{}, openai.Client{}, test.body, test.target)
			if err != nil {
				t.Fatal(err)
			}
			same(t, got.Body, test.want)
			if diff := cmp.Diff(test.dropped, got.Dropped); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
		})
	}
}

// same compares two texts of JSON.
func same(t *testing.T, got []byte, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%v in %s", err, want)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, got)
	}
}

func TestPaths(t *testing.T) {
	for model, want := range map[string]string{
		"amazon.nova-pro-v1:0": "/model/amazon.nova-pro-v1%3A0/",
		"arn:aws:bedrock:us-east-1:1:application-inference-profile/a1": "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aapplication-inference-profile%2Fa1/",
	} {
		for _, test := range []struct {
			provider          dialect.Provider
			operation, stream string
		}{{Provider{}, "converse", "converse-stream"}, {Claude{}, "invoke", "invoke-with-response-stream"}} {
			for body, operation := range map[string]string{`{` + hi + `}`: test.operation, `{"stream":true,` + hi + `}`: test.stream} {
				if got, err := write(t, test.provider, openai.Client{}, body, dialect.Target{Model: model}); err != nil || got.Path != want+operation {
					t.Errorf("%s, error %v", got.Path, err)
				}
			}
		}
	}
}

// What the API has no place for is refused in words that name the field.
func TestRefusedContent(t *testing.T) {
	for name, test := range map[string]struct{ part, want string }{
		"a remote image":       {`{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}`, "'messages.1': this model's provider fetches no URL; send image_url.url as a data URL with base64."},
		"a film in a bucket":   {`{"type":"video_url","video_url":{"url":"s3://bucket/a.mp4"}}`, "'messages.1': this model's provider fetches no URL; send video_url.url as"},
		"a remote document":    {`{"type":"file","file":{"file_data":"https://example.com/a.pdf"}}`, "'messages.1': this model's provider fetches no URL; send file.file_data as"},
		"an uploaded file":     {`{"type":"file","file":{"file_id":"file-1"}}`, "'messages.1': this model's provider keeps no files"},
		"an unknown image":     {`{"type":"image_url","image_url":{"url":"data:image/tiff;base64,AAAA"}}`, `does not take image_url.url of type "image/tiff"`},
		"an unknown binary":    {`{"type":"file","file":{"filename":"a.bin","file_data":"data:application/octet-stream;base64,AAAA"}}`, `does not take file.file_data of type "application/octet-stream"`},
		"an unknown container": {`{"type":"video_url","video_url":{"url":"data:video/x-nothing;base64,AAAA"}}`, "does not take video_url.url"},
	} {
		_, err := write(t, Provider{}, openai.Client{}, `{"messages":[{"role":"system","content":"s"},{"role":"user","content":[`+test.part+`]}]}`, dialect.Target{Model: "us.amazon.nova-pro-v1:0"})
		var told *dialect.Error
		if !errors.As(err, &told) || told.Status != 400 || !strings.Contains(told.Message, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Each family takes what its models can read.
func TestMediaOfFamilies(t *testing.T) {
	const sound, film = `{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}`, `{"type":"video_url","video_url":{"url":"data:video/mp4;base64,AAAA"}}`
	for _, test := range []struct {
		model, part string
		want        string // in the refusal; "" for none
	}{
		{"us.anthropic.claude-sonnet-4-5-20250929-v1:0", sound, "'messages.0': this model takes no audio input."},
		{"us.anthropic.claude-sonnet-4-5-20250929-v1:0", film, "'messages.0': this model takes no video input."},
		{"us.amazon.nova-pro-v1:0", sound, "'messages.0': this model takes no audio input."},
		{"us.amazon.nova-pro-v1:0", film, ""},
		{"us.amazon.nova-2-omni-v1:0", sound, ""},
		{"arn:aws:bedrock:us-east-1:1:application-inference-profile/x", sound, ""},
	} {
		_, err := write(t, Provider{}, openai.Client{}, `{"messages":[{"role":"user","content":[`+test.part+`]}]}`, dialect.Target{Model: test.model})
		var told *dialect.Error
		if refused := errors.As(err, &told); refused != (test.want != "") || refused && (told.Status != 400 || told.Message != test.want) {
			t.Errorf("%s, %s: %v", test.model, test.part, err)
		}
	}
}

func TestClaudeRequest(t *testing.T) {
	for _, test := range []struct {
		name    string
		client  dialect.Client
		body    string
		target  dialect.Target
		want    string
		dropped []string
		tier    string
	}{
		{name: "of the same dialect, as it is", client: anthropic.Client{}, body: `{"model":"m/x","max_tokens":9,"stream":true,"messages":[{"content":"hi","role":"user"}],"top_k":3}`,
			want: `{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"content":"hi","role":"user"}],"top_k":3}`},
		{name: "beta features", client: anthropic.Client{}, body: `{"max_tokens":9,"context_management":{"edits":[]},"messages":[{"role":"user","content":"hi"}]}`,
			want: `{"anthropic_beta":["context-management-2025-06-27"],"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"context_management":{"edits":[]},"messages":[{"role":"user","content":"hi"}]}`},
		{name: "an hour, for a model that knows five minutes", client: anthropic.Client{}, target: dialect.Target{Model: "anthropic.claude-3-7-sonnet-20250219-v1:0"},
			body: `{"max_tokens":9,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}],"tools":[{"name":"f","input_schema":{"type":"object","properties":{"cache_control":{"ttl":"1h"}}},"cache_control":{"ttl":"1h","type":"ephemeral"}}],` +
				`"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{"cache_control":{"ttl":"1h"}}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"5m"}}]}]}]}`,
			want: `{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"tools":[{"name":"f","input_schema":{"type":"object","properties":{"cache_control":{"ttl":"1h"}}},"cache_control":{"type":"ephemeral"}}],` +
				`"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{"cache_control":{"ttl":"1h"}}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}]}]}`,
			dropped: []string{"cache_control.ttl"}},
		{name: "an hour", client: anthropic.Client{}, body: `{"max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"1h"}}]}]}`,
			want: `{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"1h"}}]}]}`},
		{name: "what Anthropic's own API alone has", client: anthropic.Client{}, body: `{"max_tokens":9,"cache_control":{"type":"ephemeral"},"service_tier":"auto","inference_geo":"us","messages":[{"role":"user","content":"hi"}]}`,
			want: `{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`, dropped: []string{"cache_control", "inference_geo", "service_tier"}},
		{name: "row 132: the tier is a header", client: openai.Client{}, target: dialect.Target{ServiceTier: "flex"}, body: `{"max_tokens":9,` + hi + `}`,
			want: `{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,` + hi2 + `}`, tier: "flex"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := write(t, Claude{}, test.client, test.body, test.target)
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Body) != test.want {
				t.Errorf("got %s\nwant %s", got.Body, test.want)
			}
			if diff := cmp.Diff(test.dropped, got.Dropped); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
			tier := ""
			for _, h := range got.Headers {
				if h.Name == "x-amzn-bedrock-service-tier" {
					tier = h.Value
				}
			}
			if tier != test.tier {
				t.Errorf("tier %q", tier)
			}
		})
	}
}

const hi2 = `"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]`

func TestClaudeRefusesRemoteContent(t *testing.T) {
	for _, content := range []string{
		`{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}`,
		`{"type":"document","source":{"type":"file","file_id":"file_1"}}`,
		`{"type":"tool_result","tool_use_id":"a","content":[{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}]}`,
		`{"type":"document","source":{"type":"content","content":[{"type":"text","text":"a"},{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}]}}`,
		`{"type":"tool_result","tool_use_id":"a","content":[{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"file","file_id":"f"}}]}}]}`,
	} {
		_, err := write(t, Claude{}, anthropic.Client{}, `{"max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"x"},`+content+`]}]}`, dialect.Target{})
		var told *dialect.Error
		if !errors.As(err, &told) || told.Status != 400 || !strings.Contains(told.Message, "'messages.0.content.1.") {
			t.Errorf("%s: %v", content, err)
		}
	}
}

// What separates betas may stand at their end, too.
func TestBetasAreAList(t *testing.T) {
	for header, want := range map[string]string{
		"compact-2026-01-12, effort-2025-11-24,": `"anthropic_beta":["compact-2026-01-12","effort-2025-11-24"],`,
		" compact-2026-01-12\teffort-2025-11-24": `"anthropic_beta":["compact-2026-01-12","effort-2025-11-24"],`, " ,": "",
	} {
		client, err := anthropic.Client{}.ReadHead(dialect.Head{Header: func(name string) string { return map[string]string{"anthropic-beta": header}[name] }})
		if err != nil {
			t.Fatal(err)
		}
		got, err := write(t, Claude{}, client, `{"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`, dialect.Target{})
		if want := `{` + want + `"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`; err != nil || string(got.Body) != want {
			t.Errorf("%q: %s, error %v", header, got.Body, err)
		}
	}
}

func TestWhichClaudeCachesForAnHour(t *testing.T) {
	for model, want := range map[string]bool{
		"anthropic.claude-v2:1":                        false,
		"anthropic.claude-instant-v1":                  false,
		"anthropic.claude-3-5-sonnet-20241022-v2:0":    false,
		"us.anthropic.claude-3-7-sonnet-20250219-v1:0": false,
		"us.anthropic.claude-sonnet-4-20250514-v1:0":   false,
		"us.anthropic.claude-opus-4-20250514-v1:0":     false,
		"us.anthropic.claude-opus-4-1-20250805-v1:0":   false,
		sonnet: true,
		"eu.anthropic.claude-haiku-4-5-20251001-v1:0":                                   true,
		"global.anthropic.claude-opus-4-5-20251101-v1:0":                                true,
		"anthropic.claude-opus-4-6-v1":                                                  true,
		"anthropic.claude-opus-4-10":                                                    true,
		"arn:aws:bedrock:us-east-1:1:inference-profile/global.anthropic.claude-fable-5": true,
		"anthropic.claude-sonnet-5-20270101-v1:0":                                       true,
		"amazon.nova-pro-v1:0":                                                          false,
		"anthropic.claude":                                                              false,
	} {
		if got := cachesForAnHour(model); got != want {
			t.Errorf("%s: %t", model, got)
		}
	}
}
