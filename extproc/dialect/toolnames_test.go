package dialect_test

import (
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/registry"
)

// Names such as MCP servers have: a dot, too long, two that differ in what is replaced,
// and an ordinary one.
var mcpTools = []string{"github.search/issues", "github.search_issues", strings.Repeat("long_", 30), "7days", "weather"}

func TestToolNames(t *testing.T) {
	tools, calls := "", ""
	for i, name := range mcpTools {
		if i > 0 {
			tools, calls = tools+",", calls+","
		}
		tools += `{"type":"function","function":{"name":"` + name + `","parameters":{"type":"object"}}}`
		calls += `{"id":"c","type":"function","function":{"name":"` + name + `","arguments":"{}"}}`
	}
	body := `{"messages":[{"role":"user","content":"hi"},{"role":"assistant","tool_calls":[` + calls + `]},{"role":"tool","tool_call_id":"c","content":"r"}],"tools":[` + tools + `]}`
	for name, provider := range registry.Providers() {
		namer, restricts := provider.(dialect.ToolNamer)
		if provider.Name() == openai.Name || !restricts {
			continue
		}
		t.Run(name, func(t *testing.T) {
			original, err := openai.Client{}.Parse([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			request := original.WithToolNames(provider)
			made, err := provider.Request(request, dialect.Target{Model: "m", Endpoint: "e"})
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for _, own := range mcpTools {
				other := namer.ToolName(own)
				if seen[other] || len(other) > 128 || other == own && !strings.Contains(string(made.Body), `"name":"`+own+`"`) {
					t.Errorf("%q becomes %q", own, other)
				}
				seen[other] = true
				if n := strings.Count(string(made.Body), `"name":"`+other+`"`); n < 2 {
					t.Errorf("%q is %d times in %s", other, n, made.Body)
				}
				if other != own && strings.Contains(string(made.Body), `"`+own+`"`) {
					t.Errorf("%q is in %s", own, made.Body)
				}
			}
			if chat, _ := original.Chat(); chat.Tools[0].Name != mcpTools[0] || chat.Messages[1].Parts[0].Call.Name != mcpTools[0] {
				t.Error("the request that attempts share was written to")
			}
		})
	}
}

// Calls in an answer have the client's names, streamed and whole.
func TestToolNamesOfAnswers(t *testing.T) {
	request, err := openai.Client{}.Parse([]byte(`{"messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"a.b"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	provider := anthropic.Provider{}
	answer := `{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"` + provider.ToolName("a.b") +
		`","input":{}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":1}}`
	for _, stream := range []bool{false, true} {
		named := request.WithToolNames(provider)
		named.Stream = stream
		pipe := dialect.NewPipe(openai.Client{}, provider, named, dialect.Meta{})
		out, err := pipe.Whole(nil, []byte(answer))
		if err != nil || !strings.Contains(string(out), `"name":"a.b"`) || pipe.Progress().ToolCalls[0].Name != "a.b" {
			t.Errorf("%s, %v", out, err)
		}
	}
	forced, err := openai.Client{}.Parse([]byte(`{"messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"a.b"}}],"tool_choice":{"type":"function","function":{"name":"a.b"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if chat, err := forced.WithToolNames(provider).Chat(); err != nil || chat.ToolChoice.Name != provider.ToolName("a.b") {
		t.Errorf("%+v, %v", chat.ToolChoice, err)
	}
	// Tools as MCP servers list them, in a request that would else pass.
	listed, _ := openai.Client{}.Parse([]byte(`{"messages":[{"role":"user","content":"hi"}],"seed":7,"tools":[{"name":"a.b","inputSchema":{"type":"object"}}]}`))
	for _, stream := range []bool{false, true} {
		named := listed.WithToolNames(openai.Provider{})
		named.Stream = stream
		other := openai.Provider{}.ToolName("a.b")
		made, err := openai.Provider{}.Request(named, dialect.Target{Model: "m"})
		if err != nil || !strings.Contains(string(made.Body), `"name":"`+other+`"`) || !strings.Contains(string(made.Body), `"seed":7`) {
			t.Errorf("%s, %v", made.Body, err)
		}
		pipe := dialect.NewPipe(openai.Client{}, openai.Provider{}, named, dialect.Meta{})
		out, err := pipe.Whole(nil, []byte(`{"id":"c","object":"chat.completion","choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"`+other+`","arguments":"{}"}}]}}]}`))
		if err != nil || !strings.Contains(string(out), `"name":"a.b"`) || strings.Contains(string(out), other) {
			t.Errorf("%s, %v", out, err)
		}
	}
	// A client of the provider's own API knows its rules.
	own, _ := anthropic.Client{}.Parse([]byte(`{"max_tokens":9,"messages":[{"role":"user","content":"hi"}],"tools":[{"name":"a.b","input_schema":{"type":"object"}}]}`))
	if own.WithToolNames(provider) != own {
		t.Error("a request that passes was changed")
	}
}
