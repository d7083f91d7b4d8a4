package dialect_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/bedrock"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/responses"
)

// written is what a provider gets of a client's body.
func written(t *testing.T, client dialect.Client, provider dialect.Provider, target dialect.Target, body string) dialect.Upstream {
	t.Helper()
	request, err := client.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	upstream, err := provider.Request(request, target)
	if err != nil {
		t.Fatal(err)
	}
	return upstream
}

// Anthropic, Bedrock and Responses take images from tools. Chat Completions does not:
// there they come behind all results of the turn.
func TestImagesStayInTheResultsOfTools(t *testing.T) {
	const calls = `{"messages":[{"role":"user","content":"look"},{"role":"assistant","content":null,"tool_calls":[
		{"id":"t1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"t2","type":"function","function":{"name":"f","arguments":"{}"}}]},`
	const (
		mcp    = `{"role":"tool","tool_call_id":"t1","content":{"content":[{"type":"text","text":"one"},{"type":"image","data":"AAAA","mimeType":"image/png"}],"isError":true}}`
		parts  = `{"role":"tool","tool_call_id":"t2","content":[{"type":"text","text":"two"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}`
		silent = `{"role":"tool","tool_call_id":"t2","content":[{"type":"image","data":"AAAA","mimeType":"image/png"}]}`
	)
	both, alone := calls+mcp+","+parts+"]}", calls+mcp+","+silent+"]}"
	const anthropicImage = `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}`
	const bedrockImage = `{"image":{"format":"png","source":{"bytes":"AAAA"}}}`
	const responsesImage = `{"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"auto"}`
	for _, test := range []struct {
		name     string
		provider dialect.Provider
		body     string
		want     []string
	}{
		{"anthropic", anthropic.Provider{}, both, []string{
			`{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"one"},` + anthropicImage + `],"is_error":true}`,
			`{"type":"tool_result","tool_use_id":"t2","content":[{"type":"text","text":"two"},` + anthropicImage + `]}`}},
		{"anthropic, an image alone", anthropic.Provider{}, alone, []string{`{"type":"tool_result","tool_use_id":"t2","content":[` + anthropicImage + `]}`}},
		{"bedrock", bedrock.Provider{}, both, []string{
			`"toolUseId":"t1","content":[{"text":"one"},` + bedrockImage + `],"status":"error"`,
			`"toolUseId":"t2","content":[{"text":"two"},` + bedrockImage + `]`}},
		{"bedrock, an image alone", bedrock.Provider{}, alone, []string{`"toolUseId":"t2","content":[` + bedrockImage + `]`}},
		{"responses", responses.Provider{}, alone, []string{
			`"call_id":"t1","output":[{"type":"input_text","text":"Error:"},{"type":"input_text","text":"one"},` + responsesImage + `]`,
			`"call_id":"t2","output":[` + responsesImage + `]`}},
		{"openai", openai.Provider{}, both, []string{
			`{"role":"tool","tool_call_id":"t1","content":"Error: one"},{"role":"tool","tool_call_id":"t2","content":"two"},{"role":"user","content":[{"type":"image_url"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := string(written(t, openai.Client{}, test.provider, dialect.Target{Model: claudeOnBedrock}, test.body).Body)
			for _, want := range test.want {
				if !strings.Contains(body, want) {
					t.Errorf("%s\nlacks %s", body, want)
				}
			}
			if count := strings.Count(body, "AAAA"); count != 2 {
				t.Errorf("%d images in %s", count, body)
			}
		})
	}
}

// Chat Completions has no field for a call that failed: the model is told in words.
func TestFailedCallsAreToldInWords(t *testing.T) {
	const begin = `{"model":"m/x","max_tokens":9,"messages":[{"role":"user","content":"go"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]},
		{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":`
	for content, want := range map[string]any{
		`"no such city"`: "Error: no such city",
		`""`:             "Error: ",
		`[{"type":"text","text":"a"},{"type":"text","text":"b"}]`: []any{
			map[string]any{"type": "text", "text": "Error:"}, map[string]any{"type": "text", "text": "a"}, map[string]any{"type": "text", "text": "b"}},
	} {
		var sent struct {
			Messages []map[string]any
		}
		upstream := written(t, anthropic.Client{}, openai.Provider{}, dialect.Target{Strict: true}, begin+content+`}]}]}`)
		if err := json.Unmarshal(upstream.Body, &sent); err != nil {
			t.Fatal(err)
		}
		result := sent.Messages[len(sent.Messages)-1]
		if got, _ := json.Marshal(result["content"]); string(got) != asJSON(want) || result["is_error"] != nil {
			t.Errorf("%s: got %s", content, upstream.Body)
		}
	}
}

func asJSON(value any) string {
	text, _ := json.Marshal(value)
	return string(text)
}
