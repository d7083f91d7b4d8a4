package dialect_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/e2e/provider"
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
)

// block is a content block of the Messages API as Anthropic's SDKs put it together.
type block struct{ Type, Text, ID, Name, Input string }

// blocks reads a stream of the Messages API by the SDKs' rules.
func blocks(t *testing.T, out string) (all []block, stopReason string) {
	t.Helper()
	for event := range strings.SplitSeq(strings.TrimSuffix(out, "\n\n"), "\n\n") {
		_, data, _ := strings.Cut(event, "data: ")
		var said struct {
			Type    string
			Index   int
			Message *struct {
				Usage map[string]any
			}
			ContentBlock *struct {
				Type, Text, ID, Name string
				Input                json.RawMessage
			} `json:"content_block"`
			Delta struct {
				Type, Text  string
				PartialJSON string `json:"partial_json"`
				StopReason  string `json:"stop_reason"`
			}
		}
		if err := json.Unmarshal([]byte(data), &said); err != nil {
			t.Fatalf("%v in %q", err, event)
		}
		switch said.Type {
		case "message_start":
			if input, is := said.Message.Usage["input_tokens"].(float64); !is || input < 0 || said.Message.Usage["output_tokens"] == nil {
				t.Errorf("the SDKs read counts of message_start: %s", data)
			}
		case "content_block_start":
			if said.Index != len(all) {
				t.Errorf("block %d begins as the %dth", said.Index, len(all))
			}
			if b := said.ContentBlock; b.Type == "tool_use" && string(b.Input) != "{}" {
				t.Errorf("a call begins with the input %s", b.Input)
			}
			all = append(all, block{Type: said.ContentBlock.Type, Text: said.ContentBlock.Text, ID: said.ContentBlock.ID, Name: said.ContentBlock.Name})
		case "content_block_delta":
			all[said.Index].Text += said.Delta.Text
			all[said.Index].Input += said.Delta.PartialJSON
		case "message_delta":
			stopReason = said.Delta.StopReason
		}
	}
	return all, stopReason
}

// known-failures 32 and 33: a client of the Messages API gets every call of every
// provider, its name, its id and all of its arguments, in whatever pieces they came and
// whatever came in the same piece; no empty block stands before them, and the answer ends
// for the sake of the calls.
func TestMessagesHaveEveryCall(t *testing.T) {
	const long = `{"path":"/tmp/é \" 世界","lines":[1,2,3],"deep":{"a":{"b":null}}}`
	charset := regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	check := func(t *testing.T, out string, text bool, want ...string) {
		t.Helper()
		got, stopReason := blocks(t, out)
		if text {
			if len(got) == 0 || got[0].Type != "text" || got[0].Text != "I look." {
				t.Fatalf("blocks %+v of\n%s", got, out)
			}
			got = got[1:]
		}
		got = slices.DeleteFunc(got, func(b block) bool { return b.Type == "thinking" || b.Type == "redacted_thinking" })
		if len(got) != len(want) || stopReason != "tool_use" {
			t.Fatalf("%d calls for %d, ending by %q:\n%s", len(got), len(want), stopReason, out)
		}
		seen := map[string]bool{}
		for i, b := range got {
			if b.Type != "tool_use" || b.Name != fmt.Sprint("f", i+1) || !charset.MatchString(b.ID) || seen[b.ID] {
				t.Errorf("block %d is %+v", i, b)
			}
			seen[b.ID] = true
			var given, wanted any
			if err := json.Unmarshal([]byte(want[i]), &wanted); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(b.Input), &given); err != nil && want[i] != "{}" {
				t.Errorf("arguments %q: %v", b.Input, err)
			} else if diff := cmp.Diff(wanted, given); diff != "" && b.Input != "" {
				t.Errorf("arguments of call %d: %s", i, diff)
			}
		}
	}
	ask := `{"model":"m/x","max_tokens":99,"stream":true,"messages":[{"role":"user","content":"hi"}]}`
	for _, s := range sides {
		for name, answer := range map[string]provider.Answer{
			"calls alone":          {ToolCalls: []provider.ToolCall{{Name: "f1", Arguments: long}, {Name: "f2", Arguments: `{"a":1}`}}},
			"text and calls":       {Text: "I look.", ToolCalls: []provider.ToolCall{{Name: "f1", Arguments: long}, {Name: "f2", Arguments: `{"a":1}`}}},
			"a call of nothing":    {Text: "I look.", ToolCalls: []provider.ToolCall{{Name: "f1"}}},
			"thought and calls":    {Reasoning: "hm hm", ToolCalls: []provider.ToolCall{{Name: "f1", Arguments: long}}},
			"calls of one index 0": {SameIndex: s.dialect.Name() == "openai", ToolCalls: []provider.ToolCall{{ID: "a", Name: "f1", Arguments: `{"a":1}`}, {ID: "b", Name: "f2", Arguments: long}}},
		} {
			t.Run(s.name+"/"+name, func(t *testing.T) {
				out, _ := s.askAs(t, anthropic.Client{}, ask, answer)
				var want []string
				for _, call := range answer.ToolCalls {
					if call.Arguments == "" {
						call.Arguments = "{}"
					}
					want = append(want, call.Arguments)
				}
				check(t, out, answer.Text != "", want...)
			})
		}
	}
	for name, stream := range map[string]string{
		"text, name and arguments in one piece": `{"choices":[{"index":0,"delta":{"role":"assistant","content":"I look.","tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f1","arguments":"{\"a\":1}"}}]}}]}`,
		"the end in the same piece, too":        `{"choices":[{"index":0,"delta":{"content":"I look.","tool_calls":[{"index":0,"id":"a","function":{"name":"f1","arguments":"{\"a\":1}"}}]},"finish_reason":"tool_calls"}]}`,
		"an end that calls itself a stop":       `{"choices":[{"index":0,"delta":{"content":"I look.","tool_calls":[{"index":0,"id":"a","function":{"name":"f1","arguments":"{\"a\":1}"}}]},"finish_reason":"stop"}]}`,
		"empty text before and between":         `{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}` + "\n\ndata: " + `{"choices":[{"index":0,"delta":{"content":"I look."}}]}` + "\n\ndata: " + `{"choices":[{"index":0,"delta":{"content":"","tool_calls":[{"index":0,"id":"a","function":{"name":"f1","arguments":""}}]}}]}` + "\n\ndata: " + `{"choices":[{"index":0,"delta":{"content":"","tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1}"}}]}}]}`,
		"arguments as an object":                `{"choices":[{"index":0,"delta":{"content":"I look.","tool_calls":[{"index":0,"id":"a","function":{"name":"f1","arguments":{"a":1}}}]}}]}`,
	} {
		t.Run("in pieces/"+name, func(t *testing.T) {
			request, err := anthropic.Client{}.Parse([]byte(ask))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(stream, "finish_reason") {
				stream += "\n\ndata: " + `{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}`
			}
			out := carryStream(t, request, "data: "+stream+"\n\ndata: [DONE]\n\n")
			check(t, out, true, `{"a":1}`)
		})
	}
}

// carryStream carries a stream of Chat Completions to a client of the Messages API.
func carryStream(t *testing.T, request *dialect.Request, stream string) string {
	t.Helper()
	pipe := dialect.NewPipe(anthropic.Client{}, openai.Provider{}, request, meta)
	reader := framingOf("text/event-stream")
	reader.Feed([]byte(stream))
	reader.End()
	var out []byte
	for {
		event, ok, err := reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return string(pipe.Finish(out))
		}
		if out, err = pipe.Event(out, event); err != nil {
			t.Fatal(err)
		}
	}
}

// known-failures 39 and 40: the same request is the same bytes each time and in every
// process, its tools stay in the client's order, and so do the members of their schemas,
// or no provider would find the prompt in its cache. What the next turn adds comes behind
// what was there. Marks of the cache stay where the provider has them.
func TestPromptsStayCacheable(t *testing.T) {
	var tools []string
	for i := range 30 {
		name := fmt.Sprintf("tool_%02d", (i*7)%30)
		tools = append(tools, `{"type":"function","function":{"name":"`+name+`","description":"`+fmt.Sprintf("<%02d>", i)+`","parameters":{"type":"object","properties":{"zeta":{"type":"string"},"alpha":{"type":"integer"},"`+name+`":{"type":"boolean"}},"required":["zeta"]}}}`)
	}
	turns := `{"role":"system","content":[{"type":"text","text":"rules","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":"hi"},` +
		`{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"tool_07","arguments":"{\"zeta\":\"a\",\"alpha\":1}"}}]},{"role":"tool","tool_call_id":"call_1","content":"done"}`
	body := func(more string) []byte {
		return []byte(`{"model":"m/x","max_tokens":99,"messages":[` + turns + more + `],"tools":[` + strings.Join(tools, ",") + `]}`)
	}
	written := func(t *testing.T, s side, body []byte) []byte {
		t.Helper()
		request, err := openai.Client{}.Parse(body)
		if err != nil {
			t.Fatal(err)
		}
		upstream, err := s.dialect.Request(request, s.target)
		if err != nil {
			t.Fatal(err)
		}
		return upstream.Body
	}
	for _, s := range sides {
		t.Run(s.name, func(t *testing.T) {
			first := written(t, s, body(""))
			for range 20 {
				if again := written(t, s, body("")); !bytes.Equal(first, again) {
					t.Fatalf("another time it is\n%s\nand not\n%s", again, first)
				}
			}
			at := -1
			for i := range tools { // by their descriptions
				found := bytes.Index(first, fmt.Appendf(nil, "<%02d>", i))
				if found <= at {
					t.Fatalf("tool %d is not behind the one before it in\n%s", i, first)
				}
				at = found
			}
			if zeta, alpha := bytes.Index(first, []byte(`"zeta":{`)), bytes.Index(first, []byte(`"alpha":{`)); zeta < 0 || alpha < zeta {
				t.Errorf("a schema's members are in another order in\n%s", first)
			}
			next := written(t, s, body(`,{"role":"assistant","content":"so"},{"role":"user","content":"on"}`))
			common := 0
			for common < min(len(first), len(next)) && first[common] == next[common] {
				common++
			}
			if turn := bytes.Index(first, []byte(`done`)); turn < 0 || common < turn {
				t.Errorf("the next turn is the same for %d bytes, up to\n%s", common, next[:common])
			}
			if marks := bytes.Contains(first, []byte(`"cache_control"`)) || bytes.Contains(first, []byte(`"cachePoint"`)); !marks && (s.maker() == "anthropic" || strings.Contains(s.name, "anthropic")) {
				t.Errorf("the mark of the cache is lost in\n%s", first)
			}
		})
	}
}
