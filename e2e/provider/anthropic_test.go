package provider

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// messageWith adds members to a valid request.
func messageWith(members string) string { return `{` + members + `,` + message[1:] }

// turns is a request with other messages and more members.
func turns(messages string, members ...string) string {
	return `{"model":"claude-sonnet-4-5","max_tokens":5000,"messages":[` + messages + `]` +
		strings.Join(append([]string{""}, members...), ",") + `}`
}

const (
	aTool      = `"tools":[{"name":"f","input_schema":{"type":"object"}}]`
	aToolUse   = `{"type":"tool_use","id":"a","name":"f","input":{}}`
	aResult    = `{"type":"tool_result","tool_use_id":"a","content":"1"}`
	thinkingOn = `"thinking":{"type":"enabled","budget_tokens":1024}`
)

// thought is a thinking block as the fake sends it.
func thought() string {
	return `{"type":"thinking","thinking":"hm","signature":"` + Signature("hm") + `"}`
}

func assistant(blocks string) string { return `{"role":"assistant","content":[` + blocks + `]}` }
func user(blocks string) string      { return `{"role":"user","content":[` + blocks + `]}` }

func TestAnthropicAccepts(t *testing.T) {
	f := startAnthropic(t)
	for name, body := range map[string]string{
		"the least":       message,
		"sampling":        messageWith(`"temperature":0.5,"top_k":3,"stop_sequences":["x"],"metadata":{"user_id":"u"}`),
		"system blocks":   messageWith(`"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}]`),
		"tools":           messageWith(aTool + `,"tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true}`),
		"a vendor's tool": messageWith(`"tools":[{"type":"web_search_20250305","name":"web_search"}]`),
		"thinking":        turns(userTurn, thinkingOn, `"temperature":1`),
		"prefill":         turns(userTurn + `,{"role":"assistant","content":"Sure,"}`),
		"an image": turns(user(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},` +
			`{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}`)),
		"a tool's result":  turns(userTurn+`,`+assistant(aToolUse)+`,`+user(aResult+`,{"type":"text","text":"go on"}`), aTool),
		"thought, tool":    turns(userTurn+`,`+assistant(thought()+`,`+aToolUse)+`,`+user(aResult), aTool, thinkingOn),
		"redacted thought": turns(userTurn + `,` + assistant(`{"type":"redacted_thinking","data":"`+redactedPrefix+`x"}`)),
		"a JSON schema":    messageWith(`"output_config":{"effort":"low","format":{"type":"json_schema","schema":{"type":"object","additionalProperties":false}}}`),
	} {
		t.Run(name, func(t *testing.T) {
			if response, body, err := f.post(t, body); err != nil || response.StatusCode != 200 {
				t.Errorf("refused: %v %s", err, body)
			}
		})
	}
}

func TestAnthropicRefuses(t *testing.T) {
	f := startAnthropic(t)
	for name, test := range map[string]struct{ body, says string }{
		"unknown field":         {messageWith(`"foo":1`), "foo: Extra inputs"},
		"OpenAI's field":        {messageWith(`"stop":["a"]`), "stop: Extra inputs"},
		"unknown in a block":    {turns(user(`{"type":"text","text":"x","id":1}`)), "messages.0.content.0.id: Extra inputs"},
		"unknown in a turn":     {turns(`{"role":"user","content":"x","name":"Bob"}`), "messages.0.name: Extra inputs"},
		"no max_tokens":         {`{"model":"m","messages":[` + userTurn + `]}`, "max_tokens: Field required"},
		"no messages":           {turns(``), "messages: at least one"},
		"a system role":         {turns(`{"role":"system","content":"x"},` + userTurn), "messages.0.role"},
		"a tool role":           {turns(userTurn + `,{"role":"tool","content":"x"}`), "messages.1.role"},
		"same role twice":       {turns(userTurn + `,` + userTurn), "must alternate"},
		"assistant first":       {turns(assistant(`{"type":"text","text":"x"}`)), "must alternate"},
		"empty text":            {turns(`{"role":"user","content":""}`), "non-empty"},
		"empty text block":      {turns(user(`{"type":"text","text":""}`)), "non-empty"},
		"blank text block":      {turns(user(`{"type":"text","text":" \n"}`)), "non-whitespace"},
		"no blocks":             {turns(user(``)), "at least one"},
		"prefill with a space":  {turns(userTurn + `,{"role":"assistant","content":"Sure, "}`), "trailing whitespace"},
		"too hot":               {messageWith(`"temperature":1.5`), "temperature: "},
		"image type":            {turns(user(`{"type":"image","source":{"type":"base64","media_type":"image/tiff","data":"AAAA"}}`)), "media_type"},
		"image data URL":        {turns(user(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"data:image/png;base64,AA"}}`)), "base64"},
		"OpenAI's image":        {turns(user(`{"type":"image_url","image_url":{"url":"https://a"}}`)), "messages.0.content.0.type"},
		"tool name":             {messageWith(`"tools":[{"name":"a.b","input_schema":{"type":"object"}}]`), "tools.0.name"},
		"OpenAI's tool":         {messageWith(`"tools":[{"type":"function","function":{"name":"f"}}]`), "tools.0.function: Extra inputs"},
		"tool without schema":   {messageWith(`"tools":[{"name":"f"}]`), "tools.0.input_schema: Field required"},
		"schema of no object":   {messageWith(`"tools":[{"name":"f","input_schema":{"type":"array"}}]`), "tools.0.input_schema.type"},
		"strict without beta":   {messageWith(`"tools":[{"name":"f","strict":true,"input_schema":{"type":"object"}}]`), "strict: Extra inputs"},
		"a name twice":          {messageWith(`"tools":[{"name":"f","input_schema":{"type":"object"}},{"name":"f","input_schema":{"type":"object"}}]`), "unique"},
		"choice without tools":  {messageWith(`"tool_choice":{"type":"auto"}`), "tool_choice"},
		"choice as a string":    {messageWith(aTool + `,"tool_choice":"auto"`), "tool_choice"},
		"choice of no tool":     {messageWith(aTool + `,"tool_choice":{"type":"tool","name":"g"}`), "not found"},
		"result without use":    {turns(user(aResult), aTool), "unexpected `tool_use_id`"},
		"use without result":    {turns(userTurn+`,`+assistant(aToolUse)+`,`+userTurn, aTool), "without `tool_result`"},
		"use left open":         {turns(userTurn+`,`+assistant(aToolUse), aTool), "without `tool_result`"},
		"result after text":     {turns(userTurn+`,`+assistant(aToolUse)+`,`+user(`{"type":"text","text":"x"},`+aResult), aTool), "must come first"},
		"one id twice":          {turns(userTurn+`,`+assistant(aToolUse+`,`+aToolUse)+`,`+user(aResult), aTool), "unique"},
		"id's characters":       {turns(userTurn+`,`+assistant(strings.Replace(aToolUse, `"a"`, `"a:b"`, 1))+`,`+user(aResult), aTool), "messages.1.content.0.id"},
		"string input":          {turns(userTurn+`,`+assistant(`{"type":"tool_use","id":"a","name":"f","input":"{}"}`), aTool), "input"},
		"history without tools": {turns(userTurn + `,` + assistant(aToolUse) + `,` + user(aResult)), "must define tools"},
		"thinking changed":      {turns(userTurn + `,` + assistant(strings.Replace(thought(), `"hm"`, `"hmm"`, 1)) + `,` + userTurn), "Invalid `signature`"},
		"thinking unsigned":     {turns(userTurn + `,` + assistant(`{"type":"thinking","thinking":"hm"}`)), "signature: Field required"},
		"foreign redaction":     {turns(userTurn + `,` + assistant(`{"type":"redacted_thinking","data":"x"}`)), "Invalid `data`"},
		"small budget":          {turns(userTurn, `"thinking":{"type":"enabled","budget_tokens":1023}`), "budget_tokens"},
		"budget over limit":     {turns(userTurn, `"thinking":{"type":"enabled","budget_tokens":5000}`), "greater than `thinking.budget_tokens`"},
		"thinking, temperature": {turns(userTurn, thinkingOn, `"temperature":0.5`), "`temperature` may only"},
		"thinking, top_k":       {turns(userTurn, thinkingOn, `"top_k":5`), "`top_k`"},
		"thinking, top_p":       {turns(userTurn, thinkingOn, `"top_p":0.5`), "`top_p`"},
		"thinking, forced tool": {turns(userTurn, thinkingOn, aTool, `"tool_choice":{"type":"any"}`), "forces tool use"},
		"thinking, prefill":     {turns(userTurn+`,`+assistant(`{"type":"text","text":"x"}`), thinkingOn), "Prefilling"},
		"thought left out":      {turns(userTurn+`,`+assistant(aToolUse)+`,`+user(aResult), aTool, thinkingOn), "must start with a thinking block"},
		"a bound in the schema": {messageWith(`"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"a":{"type":"integer","minimum":1}},"additionalProperties":false}}}`), "'minimum' is not supported"},
		"open output schema":    {messageWith(`"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}`), "additionalProperties"},
		"five breakpoints":      {turns(user(strings.Repeat(`{"type":"text","text":"x","cache_control":{"type":"ephemeral"}},`, 4) + `{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}`)), "maximum of 4"},
		"blank stop":            {messageWith(`"stop_sequences":[" "]`), "stop_sequences.0"},
		"broken JSON":           {`{`, "parse the JSON"},
		"a client's key":        {turns(`{"role":"user","content":"sk-gateway"}`), "Leaked"},
	} {
		t.Run(name, func(t *testing.T) {
			f.Reset()
			response, body, err := f.post(t, test.body)
			if err != nil || response.StatusCode != http.StatusBadRequest {
				t.Fatalf("status %d, error %v, want 400: %s", response.StatusCode, err, body)
			}
			var answer struct {
				Type      string
				Error     struct{ Type, Message string }
				RequestID string `json:"request_id"`
			}
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatal(err)
			}
			if answer.Type != "error" || answer.Error.Type != "invalid_request_error" || answer.RequestID == "" {
				t.Errorf("not Anthropic's error shape: %s", body)
			}
			if !strings.Contains(answer.Error.Message, test.says) {
				t.Errorf("message %q, want it to say %q", answer.Error.Message, test.says)
			}
			if len(f.Violations()) != 1 {
				t.Errorf("violations: %q, want one", f.Violations())
			}
		})
	}
}

func TestAnthropicHeaders(t *testing.T) {
	f := startAnthropic(t)
	for name, test := range map[string]struct {
		name, value, body string
		want              int
	}{
		"no key":                         {"X-Api-Key", "", message, http.StatusUnauthorized},
		"wrong key":                      {"X-Api-Key", "wrong", message, http.StatusUnauthorized},
		"no version":                     {"Anthropic-Version", "", message, http.StatusBadRequest},
		"unknown version":                {"Anthropic-Version", "2020-01-01", message, http.StatusBadRequest},
		"newer version":                  {"Anthropic-Version", version2026, message, http.StatusOK},
		"newer version with temperature": {"Anthropic-Version", version2026, messageWith(`"temperature":1`), http.StatusBadRequest},
		"unknown beta":                   {"Anthropic-Beta", "interleaved-thinking-2025-05-14, foo", message, http.StatusBadRequest},
		"known beta":                     {"Anthropic-Beta", "interleaved-thinking-2025-05-14", message, http.StatusOK},
		"strict tools in their beta": {"Anthropic-Beta", "structured-outputs-2025-11-13",
			messageWith(`"tools":[{"name":"f","strict":true,"input_schema":{"type":"object"}}]`), http.StatusOK},
		"OpenAI's header": {"Openai-Organization", "org", message, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			header := f.header.Clone()
			defer func() { f.header = header }()
			f.header = header.Clone()
			f.header.Set(test.name, test.value)
			if test.value == "" {
				f.header.Del(test.name)
			}
			response, body, err := f.post(t, test.body)
			if err != nil || response.StatusCode != test.want {
				t.Errorf("status %d, error %v, want %d: %s", response.StatusCode, err, test.want, body)
			}
		})
	}
}

func TestAnthropicTakesABearerToken(t *testing.T) {
	f := startAnthropic(t)
	f.header.Del("X-Api-Key")
	f.header.Set("Authorization", "Bearer "+testKey)
	if response, body, err := f.post(t, message); err != nil || response.StatusCode != 200 {
		t.Errorf("error %v: %s", err, body)
	}
}
