package dialect_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
)

func (s side) parse(t *testing.T, stream bool) *dialect.Request {
	t.Helper()
	request, err := openai.Client{}.Parse(fmt.Appendf(nil, `{"model":"m/x","stream":%t,"messages":[{"role":"user","content":"hi"}]}`, stream))
	if err != nil {
		t.Fatal(err)
	}
	return request
}

func (s side) record(t *testing.T, fake *provider.Provider, stream bool) *httptest.ResponseRecorder {
	t.Helper()
	upstream, err := s.dialect.Request(s.parse(t, stream), s.target)
	if err != nil {
		t.Fatal(err)
	}
	call := httptest.NewRequest(http.MethodPost, s.base+upstream.Path, bytes.NewReader(upstream.Body))
	for _, header := range append(upstream.Headers, s.dialect.Credential(key)...) {
		call.Header.Set(header.Name, header.Value)
	}
	response := httptest.NewRecorder()
	fake.ServeHTTP(response, call)
	return response
}

// Conversations that strict providers must take, whatever the client put in.
var accepted = []struct{ name, body string }{
	{"plain", `{"model":"m/x","messages":[{"role":"user","content":"hi"}]}`},
	{"row 15: unknown fields", `{"foo":1,"messages":[{"role":"user","content":"hi","bar":2}]}`},
	{"fields for the gateway", `{"models":["a"],"provider":{"order":["x"]},"route":"fallback","preset":"p","plugins":[],
		"transforms":[],"usage":{"include":true},"session_id":"s","trace":{"trace_id":"t"},"include_reasoning":true,
		"user":"bob@example.com","metadata":{"a":"b"},"messages":[{"role":"user","content":"hi"}]}`},
	{"sampling", `{"temperature":1.5,"top_p":0.9,"top_k":40,"min_p":0.1,"top_a":0.2,"repetition_penalty":1.1,"seed":7,
		"frequency_penalty":0.5,"presence_penalty":0.5,"logit_bias":{"1":2},"stop":["a","b"],"messages":[{"role":"user","content":"hi"}]}`},
	{"nulls", `{"temperature":null,"stop":null,"tools":null,"tool_choice":null,"reasoning":null,"response_format":null,
		"messages":[{"role":"user","content":"hi","name":null}]}`},
	{"both bounds", `{"max_tokens":100,"max_completion_tokens":200,"messages":[{"role":"user","content":"hi"}]}`},
	{"stream options", `{"stream":true,"stream_options":{"include_usage":false},"messages":[{"role":"user","content":"hi"}]}`},
	{"stream options without a stream", `{"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}`},
	{"empty tools", `{"tools":[],"tool_choice":"auto","parallel_tool_calls":false,"messages":[{"role":"user","content":"hi"}]}`},
	{"tools", `{"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","cache_control":{"type":"ephemeral"},
		"function":{"name":"g","description":"d","parameters":{"properties":{"a":{"type":"string"}}},"strict":false}}],
		"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false,"messages":[{"role":"user","content":"hi"}]}`},
	{"cache markers", `{"messages":[{"role":"system","content":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}]},
		{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]}]}`},
	{"images", `{"messages":[{"role":"user","content":[{"type":"text","text":"what?"},
		{"type":"image_url","image_url":{"url":"https://example.com/a.png","detail":"high"}},
		{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}]}`},
	{"a PDF", `{"messages":[{"role":"user","content":[{"type":"text","text":"what?"},
		{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0="}}]}]}`},
	{"row 94: a tool turn", `{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"messages":[
		{"role":"user","content":"hi"},
		{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","index":0,"function":{"name":"f","arguments":"{\"a\":1}"}},
			{"id":"call_2","type":"function","index":1,"function":{"name":"f","arguments":"{}"}}]},
		{"role":"tool","tool_call_id":"call_1","content":"one"},{"role":"tool","tool_call_id":"call_2","name":"f","content":""},
		{"role":"user","content":"and?"}]}`},
	{"answers that SDKs send back whole", `{"messages":[{"role":"user","content":"hi"},
		{"role":"assistant","content":"hey","refusal":null,"annotations":[],"audio":null,"function_call":null,"tool_calls":null,
			"reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","format":"unknown","index":0}],"images":[]},
		{"role":"user","content":"and?"}]}`},
	{"several system messages, repeated roles", `{"messages":[{"role":"system","content":"a"},{"role":"developer","content":"b"},
		{"role":"user","content":"c"},{"role":"user","content":"d"},{"role":"system","content":"e"},
		{"role":"assistant","content":"f"},{"role":"assistant","content":"g"},{"role":"user","content":"h"}]}`},
	{"empty content", `{"messages":[{"role":"system","content":""},{"role":"user","content":"hi"},{"role":"assistant","content":""},
		{"role":"user","content":[{"type":"text","text":""},{"type":"text","text":"x"}]}]}`},
	{"names", `{"messages":[{"role":"user","name":"Bob","content":"x"}]}`},
	{"row 124: prefill", `{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"Sure, "}]}`},
	{"the assistant begins", `{"messages":[{"role":"assistant","content":"Hello"},{"role":"user","content":"hi"}]}`},
	{"row 120: json_schema", `{"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":
		{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}}},"messages":[{"role":"user","content":"hi"}]}`},
	{"service tier", `{"service_tier":"fast","messages":[{"role":"user","content":"hi"}]}`},
	{"reasoning", `{"model":"gpt-5","max_tokens":5000,"reasoning":{"effort":"high"},"messages":[{"role":"user","content":"hi"}]}`},
	{"reasoning by budget", `{"model":"gpt-5","reasoning":{"max_tokens":2000},"messages":[{"role":"user","content":"hi"}]}`},
	{"reasoning on", `{"model":"gpt-5","reasoning":{"enabled":true},"messages":[{"role":"user","content":"hi"}]}`},
	{"reasoning at its highest", `{"model":"gpt-5","reasoning":{"effort":"max"},"messages":[{"role":"user","content":"hi"}]}`},
}

func TestStrictProvidersTakeTheRequest(t *testing.T) {
	for _, test := range accepted {
		for _, s := range sides {
			if !s.has(test.name) {
				continue
			}
			if strings.Contains(test.body, "gpt-5") {
				// What the model itself does not take is the endpoint's to say.
				s.target.Refused = []string{"max_tokens"}
				if s.dialect.Name() == "anthropic" {
					s.target.Refused = nil
				}
			}
			body := test.body
			if s.name == "vertex anthropic" || strings.Contains(s.name, "bedrock") { // they fetch nothing
				body = strings.ReplaceAll(body, "https://example.com/a.png", "data:image/png;base64,iVBORw0KGgo=")
			}
			t.Run(test.name+"/"+s.name, func(t *testing.T) { s.ask(t, body, nil) })
		}
	}
}

func TestClosedSchemaForAnthropic(t *testing.T) {
	sides[1].ask(t, `{"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{
		"type":{"type":"object","properties":{"enum":{"type":"string","enum":["a"]}}},
		"list":{"type":"array","maxItems":3,"items":{"type":"object","properties":{"minimum":{"type":"number","minimum":0}},"additionalProperties":true}}}}}},
		"messages":[{"role":"user","content":"hi"}]}`, nil)
}

// TestRow101ReasoningRoundTrip sends an answer back as clients keep it: whole, and
// in the pieces in which it was streamed (known-failures 36).
func TestRow101ReasoningRoundTrip(t *testing.T) {
	thinking := "step by step"
	signature := provider.Signature(thinking)
	for name, details := range map[string]string{
		"whole": `{"type":"reasoning.text","text":"` + thinking + `","signature":"` + signature + `","format":"anthropic-claude-v1","index":0},
			{"type":"reasoning.encrypted","data":"EmwKAhgBxyz","format":"anthropic-claude-v1","index":1}`,
		"pieces": `{"type":"reasoning.text","text":"step ","format":"anthropic-claude-v1","index":0},
			{"type":"reasoning.text","text":"by step","format":"anthropic-claude-v1","index":0},
			{"type":"reasoning.text","text":"","signature":"` + signature + `","format":"anthropic-claude-v1","index":0}`,
		"two thoughts of one index": `{"type":"reasoning.text","text":"` + thinking + `","signature":"` + signature + `","format":"anthropic-claude-v1","index":0},
			{"type":"reasoning.text","text":"` + thinking + `","signature":"` + signature + `","format":"anthropic-claude-v1","index":0}`,
		"row 102: with another maker's": `{"type":"reasoning.encrypted","data":"gAAAA","format":"openai-responses-v1","index":0},
			{"type":"reasoning.text","text":"` + thinking + `","signature":"` + signature + `","format":"anthropic-claude-v1","index":1}`,
		"row 102: another maker's alone": `{"type":"reasoning.encrypted","data":"gAAAA","format":"openai-responses-v1","index":0}`,
	} {
		t.Run(name, func(t *testing.T) {
			sides[1].ask(t, `{"reasoning":{"effort":"low"},"max_tokens":8000,
				"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"messages":[
				{"role":"user","content":"hi"},
				{"role":"assistant","content":null,"reasoning":"`+thinking+`","reasoning_details":[`+details+`],
					"tool_calls":[{"id":"toolu_1","type":"function","function":{"name":"f","arguments":"{}"}}]},
				{"role":"tool","tool_call_id":"toolu_1","content":"ok"}]}`, nil)
		})
	}
}

// TestGeminiSignaturesRoundTrip sends an answer back as clients keep it, and one that
// lost its reasoning: the fake refuses any signature but its own, and a call of the
// third generation without one (known-failures 35).
func TestGeminiSignaturesRoundTrip(t *testing.T) {
	gemini := sides[2]
	answer := provider.Answer{Reasoning: "step by step", Text: "Let me see.", ToolCalls: []provider.ToolCall{
		{ID: "call_a", Name: "f", Arguments: `{"x":1}`}, {ID: "call_b", Name: "f", Arguments: `{"x":2}`}}}
	const tools = `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"x":{"type":"integer"}},"additionalProperties":false}}}]`
	for _, model := range []string{"gemini-2.5-flash", "gemini-3-pro-preview"} {
		gemini.target.Model = model
		out, _ := gemini.ask(t, `{"reasoning":{"effort":"low"},`+tools+`,"messages":[{"role":"user","content":"hi"}]}`, answer)
		var raw struct {
			Choices []struct{ Message map[string]any }
		}
		if err := json.Unmarshal([]byte(out), &raw); err != nil {
			t.Fatal(err)
		}
		said := raw.Choices[0].Message
		for _, kept := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/reasoning kept=%t", model, kept), func(t *testing.T) {
				if !kept {
					delete(said, "reasoning_details")
				}
				message, _ := json.Marshal(said)
				gemini.ask(t, `{`+tools+`,"messages":[{"role":"user","content":"hi"},`+string(message)+
					`,{"role":"tool","tool_call_id":"call_a","content":"A"},{"role":"tool","tool_call_id":"call_b","content":"B"}]}`, nil)
			})
		}
	}
}
