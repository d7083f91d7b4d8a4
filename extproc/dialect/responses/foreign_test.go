package responses

import (
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// Tools and results as MCP and Anthropic have them are taken here as well.
func TestForeignWords(t *testing.T) {
	request, err := Client{}.Parse([]byte(`{"tools":[{"name":"f","title":"T","inputSchema":{"type":"object"}},{"type":"custom","name":"g","input_schema":{"type":"object"}},{"type":"function","name":"h"}],
		"tool_choice":{"type":"any"},"input":[{"role":"user","content":"hi"},{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},
		{"type":"function_call_output","call_id":"a","output":{"isError":true,"content":[{"type":"text","text":"no"},{"type":"image","data":"AA==","mimeType":"image/png"}]}},
		{"type":"function_call","call_id":"b","name":"f","arguments":"{}"},
		{"type":"function_call_output","call_id":"b","output":[{"type":"input_text","text":"yes"},{"type":"input_image","image_url":"https://a.test/x"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if request.Images != 2 || len(request.InputModalities) != 1 || request.ToolChoice != "required" || !request.Tools {
		t.Errorf("%+v", request)
	}
	chat, err := request.Chat()
	if err != nil {
		t.Fatal(err)
	}
	if len(chat.Tools) != 3 || chat.Tools[0].Description != "T" || string(chat.Tools[1].Parameters) != `{"type":"object"}` {
		t.Errorf("tools %+v", chat.Tools)
	}
	up, err := Provider{}.Request(request, dialect.Target{Model: "x"})
	if err != nil {
		t.Fatal(err)
	}
	// A provider of this API gets its own words.
	if want := `{"model":"x","tools":[{"type":"function","name":"f","description":"T","parameters":{"type":"object"},"strict":false},` +
		`{"type":"function","name":"g","parameters":{"type":"object"},"strict":false},{"type":"function","name":"h"}],"tool_choice":"required",` +
		`"input":[{"role":"user","content":"hi"},{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},` +
		`{"type":"function_call_output","call_id":"a","output":[{"type":"input_text","text":"Error:"},{"type":"input_text","text":"no"},` +
		`{"type":"input_image","image_url":"data:image/png;base64,AA==","detail":"auto"}]},` +
		`{"type":"function_call","call_id":"b","name":"f","arguments":"{}"},` +
		`{"type":"function_call_output","call_id":"b","output":[{"type":"input_text","text":"yes"},{"type":"input_image","image_url":"https://a.test/x"}]}],` +
		`"include":["reasoning.encrypted_content"],"store":false}`; string(up.Body) != want {
		t.Errorf("at a provider of this API\n%s\nwant\n%s", up.Body, want)
	}
	var results []*dialect.ToolResult
	for _, message := range chat.Messages {
		for _, part := range message.Parts {
			if part.Result != nil {
				results = append(results, part.Result)
			}
		}
	}
	if len(results) != 2 || !results[0].Failed || results[1].Failed || results[0].Parts[1].Media.Type != "image/png" || results[1].Parts[0].Text != "yes" {
		t.Errorf("results %+v", results)
	}
	for body, want := range map[string]string{
		`{"tools":[{"name":"f","inputSchema":[]}],"input":"x"}`:                                                        "'tools.0.inputSchema' must be an object, the JSON Schema of the tool's arguments.",
		`{"input":[{"type":"function_call_output","call_id":"a","output":{"content":[{"type":"x"}]}}]}`:                `'input.0.output.content.0': unknown type "x".`,
		`{"input":[{"type":"function_call_output","call_id":"a","output":[{"type":"tool_use","id":"a","name":"f"}]}]}`: "'input.0.output.0' does not belong into a tool's output.",
	} {
		if _, err := (Client{}).Parse([]byte(body)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

// Anthropic's choices of a tool, at a provider of this API.
func TestForeignChoices(t *testing.T) {
	for choice, want := range map[string]string{
		`{"type":"auto"}`: `"tool_choice":"auto"`,
		`{"type":"none"}`: `"tool_choice":"none"`,
		`{"type":"any","disable_parallel_tool_use":true}`: `"tool_choice":"required","parallel_tool_calls":false`,
		`{"type":"tool","name":"f"}`:                      `"tool_choice":{"type":"function","name":"f"}`,
		`{"type":"function","name":"f"}`:                  `"tool_choice":{"type":"function","name":"f"}`,
	} {
		request, err := Client{}.Parse([]byte(`{"input":"x","tools":[{"type":"function","name":"f"}],"tool_choice":` + choice + `}`))
		if err != nil {
			t.Fatal(err)
		}
		up, err := Provider{}.Request(request, dialect.Target{Model: "x"})
		if err != nil || !strings.Contains(string(up.Body), `"tools":[{"type":"function","name":"f"}],`+want+`,"include"`) {
			t.Errorf("%s: %s, %v", choice, up.Body, err)
		}
	}
}
