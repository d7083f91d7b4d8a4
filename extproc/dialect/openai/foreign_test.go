package openai

import (
	"errors"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// What is in Anthropic's or MCP's words becomes Chat Completions', for every provider
// and for those that speak the same, too (known-failures 34).
func TestForeignWords(t *testing.T) {
	const hi = `{"role":"user","content":"hi"}`
	tools := func(list string) string { return `{"tools":[` + list + `],"messages":[` + hi + `]}` }
	messages := func(list string) string { return `{"x":1,"messages":[` + list + `]}` }
	const call = `{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]}`
	result := func(content string) string { return `{"role":"tool","tool_call_id":"a","content":` + content + `}` }
	const png = `{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}`
	for _, test := range []struct{ name, body, want string }{
		{"Anthropic's tool", tools(`{"name":"f","description":"d","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}}`),
			tools(`{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}},"cache_control":{"type":"ephemeral"}}`)},
		{"MCP's tool, beside one of the API's own", tools(`{"name":"f","title":"T","description":null,"inputSchema":{"type":"object"},"outputSchema":{"type":"object"},"annotations":{"readOnlyHint":true},"_meta":null},{"type":"function","function":{"name":"g"},"y":1}`),
			tools(`{"type":"function","function":{"name":"f","description":"T","parameters":{"type":"object"}}},{"type":"function","function":{"name":"g"},"y":1}`)},
		{"any tool", `{"tools":[],"tool_choice":{"type":"any","disable_parallel_tool_use":true},"messages":[` + hi + `]}`,
			`{"tools":[],"tool_choice":"required","messages":[` + hi + `],"parallel_tool_calls":false}`},
		{"one tool", `{"tool_choice":{"type":"tool","name":"f"},"messages":[` + hi + `]}`, `{"tool_choice":{"type":"function","function":{"name":"f"}},"messages":[` + hi + `]}`},
		{"no tool", `{"tool_choice":{"type":"none"},"messages":[` + hi + `]}`, `{"tool_choice":"none","messages":[` + hi + `]}`},
		{"calls and results as blocks", messages(hi + `,{"role":"assistant","content":[{"type":"text","text":"So."},{"type":"tool_use","id":"a","name":"f","input":{"x":1}},{"type":"tool_use","id":"b","name":"g"}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"A"},{"type":"tool_result","tool_use_id":"b","is_error":true,"content":[{"type":"text","text":"B"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]},{"type":"text","text":"go on"}]}`),
			messages(hi + `,{"role":"assistant","content":"So.","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},` +
				result(`"A"`) + `,{"role":"tool","tool_call_id":"b","content":"B","is_error":true},{"role":"user","content":[` + png + `]},{"role":"user","content":"go on"}`)},
		{"an image in blocks", messages(`{"role":"user","name":"bob","content":[{"type":"image","source":{"type":"url","url":"https://a.test/x"}},{"type":"image_url","image_url":{"url":"https://a.test/y","detail":"low"}},{"type":"document","title":"t","source":{"type":"text","data":"plain"}}]}`),
			messages(`{"role":"user","name":"bob","content":[{"type":"image_url","image_url":{"url":"https://a.test/x"}},{"type":"image_url","image_url":{"url":"https://a.test/y","detail":"low"}},{"type":"text","text":"t\nplain"}]}`)},
		{"thoughts in blocks", messages(`{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"x"}]},` + hi),
			messages(`{"role":"assistant","content":"x","reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"s","format":"anthropic-claude-v1","index":0}]},` + hi)},
		{"MCP's result", messages(hi + `,` + call + `,` + result(`{"content":[{"type":"text","text":"A","annotations":null,"_meta":null}],"structuredContent":{"a":1},"isError":false}`)),
			messages(hi + `,` + call + `,` + result(`"A"`))},
		{"MCP's error", messages(hi + `,` + call + `,` + result(`{"content":[{"type":"text","text":"no"}],"isError":true}`)),
			messages(hi + `,` + call + `,{"role":"tool","tool_call_id":"a","content":"no","is_error":true}`)},
		{"MCP's structure alone", messages(hi + `,` + call + `,` + result(`{"content":[],"structuredContent":{"a":1}}`)), messages(hi + `,` + call + `,` + result(`"{\"a\":1}"`))},
		{"MCP's contents as a list", messages(hi + `,` + call + `,` + result(`[{"type":"text","text":"A","annotations":{"audience":["user"]}},{"type":"resource","resource":{"uri":"file:///x","mimeType":"text/plain","text":"T"}},
			{"type":"resource","resource":{"uri":"file:///z","mimeType":"application/zip","blob":"AAAA"}},{"type":"resource_link","uri":"file:///y","name":"y","description":"d"},{"type":"image","data":"AA==","mimeType":"image/png"}]`)),
			messages(hi + `,` + call + `,` + result(`[{"type":"text","text":"A"},{"type":"text","text":"T"},{"type":"text","text":"file:///z (application/zip, 3 bytes)"},{"type":"text","text":"y file:///y\nd"}]`) + `,{"role":"user","content":[` + png + `]}`)},
		{"what two tools show comes behind both", messages(hi + `,` + call + `,` + result(`[{"type":"image","data":"AA==","mimeType":"image/png"}]`) + `,{"role":"tool","tool_call_id":"b","content":"B"}`),
			messages(hi + `,` + call + `,` + result(`""`) + `,{"role":"tool","tool_call_id":"b","content":"B"},{"role":"user","content":[` + png + `]}`)},
		{"sound", messages(`{"role":"user","content":[{"type":"audio","data":"AA==","mimeType":"audio/mpeg"}]}`), messages(`{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AA==","format":"mp3"}}]}`)},
		{"a result's block in a message of role tool", messages(hi + `,` + call + `,{"role":"tool","content":[{"type":"tool_result","tool_use_id":"a","content":"A"}]}`), messages(hi + `,` + call + `,` + result(`"A"`))},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, err := Client{}.Parse([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if string(request.Raw) != test.want {
				t.Errorf("got  %s\nwant %s", request.Raw, test.want)
			}
			if again, err := (Client{}).Parse(request.Raw); err != nil || string(again.Raw) != test.want {
				t.Errorf("again: %v %s", err, again.Raw)
			}
		})
	}
}

func TestForeignWordsAreRead(t *testing.T) {
	request, err := Client{}.Parse([]byte(`{"tools":[{"name":"f","inputSchema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"f"},"messages":[{"role":"user","content":"hi"},
		{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},
		{"role":"tool","tool_call_id":"a","content":{"isError":true,"content":[{"type":"image","data":"AA==","mimeType":"image/png"}]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if request.ToolName != "f" || request.ToolChoice != "function" || request.Images != 1 || len(request.InputModalities) != 1 {
		t.Errorf("%+v", request)
	}
	chat, err := request.Chat()
	if err != nil {
		t.Fatal(err)
	}
	if tool := chat.Tools[0]; tool.Name != "f" || string(tool.Parameters) != `{"type":"object"}` || chat.ToolChoice != (dialect.ToolChoice{Mode: "tool", Name: "f"}) {
		t.Errorf("%+v, %+v", tool, chat.ToolChoice)
	}
	if result := chat.Messages[2].Parts[0].Result; result.CallID != "a" || !result.Failed {
		t.Errorf("%+v", result)
	}
}

func TestForeignWordsThatAreWrong(t *testing.T) {
	message := func(text string) string { return `{"messages":[{"role":"user","content":"hi"},` + text + `]}` }
	for body, want := range map[string]string{
		`{"tools":[{"name":"f","input_schema":1}],"messages":[{"role":"user","content":"hi"}]}`:                         "'tools.0.input_schema' must be an object, the JSON Schema of the tool's arguments.",
		`{"tools":[{"name":"f","inputSchema":{"type":"array"}}],"messages":[{"role":"user","content":"hi"}]}`:           "'tools.0.inputSchema.type' must be object.",
		`{"tools":[{"inputSchema":{}}],"messages":[{"role":"user","content":"hi"}]}`:                                    "'tools.0.name' must be a string.",
		`{"tool_choice":{"type":"tool"},"messages":[{"role":"user","content":"hi"}]}`:                                   "'tool_choice.name' must be a string.",
		message(`{"role":"user","content":{"content":[]}}`):                                                             "'messages.1.content' must be a string or an array of parts.",
		message(`{"role":"user","content":[{"type":"tool_use","id":"a","name":"f"}]}`):                                  "'messages.1.content.0': a tool_use belongs into a message of role assistant.",
		message(`{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":"x"}]}`):                 "'messages.1.content.0.input' must be an object.",
		message(`{"role":"assistant","content":[{"type":"text","text":"x"},{"type":"tool_use","name":"f"}]}`):           "'messages.1.content.1' needs 'id' and 'name'.",
		message(`{"role":"assistant","content":[{"type":"tool_result","tool_use_id":"a","content":"x"}]}`):              "'messages.1.content.0': a tool_result belongs into a message of role user.",
		message(`{"role":"user","content":[{"type":"tool_result","content":"x"}]}`):                                     "'messages.1.content.0.tool_use_id' must be a string.",
		message(`{"role":"tool","content":{"content":[{"type":"text","text":"x"}]}}`):                                   "'messages.1': a message of role tool needs 'tool_call_id'.",
		message(`{"role":"tool","tool_call_id":"a","content":{"result":1}}`):                                            "'messages.1.content' must be a string, an array of parts, or MCP's object with 'content'.",
		message(`{"role":"tool","tool_call_id":"a","content":{"content":[{"type":"image","data":"AA=="}]}}`):            "'messages.1.content.content.0' needs the media type of its data, such as image/png.",
		message(`{"role":"tool","tool_call_id":"a","content":[{"type":"image"}]}`):                                      "'messages.1.content.0' holds neither a URL nor data.",
		message(`{"role":"tool","tool_call_id":"a","content":[{"type":"resource","resource":1}]}`):                      "'messages.1.content.0.resource' must be an object.",
		message(`{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"nonsense"}]}]}`): `'messages.1.content.0.content.0': unknown type "nonsense".`,
	} {
		_, err := Client{}.Parse([]byte(body))
		var told *dialect.Error
		if !errors.As(err, &told) || told.Status != 400 || told.Message != want {
			t.Errorf("%s\ngot  %v\nwant %s", body, err, want)
		}
	}
}
