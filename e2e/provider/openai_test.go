package provider

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// chatWith adds members to a valid request.
func chatWith(members string) string { return `{` + members + `,` + chat[1:] }

// conversation is a request with other messages.
func conversation(messages string) string {
	return `{"model":"gpt-4o-mini","messages":[` + messages + `]}`
}

const (
	oneTool  = `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]`
	oneCall  = `{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}`
	userTurn = `{"role":"user","content":"hi"}`
)

func TestOpenAIAccepts(t *testing.T) {
	f := startOpenAI(t)
	for name, body := range map[string]string{
		"the least":      chat,
		"sampling":       chatWith(`"temperature":1,"top_p":0.5,"seed":7,"stop":["a","b"],"max_completion_tokens":9,"logit_bias":{"5":-100}`),
		"nullable nulls": chatWith(`"temperature":null,"stop":null,"stream":null,"max_tokens":null`),
		"tools":          chatWith(oneTool + `,"tool_choice":"auto","parallel_tool_calls":false`),
		"a named tool":   chatWith(oneTool + `,"tool_choice":{"type":"function","function":{"name":"f"}}`),
		"a tool's result": conversation(userTurn + `,` + oneCall + `,{"role":"tool","tool_call_id":"a","content":"1"},` +
			userTurn),
		"an image": conversation(`{"role":"user","content":[{"type":"text","text":"?"},` +
			`{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}}]}`),
		"logprobs": chatWith(`"logprobs":true,"top_logprobs":2`),
		"a strict schema": chatWith(`"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,` +
			`"schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}}}`),
		"usage in the stream": chatWith(`"stream":true,"stream_options":{"include_usage":true}`),
		"a reasoning model": `{"model":"gpt-5-mini","max_completion_tokens":9,"reasoning_effort":"low",` +
			`"temperature":1,"messages":[` + userTurn + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if response, body, err := f.post(t, body); err != nil || response.StatusCode != 200 {
				t.Errorf("refused: %v %s", err, body)
			}
		})
	}
}

func TestOpenAIRefuses(t *testing.T) {
	f := startOpenAI(t)
	for name, test := range map[string]struct {
		body  string
		param string
		code  string
	}{
		"unknown field":          {chatWith(`"top_k":5`), "top_k", "unknown_parameter"},
		"a router's field":       {chatWith(`"provider":{"order":["a"]}`), "provider", "unknown_parameter"},
		"usage.include":          {chatWith(`"usage":{"include":true}`), "usage", "unknown_parameter"},
		"unknown in a message":   {conversation(`{"role":"user","content":"x","cache_control":{}}`), "messages[0].cache_control", "unknown_parameter"},
		"reasoning in history":   {conversation(userTurn + `,{"role":"assistant","content":"x","reasoning":"y"}`), "messages[1].reasoning", "unknown_parameter"},
		"null tool calls":        {conversation(userTurn + `,{"role":"assistant","content":"x","tool_calls":null}`), "messages[1].tool_calls", "invalid_type"},
		"unknown in a part":      {conversation(`{"role":"user","content":[{"type":"text","text":"x","cache_control":{}}]}`), "messages[0].content[0].cache_control", "unknown_parameter"},
		"unknown in a tool":      {chatWith(`"tools":[{"type":"function","function":{"name":"f","extra":1}}]`), "tools[0].function.extra", "unknown_parameter"},
		"missing model":          {`{"messages":[` + userTurn + `]}`, "model", "missing_required_parameter"},
		"missing messages":       {`{"model":"gpt-4o-mini"}`, "messages", "missing_required_parameter"},
		"no messages":            {conversation(``), "messages", "empty_array"},
		"empty tools":            {chatWith(`"tools":[]`), "tools", "empty_array"},
		"wrong type":             {chatWith(`"max_tokens":"9"`), "max_tokens", "invalid_type"},
		"fraction of a token":    {chatWith(`"max_tokens":1.5`), "max_tokens", "invalid_type"},
		"too hot":                {chatWith(`"temperature":2.5`), "temperature", "decimal_out_of_range"},
		"wrong role":             {conversation(`{"role":"model","content":"x"}`), "messages[0].role", "invalid_value"},
		"wrong part":             {conversation(`{"role":"user","content":[{"type":"video_url"}]}`), "messages[0].content[0].type", "invalid_value"},
		"wrong image":            {conversation(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/tiff;base64,AA"}}]}`), "messages[0].content[0].image_url.url", "invalid_value"},
		"wrong tool name":        {chatWith(`"tools":[{"type":"function","function":{"name":"a b"}}]`), "tools[0].function.name", "invalid_value"},
		"result without call":    {conversation(`{"role":"tool","tool_call_id":"a","content":"1"}`), "messages.[0].role", ""},
		"call without result":    {conversation(userTurn + `,` + oneCall + `,` + userTurn), "messages", ""},
		"result too late":        {conversation(userTurn + `,` + oneCall + `,` + userTurn + `,{"role":"tool","tool_call_id":"a","content":"1"}`), "messages", ""},
		"call left open":         {conversation(userTurn + `,` + oneCall), "messages", ""},
		"empty assistant":        {conversation(userTurn + `,{"role":"assistant","content":null}`), "messages.[1].content", ""},
		"choice without tools":   {chatWith(`"tool_choice":"auto"`), "tool_choice", ""},
		"parallel without tools": {chatWith(`"parallel_tool_calls":true`), "parallel_tool_calls", ""},
		"options without stream": {chatWith(`"stream_options":{"include_usage":true}`), "stream_options", ""},
		"top without logprobs":   {chatWith(`"top_logprobs":2`), "top_logprobs", ""},
		"both token limits":      {chatWith(`"max_tokens":1,"max_completion_tokens":1`), "max_tokens", ""},
		"five stops":             {chatWith(`"stop":["1","2","3","4","5"]`), "stop", "array_above_max_length"},
		"JSON mode without JSON": {chatWith(`"response_format":{"type":"json_object"}`), "messages", ""},
		"open strict schema":     {chatWith(`"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object"}}}`), "response_format", ""},
		"optional in strict":     {chatWith(`"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","additionalProperties":false,"properties":{"a":{}}}}}`), "response_format", ""},
		"old limit, new model":   {`{"model":"o3","max_tokens":9,"messages":[` + userTurn + `]}`, "max_tokens", "unsupported_parameter"},
		"temperature, new model": {`{"model":"gpt-5","temperature":0.5,"messages":[` + userTurn + `]}`, "temperature", "unsupported_value"},
		"effort, plain model":    {chatWith(`"reasoning_effort":"low"`), "reasoning_effort", "unsupported_parameter"},
		"broken JSON":            {`{`, "", ""},
		"duplicate key":          {`{"model":"a",` + chat[1:], "", ""},
		"invalid UTF-8":          {conversation("{\"role\":\"user\",\"content\":\"\xff\"}"), "", ""},
		"not an object":          {`[]`, "", ""},
		"a client's key":         {conversation(`{"role":"user","content":"sk-gateway"}`), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f.Reset()
			response, body, err := f.post(t, test.body)
			if err != nil || response.StatusCode != http.StatusBadRequest {
				t.Fatalf("status %d, error %v, want 400: %s", response.StatusCode, err, body)
			}
			var answer struct {
				Error struct{ Message, Type, Param, Code string }
			}
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatal(err)
			}
			got := answer.Error
			if got.Message == "" || got.Type != "invalid_request_error" || got.Param != test.param || got.Code != test.code {
				t.Errorf("error %+v, want param %q and code %q", got, test.param, test.code)
			}
			if len(f.Violations()) != 1 {
				t.Errorf("violations: %q, want one", f.Violations())
			}
		})
	}
}

func TestOpenAIAuthentication(t *testing.T) {
	f := startOpenAI(t)
	for name, test := range map[string]struct{ authorization, code string }{
		"missing":   {"", `"code":null`},
		"no bearer": {testKey, `"code":null`},
		"wrong":     {"Bearer sk-wrong-4711-abcd", `"code":"invalid_api_key"`},
	} {
		t.Run(name, func(t *testing.T) {
			f.header.Del("Authorization")
			if test.authorization != "" {
				f.header.Set("Authorization", test.authorization)
			}
			response, body, err := f.post(t, chat)
			if err != nil || response.StatusCode != http.StatusUnauthorized || !strings.Contains(body, test.code) {
				t.Errorf("status %d, error %v: %s", response.StatusCode, err, body)
			}
			if strings.Contains(body, "sk-wrong-4711-abcd") {
				t.Errorf("the error shows the whole key: %s", body)
			}
		})
	}
}

func TestOpenAIKnowsItsModels(t *testing.T) {
	f := start(t, OpenAI(Config{Key: testKey, Models: []string{"gpt-4o"}}), Network{})
	response, body, err := f.post(t, chat)
	if err != nil || response.StatusCode != http.StatusNotFound || !strings.Contains(body, `"model_not_found"`) {
		t.Errorf("status %d, error %v: %s", response.StatusCode, err, body)
	}
}
