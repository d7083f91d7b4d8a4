package openai

import "testing"

// parseMessages parses a request of these messages.
func parseMessages(t *testing.T, messages string) (conversation [16]byte, bound bool) {
	t.Helper()
	request, err := Client{}.Parse([]byte(`{"messages":[` + messages + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return request.Conversation, request.BoundReasoning
}

func TestRow105Conversation(t *testing.T) {
	const opening = `{"role":"system","content":"s"},{"role":"user","content":"hi"}`
	first, _ := parseMessages(t, opening)
	for _, test := range []struct {
		name, messages string
		same           bool
	}{
		{"it goes on", opening + `,{"role":"assistant","content":"hey"},{"role":"user","content":"more"}`, true},
		{"in other words for the same", `{"content":"s","role":"developer"}, {"role":"user","content":[{"type":"text","text":"hi"}]}`, true},
		{"a cache marker moves", `{"role":"system","content":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":"hi"}`, true},
		{"instructions come later", `{"role":"user","content":"hi"},{"role":"system","content":"s"}`, true},
		{"other instructions", `{"role":"system","content":"z"},{"role":"user","content":"hi"}`, false},
		{"another beginning", `{"role":"system","content":"s"},{"role":"user","content":"ho"}`, false},
		{"no instructions", `{"role":"user","content":"hi"}`, false},
		{"all in the instructions", `{"role":"system","content":[{"type":"text","text":"s"},{"type":"text","text":"hi"}]}`, false},
		{"another image", `{"role":"system","content":"s"},{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, _ := parseMessages(t, test.messages); (got == first) != test.same {
				t.Errorf("the hash is the same: %t, want %t", !test.same, test.same)
			}
		})
	}
}

func TestBoundReasoningOfARequest(t *testing.T) {
	const (
		ask     = `{"role":"user","content":"hi"},`
		calls   = `"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]`
		result  = `,{"role":"tool","tool_call_id":"a","content":"r"}`
		signed  = `"reasoning_details":[{"type":"reasoning.text","text":"x"},{"type":"reasoning.text","text":"","signature":"s"}]`
		sealed  = `"reasoning_details":[{"type":"reasoning.encrypted","data":"d"}]`
		unsaid  = `"reasoning_details":[{"type":"reasoning.text","text":"x","signature":""}]`
		message = `{"role":"assistant","content":null,`
	)
	for _, test := range []struct {
		name, messages string
		want           bool
	}{
		{"signed", ask + message + calls + `,` + signed + `}` + result, true},
		{"encrypted, and the members in another order", ask + `{` + sealed + `,` + calls + `,"content":"","role":"assistant"}` + result, true},
		{"a second call without reasoning", ask + message + calls + `,` + signed + `}` + result + `,` + message + calls + `}` + result, true},
		{"neither signed nor encrypted", ask + message + calls + `,` + unsaid + `}` + result, false},
		{"no tool calls", ask + message + signed + `}`, false},
		{"no tool calls but an empty list", ask + message + `"tool_calls":[],` + signed + `}`, false},
		{"the user has spoken since", ask + message + calls + `,` + signed + `}` + result + `,{"role":"user","content":"and?"}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, bound := parseMessages(t, test.messages); bound != test.want {
				t.Errorf("bound is %t", bound)
			}
		})
	}
}
