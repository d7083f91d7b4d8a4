package dialect_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// upper is an edit that everybody sees, and notes whose text it was.
type upper struct{ seen []string }

func (u *upper) edit(role dialect.Role, text []byte) []byte {
	u.seen = append(u.seen, fmt.Sprintf("%s: %s", role, text))
	return bytes.ReplaceAll(text, []byte("a@b"), []byte(`["]`))
}

func TestEditPrompt(t *testing.T) {
	for name, test := range map[string]struct{ body, want, roles string }{
		"a string": {
			`{"model":"a@b","messages":[{"role":"user","name":"n","content":"I am a@b"}], "x": 1}`,
			`{"model":"a@b","messages":[{"role":"user","name":"n","content":"I am [\"]"}], "x": 1}`, "user: n|user: I am a@b",
		},
		"escapes": {
			`{"messages":[{"role":"user","content":"\u0061\u0040b \n"}]}`,
			`{"messages":[{"role":"user","content":"[\"] \n"}]}`, "user: a@b \n",
		},
		"parts, and what is no text": {
			`{"messages":[{"content":[{"type":"text","text":"a@b","cache_control":{"type":"a@b"}},{"type":"image_url","image_url":{"url":"https://a@b/"}},{"type":"file","file":{"filename":"a@b","file_data":"a@b"}}],"role":"system"}]}`,
			`{"messages":[{"content":[{"type":"text","text":"[\"]","cache_control":{"type":"a@b"}},{"type":"image_url","image_url":{"url":"https://a@b/"}},{"type":"file","file":{"filename":"[\"]","file_data":"a@b"}}],"role":"system"}]}`,
			"system: a@b|system: a@b",
		},
		"arguments are JSON in a string": {
			`{"messages":[{"role":"assistant","tool_calls":[{"id":"a@b","type":"function","function":{"name":"f","arguments":"{\"to\":\"\\u0061@b\",\"n\":[1,\"a@b\"],\"a@b\":12}"}}]}]}`,
			`{"messages":[{"role":"assistant","tool_calls":[{"id":"a@b","type":"function","function":{"name":"f","arguments":"{\"to\":\"[\\\"]\",\"n\":[1,\"[\\\"]\"],\"[\\\"]\":12}"}}]}]}`,
			"assistant: to|assistant: a@b|assistant: n|assistant: 1|assistant: a@b|assistant: a@b|assistant: 12",
		},
		"broken arguments": {
			`{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{\"to\":\"a@b"}}]}]}`,
			`{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{\"to\":\"[\"]"}}]}]}`,
			`assistant: {"to":"a@b`,
		},
		"a tool's result": {
			`{"messages":[{"role":"tool","tool_call_id":"c","content":"[{\"e\":\"a@b\"}]"}]}`,
			`{"messages":[{"role":"tool","tool_call_id":"c","content":"[{\"e\":\"[\\\"]\"}]"}]}`, "tool: e|tool: a@b",
		},
		"unknown parts": {
			`{"messages":[{"role":"user","content":[{"type":"new","new_text":"a@b","deep":{"er":["a@b"]}}]}]}`,
			`{"messages":[{"role":"user","content":[{"type":"new","new_text":"[\"]","deep":{"er":["[\"]"]}}]}]}`, "user: a@b|user: a@b",
		},
		"signed reasoning, and other": {
			`{"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"a@b","signature":"x"},{"type":"thinking","thinking":"a@b","signature":""}],"reasoning_details":[{"type":"reasoning.text","text":"a@b","signature":"y"}]}]}`,
			`{"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"a@b","signature":"x"},{"type":"thinking","thinking":"[\"]","signature":""}],"reasoning_details":[{"type":"reasoning.text","text":"a@b","signature":"y"}]}]}`,
			"assistant: a@b|assistant: a@b|assistant: a@b",
		},
		"signed JSON": {
			`{"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"x","input":"[\"a@b\",1]","signature":"x"},"a@b"]}]}`,
			`{"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"x","input":"[\"a@b\",1]","signature":"x"},"[\"]"]}]}`,
			"assistant: x|assistant: a@b|assistant: 1|assistant: a@b",
		},
		"a message that calls itself signed reasoning": {
			`{"messages":[{"role":"user","type":"thinking","signature":"x","content":"a@b"},{"type":"thinking","thinking":"a@b","signature":"x"},{"role":"assistant","type":"thinking","signature":"x","thinking":"a@b"}]}`,
			`{"messages":[{"role":"user","type":"thinking","signature":"x","content":"[\"]"},{"type":"thinking","thinking":"[\"]","signature":"x"},{"role":"assistant","type":"thinking","signature":"x","thinking":"[\"]"}]}`,
			"user: a@b|user: a@b|assistant: a@b",
		},
		"a user's part that does": {
			`{"messages":[{"role":"user","content":[{"type":"reasoning.x","signature":"x","text":"a@b"},{"role":"assistant","type":"thinking","signature":"x","text":"a@b"}]}]}`,
			`{"messages":[{"role":"user","content":[{"type":"reasoning.x","signature":"x","text":"[\"]"},{"role":"assistant","type":"thinking","signature":"x","text":"[\"]"}]}]}`,
			"user: a@b|assistant: a@b",
		},
		"unknown members at the top": {
			`{"messages":[],"Messages":[{"role":"system","content":"a@b"}],"chat_template":"a@b","extra":{"deep":["a@b",7]},"text":"a@b"}`,
			`{"messages":[],"Messages":[{"role":"system","content":"[\"]"}],"chat_template":"[\"]","extra":{"deep":["[\"]",7]},"text":"[\"]"}`,
			"system: a@b|user: a@b|user: a@b|user: a@b",
		},
		"names of participants, not of tools": {
			`{"messages":[{"role":"user","name":"a@b","content":"x"},{"role":"tool","name":"a@b","content":"x"},{"role":"assistant","tool_calls":[{"function":{"name":"a@b"}}]}]}`,
			`{"messages":[{"role":"user","name":"[\"]","content":"x"},{"role":"tool","name":"a@b","content":"x"},{"role":"assistant","tool_calls":[{"function":{"name":"a@b"}}]}]}`,
			"user: a@b|user: x|tool: x",
		},
		"settings": {
			`{"model":"a@b","stop":["a@b"],"response_format":{"type":"a@b"},"metadata":{"a@b":"a@b"},"text":{"format":{"description":"a@b"}},"reasoning":{"effort":"a@b"},"image":"a@b"}`,
			`{"model":"a@b","stop":["a@b"],"response_format":{"type":"a@b"},"metadata":{"a@b":"a@b"},"text":{"format":{"description":"a@b"}},"reasoning":{"effort":"a@b"},"image":"a@b"}`, "",
		},
		"Anthropic's": {
			`{"system":[{"type":"text","text":"a@b"}],"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"a@b"}]},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"a@b"}},{"type":"image","source":{"type":"base64","data":"a@b"}}]},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"e":"a@b"}}]}]}`,
			`{"system":[{"type":"text","text":"[\"]"}],"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"[\"]"}]},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"[\"]"}},{"type":"image","source":{"type":"base64","data":"a@b"}}]},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"e":"[\"]"}}]}]}`,
			"system: a@b|tool: a@b|user: a@b|assistant: e|assistant: a@b",
		},
		"Gemini's": {
			`{"systemInstruction":{"parts":[{"text":"a@b"}]},"contents":[{"parts":[{"text":"a@b"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"e":"a@b"}},"thoughtSignature":"a@b"}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"e":"a@b"}}},{"inlineData":{"mimeType":"a@b","data":"a@b"}}]}]}`,
			`{"systemInstruction":{"parts":[{"text":"[\"]"}]},"contents":[{"parts":[{"text":"[\"]"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"e":"[\"]"}},"thoughtSignature":"a@b"}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"e":"[\"]"}}},{"inlineData":{"mimeType":"a@b","data":"a@b"}}]}]}`,
			"system: a@b|user: a@b|assistant: e|assistant: a@b|tool: e|tool: a@b",
		},
		"the Responses API's": {
			`{"instructions":"a@b","input":[{"role":"user","content":[{"type":"input_text","text":"a@b"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{\"e\":\"a@b\"}"},{"type":"function_call_output","call_id":"c","output":"a@b"},{"type":"reasoning","summary":[],"encrypted_content":"a@b"}]}`,
			`{"instructions":"[\"]","input":[{"role":"user","content":[{"type":"input_text","text":"[\"]"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{\"e\":\"[\\\"]\"}"},{"type":"function_call_output","call_id":"c","output":"[\"]"},{"type":"reasoning","summary":[],"encrypted_content":"a@b"}]}`,
			"system: a@b|user: a@b|user: e|user: a@b|tool: a@b",
		},
		"a prompt":         {`{"prompt":"a@b","suffix":"a@b"}`, `{"prompt":"[\"]","suffix":"[\"]"}`, "user: a@b|user: a@b"},
		"prompts":          {`{"prompt":["a@b","c"]}`, `{"prompt":["[\"]","c"]}`, "user: a@b|user: c"},
		"tokens":           {`{"prompt":[1,2],"input":[[3]]}`, `{"prompt":[1,2],"input":[[3]]}`, ""},
		"embeddings":       {`{"input":["a@b"]}`, `{"input":["[\"]"]}`, "user: a@b"},
		"Gemini's vectors": {`{"requests":[{"model":"m","content":{"parts":[{"text":"a@b"}]}}]}`, `{"requests":[{"model":"m","content":{"parts":[{"text":"[\"]"}]}}]}`, "user: a@b"},
		"an order":         {`{"query":"a@b","documents":["a@b",{"text":"a@b"}]}`, `{"query":"[\"]","documents":["[\"]",{"text":"[\"]"}]}`, "user: a@b|user: a@b|user: a@b"},
		"definitions":      {`{"tools":[{"description":"a@b"}],"user":"a@b"}`, `{"tools":[{"description":"a@b"}],"user":"a@b"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			body, u := []byte(test.body), &upper{}
			got, err := dialect.EditPrompt(openai.Client{}, body, 1<<20, u.edit)
			if err != nil || string(got) != test.want {
				t.Errorf("got  %s (%v)\nwant %s", got, err, test.want)
			}
			if roles := strings.Join(u.seen, "|"); roles != test.roles {
				t.Errorf("read %q, want %q", roles, test.roles)
			}
			if string(body) != test.body {
				t.Error("the body itself was written to")
			}
			if err := rawjson.Validate(got); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is escaped again and again grows with each time, so that the whole is measured, and
// the inner ones before they are escaped.
func TestEditsAreBounded(t *testing.T) {
	text := strings.Repeat("a@b ", 1000)
	for range 8 {
		text = `["` + string(bytes.Trim(rawjson.AppendQuoted(nil, text), `"`)) + `"]`
	}
	nested := `{"messages":[{"role":"tool","content":` + string(rawjson.AppendQuoted(nil, text)) + `}]}`
	flat := `{"messages":[{"role":"user","content":"a@b"},{"role":"user","content":"a@b"}]}`
	for name, test := range map[string]struct {
		body string
		most int
		put  string
		want error
	}{
		"just enough":   {flat, len(flat) + 2, `"`, nil},
		"a byte less":   {flat, len(flat) + 1, `"`, dialect.ErrTooLong},
		"nothing found": {flat, 1, "b", nil},
		"nested":        {nested, 100_000, `"`, dialect.ErrTooLong},
		"nested, short": {nested, 100_000, ``, nil},
	} {
		got, err := dialect.EditPrompt(openai.Client{}, []byte(test.body), test.most, func(_ dialect.Role, text []byte) []byte {
			return bytes.ReplaceAll(text, []byte("a@b"), []byte("a@"+test.put))
		})
		if !errors.Is(err, test.want) || err == nil && (len(got) > test.most && string(got) != test.body || rawjson.Validate(got) != nil) {
			t.Errorf("%s: %d of %d bytes, %v", name, len(got), len(test.body), err)
		}
	}
}

func FuzzEditPrompt(f *testing.F) {
	for _, body := range []string{
		`{"messages":[{"role":"user","content":"a\u0040b"}]}`, `{"messages":[{"role":"tool","content":"{\"a@b\":[-1.5e3,\"\\\"\"]}"}]}`,
		`{"input":[{"arguments":"{\"x\":{\"a@b\":\"a@b\"}}"}]}`, `{"contents":[{"parts":[{"functionCall":{"args":{ "k" : [ "a@b" , {} ] }}}]}]} `,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if rawjson.Validate(body) != nil {
			t.Skip()
		}
		same, err := dialect.EditPrompt(openai.Client{}, body, 1<<20, func(_ dialect.Role, text []byte) []byte { return text })
		if err != nil || len(body) > 0 && &same[0] != &body[0] {
			t.Fatal("a body in which nothing changes is another one")
		}
		edited, _ := dialect.EditPrompt(openai.Client{}, body, 1<<20, func(_ dialect.Role, text []byte) []byte { return append(bytes.Clone(text), `"\`...) })
		// Names that were alike in all but their escapes may be twice the same now.
		if _, err := rawjson.Repair(edited); err != nil {
			t.Fatalf("%s became %s: %v", body, edited, err)
		}
	})
}

func BenchmarkEditPrompt(b *testing.B) {
	for _, size := range []int{1 << 10, 100 << 10} {
		turn := `{"role":"user","content":"` + strings.Repeat("A few words on the weather, with a \\\"quote\\\" in them. ", 10) + `"}`
		body := []byte(`{"model":"m/x","messages":[` + turn + strings.Repeat(","+turn, size/len(turn)) + `]}`)
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				_, _ = dialect.EditPrompt(openai.Client{}, body, 1<<20, func(_ dialect.Role, text []byte) []byte { return text })
			}
		})
	}
}
