package provider

import (
	"encoding/json"
	"strings"
	"testing"
)

func startResponses(t *testing.T) *fixture {
	t.Helper()
	return start(t, Responses(Config{Key: testKey}), Network{})
}

// respond is a request of items, with further members.
func respond(model, items string, members ...string) string {
	return `{"model":"` + model + `","store":false,"input":[` + strings.Join(append([]string{items + `]`}, members...), ",") + `}`
}

const (
	askItem    = `{"role":"user","content":"hi"}`
	callItem   = `{"type":"function_call","id":"fc_1","call_id":"a","name":"f","arguments":"{}","status":"completed"}`
	outputItem = `{"type":"function_call_output","call_id":"a","output":"sunny"}`
	flatTool   = `"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}},"strict":false}]`
	thinks     = `"include":["reasoning.encrypted_content"]`
)

func thoughtItem(blob string) string {
	return `{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"` + blob + `"}`
}

func TestResponsesAccepts(t *testing.T) {
	f := startResponses(t)
	for name, body := range map[string]string{
		"the least":       `{"model":"gpt-4o","store":false,"input":"hi"}`,
		"a tool's result": respond("gpt-4o", askItem+`,`+callItem+`,`+outputItem, flatTool),
		"a result with an image": respond("gpt-4o", askItem+`,`+callItem+`,{"type":"function_call_output","call_id":"a","output":[
			{"type":"input_text","text":"see"},{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]}`, flatTool),
		"its own reasoning": respond("gpt-5", askItem+`,`+thoughtItem(Encrypted("gpt-5"))+`,`+callItem+`,`+outputItem, flatTool, thinks),
		"a message of its own": respond("gpt-4o", `{"type":"message","id":"msg_1","status":"completed","role":"assistant",
			"content":[{"type":"output_text","text":"x","annotations":[],"logprobs":[]}]},`+askItem),
	} {
		t.Run(name, func(t *testing.T) {
			if response, body, err := f.post(t, body); err != nil || response.StatusCode != 200 {
				t.Errorf("refused: %v %s", err, body)
			}
		})
	}
}

func TestResponsesRefuses(t *testing.T) {
	f := startResponses(t)
	for name, test := range map[string]struct{ body, says string }{
		"unknown field":                {respond("gpt-4o", askItem, `"messages":[]`), "Unknown parameter: 'messages'"},
		"a router's field":             {respond("gpt-4o", askItem, `"models":["a"]`), "Unknown parameter: 'models'"},
		"unknown in an item":           {respond("gpt-4o", `{"role":"user","content":"x","name":"Bob"}`), "input[0].name"},
		"unknown in a part":            {respond("gpt-4o", `{"role":"user","content":[{"type":"input_text","text":"x","cache_control":{}}]}`), "input[0].content[0].cache_control"},
		"unknown in reasoning":         {respond("gpt-5", askItem, `"reasoning":{"max_tokens":5}`), "reasoning.max_tokens"},
		"a part of another API":        {respond("gpt-4o", `{"role":"user","content":[{"type":"text","text":"x"}]}`), "input[0].content[0].type"},
		"a user's part of assistant":   {respond("gpt-4o", `{"role":"assistant","content":[{"type":"input_text","text":"x"}]}`), "input[0].content[0].type"},
		"a nested function":            {respond("gpt-4o", askItem, `"tools":[{"type":"function","function":{"name":"f"}}]`), "tools[0].function"},
		"too few tokens":               {respond("gpt-4o", askItem, `"max_output_tokens":15`), "max_output_tokens"},
		"an open schema":               {respond("gpt-4o", askItem, `"tools":[{"type":"function","name":"f","strict":true,"parameters":{"type":"object"}}]`), "additionalProperties"},
		"stored":                       {`{"model":"gpt-4o","input":"hi"}`, "store"},
		"a memory":                     {respond("gpt-4o", askItem, `"previous_response_id":"resp_1"`), "not found"},
		"an orphan":                    {respond("gpt-4o", askItem+`,`+outputItem), "No tool call found"},
		"a call left open":             {respond("gpt-4o", askItem+`,`+callItem), "No tool output found"},
		"a foreign id":                 {respond("gpt-4o", `{"type":"message","id":"gen-1","role":"assistant","content":"x"},`+askItem), "input[0].id"},
		"reasoning that led nowhere":   {respond("gpt-5", askItem+`,`+thoughtItem(Encrypted("gpt-5"))), "required following item"},
		"reasoning before the user":    {respond("gpt-5", thoughtItem(Encrypted("gpt-5"))+`,`+askItem), "required following item"},
		"another model's reasoning":    {respond("gpt-5", askItem+`,`+thoughtItem(Encrypted("o3"))+`,`+callItem+`,`+outputItem), "could not be verified"},
		"reasoning that is not stored": {respond("gpt-5", `{"type":"reasoning","id":"rs_1","summary":[]},`+callItem+`,`+outputItem), "not persisted"},
		"a model that cannot reason":   {respond("gpt-4o", askItem, `"reasoning":{"effort":"low"}`), "Unsupported parameter"},
		"nothing to encrypt":           {respond("gpt-4o", askItem, thinks), "Encrypted content is not supported"},
		"sampling while reasoning":     {respond("gpt-5", askItem, `"temperature":1`), "Unsupported parameter"},
		"a choice without tools":       {respond("gpt-4o", askItem, `"tool_choice":"required"`), "tools"},
	} {
		t.Run(name, func(t *testing.T) {
			response, body, err := f.post(t, test.body)
			var said struct {
				Error struct{ Message, Type string }
			}
			if err != nil || response.StatusCode != 400 || json.Unmarshal([]byte(body), &said) != nil || !strings.Contains(said.Error.Message, test.says) {
				t.Errorf("%v, %d: %s", err, response.StatusCode, body)
			}
		})
	}
}

// Each event says what the events before it have announced, under the next number.
func TestResponsesStream(t *testing.T) {
	f := startResponses(t)
	f.Enqueue(Answer{Reasoning: "let me see", Text: "one two", Image: "AAAA", ToolCalls: []ToolCall{{Name: "f", Arguments: `{"a":1}`}}})
	_, body, err := f.post(t, respond("gpt-5", askItem, flatTool, thinks, `"reasoning":{"summary":"auto"}`, `"stream":true`))
	if err != nil {
		t.Fatal(err)
	}
	number, text, open := 0, "", map[string]bool{}
	for part := range strings.SplitSeq(strings.TrimSpace(body), "\n\n") {
		_, data, _ := strings.Cut(part, "\ndata: ")
		var event struct {
			Type, Delta string
			Sequence    int    `json:"sequence_number"`
			ItemID      string `json:"item_id"`
			Item        struct{ ID, Type string }
		}
		if err := json.Unmarshal([]byte(data), &event); err != nil || event.Sequence != number || !strings.HasPrefix(part, "event: "+event.Type+"\n") {
			t.Fatalf("%v in %q", err, part)
		}
		number++
		switch event.Type {
		case "response.output_item.added":
			open[event.Item.ID] = true
		case "response.output_item.done":
			delete(open, event.Item.ID)
		case "response.output_text.delta":
			text += event.Delta
		}
		if event.ItemID != "" && !open[event.ItemID] {
			t.Errorf("%s is of no item that is open", part)
		}
	}
	if text != "one two" || len(open) > 0 || !strings.Contains(body, Encrypted("gpt-5")) {
		t.Errorf("%q, left open %v: %s", text, open, body)
	}
}
