package dialect_test

import (
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
)

// Conversations of the Messages API that strict providers of either kind must take.
var acceptedMessages = []struct{ name, body string }{
	{"plain", `{"model":"m/x","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`},
	{"no bound, and what is the gateway's", `{"model":"m/x","fallbacks":[{"model":"m/y"}],"provider":{"order":["x"]},"route":"fallback","plugins":[],
		"session_id":"s","user":"bob@example.com","trace":{"trace_id":"t"},"speed":"standard","messages":[{"role":"user","content":"hi"}]}`},
	{"as coding agents ask", `{"model":"m/x","max_tokens":32000,"stream":true,"metadata":{"user_id":"user_1"},"temperature":1,
		"system":[{"type":"text","text":"You are an agent.","cache_control":{"type":"ephemeral"}},{"type":"text","text":"Be brief."}],
		"tools":[{"name":"Read","description":"d","input_schema":{"$schema":"s","type":"object","properties":{"path":{"type":"string"}},"required":["path"],"additionalProperties":false}},
			{"name":"Bash","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}}],"tool_choice":{"type":"auto"},
		"messages":[{"role":"user","content":[{"type":"text","text":"<system-reminder>"},{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]},
			{"role":"assistant","content":[{"type":"text","text":"So."},{"type":"tool_use","id":"toolu_1","name":"Read","input":{"path":"a"}},{"type":"tool_use","id":"toolu_2","name":"Bash","input":{}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"one"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]},
				{"type":"tool_result","tool_use_id":"toolu_2","is_error":true,"content":"failed"},{"type":"text","text":"go on","cache_control":{"type":"ephemeral"}}]}]}`},
	{"another maker's thoughts", `{"model":"m/x","max_tokens":9,"messages":[{"role":"user","content":"hi"},
		{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":""},{"type":"redacted_thinking","data":"switchyard.reasoning:x"},{"type":"text","text":"hey"}]},
		{"role":"user","content":"so?"}]}`},
	{"instructions among the messages", `{"model":"m/x","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"system","content":"be brief"},{"role":"assistant","content":"hey"},{"role":"user","content":"so?"}]}`},
	{"files", `{"model":"m/x","max_tokens":9,"messages":[{"role":"user","content":[{"type":"document","title":"t","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}},
		{"type":"document","source":{"type":"text","media_type":"text/plain","data":"plain"}},{"type":"text","text":"what?"}]}]}`},
	{"a forced tool, one at a time", `{"model":"m/x","max_tokens":9,"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true},
		"stop_sequences":["a"],"messages":[{"role":"user","content":"hi"}]}`},
	{"a schema", `{"model":"m/x","max_tokens":9,"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}}},
		"messages":[{"role":"user","content":"hi"}]}`},
}

func TestStrictProvidersTakeMessages(t *testing.T) {
	for _, test := range acceptedMessages {
		for _, s := range sides {
			if !s.has(test.name) {
				continue
			}
			t.Run(test.name+"/"+s.name, func(t *testing.T) {
				out, progress := s.askAs(t, anthropic.Client{}, test.body, provider.Answer{Text: "hey you"})
				if !strings.Contains(out, `"id":"`+meta.ID+`"`) || !strings.Contains(out, `"stop_reason":"end_turn"`) || !strings.Contains(out, `"cost":0.00042`) {
					t.Errorf("%s", out)
				}
				if progress.Usage.Prompt != 11 || progress.FinishReason != "stop" {
					t.Errorf("%+v", progress)
				}
			})
		}
	}
}
