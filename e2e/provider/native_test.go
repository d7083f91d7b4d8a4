package provider

import (
	"net/http"
	"strings"
	"testing"
)

// judged is a request and what a fake is to say of it.
type judged struct {
	path, body string
	status     int
	says       string
}

// judges posts requests to a fake, each to its own path below base.
func judges(t *testing.T, vendor func(Config) *Provider, tests map[string]judged) {
	t.Helper()
	f := startTask(t, vendor)
	root := "http://" + f.server.Address
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f.url = root + test.path
			response, body, err := f.post(t, test.body)
			if err != nil || response.StatusCode != test.status || !strings.Contains(body, test.says) {
				t.Errorf("%v, status %d, want %d and %q: %s", err, response.StatusCode, test.status, test.says, body)
			}
			for name := range f.VendorHeaders() {
				if response.StatusCode == http.StatusOK && response.Header.Get(name) == "" {
					t.Errorf("the vendor's own header %s is missing", name)
				}
			}
		})
	}
}

const (
	someQuestion = `{"role":"user","content":"hi"}`
	someCall     = `{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}`
	someTool     = `{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}`
)

func TestCohere(t *testing.T) {
	chat := func(messages string, members ...string) string {
		return `{"model":"m","messages":[` + messages + `]` + strings.Join(append([]string{""}, members...), ",") + `}`
	}
	judges(t, Cohere, map[string]judged{
		"the least":              {"/v2/chat", chat(someQuestion), 200, `"finish_reason":"COMPLETE"`},
		"what is billed":         {"/v2/chat", chat(someQuestion), 200, `"billed_units":{"input_tokens":11,"output_tokens":7},"tokens":{"input_tokens":491`},
		"a stream":               {"/v2/chat", chat(someQuestion, `"stream":true`), 200, "event: message-end\n"},
		"a tool turn":            {"/v2/chat", chat(someQuestion + `,` + someCall + `,{"role":"tool","tool_call_id":"a","content":[{"type":"document","document":{"data":{"x":1}}}]}`), 200, "COMPLETE"},
		"unknown field":          {"/v2/chat", chat(someQuestion, `"top_p":0.5`), 422, "parameter 'top_p' is not a valid field"},
		"unknown in a message":   {"/v2/chat", chat(`{"role":"user","content":"hi","name":"Bob"}`), 422, "messages.0.name"},
		"a developer":            {"/v2/chat", chat(`{"role":"developer","content":"x"}`), 400, "messages.0.role"},
		"an empty text":          {"/v2/chat", chat(`{"role":"user","content":""}`), 400, "messages.0.content"},
		"p beyond its range":     {"/v2/chat", chat(someQuestion, `"p":1`), 400, "0.01 to 0.99"},
		"a negative penalty":     {"/v2/chat", chat(someQuestion, `"frequency_penalty":-1`), 400, "frequency_penalty"},
		"six stops":              {"/v2/chat", chat(someQuestion, `"stop_sequences":["a","b","c","d","e","f"]`), 400, "at most 5"},
		"a choice without tools": {"/v2/chat", chat(someQuestion, `"tool_choice":"REQUIRED"`), 400, "need tools"},
		"a tool by name":         {"/v2/chat", chat(someQuestion, `"tools":[`+someTool+`]`, `"tool_choice":{"type":"function"}`), 400, "tool_choice"},
		"a form beside tools":    {"/v2/chat", chat(someQuestion, `"tools":[`+someTool+`]`, `"response_format":{"type":"json_object"}`), 400, "response_format"},
		"a function of nothing":  {"/v2/chat", chat(someQuestion, `"tools":[{"type":"function","function":{"name":"f"}}]`), 400, "parameters"},
		"a call unanswered":      {"/v2/chat", chat(someQuestion + `,` + someCall + `,` + someQuestion), 400, "have no results"},
		"an answer to nothing":   {"/v2/chat", chat(someQuestion + `,{"role":"tool","tool_call_id":"a","content":"x"}`), 400, "of no call"},
		"an image from a tool":   {"/v2/chat", chat(someQuestion + `,` + someCall + `,{"role":"tool","tool_call_id":"a","content":[{"type":"image_url","image_url":{"url":"https://a"}}]}`), 400, "content.0.type"},
		"a plan without calls":   {"/v2/chat", chat(someQuestion + `,{"role":"assistant","content":"x","tool_plan":"p"}`), 400, "tool_plan"},
		"vectors":                {"/v2/embed", `{"model":"m","input_type":"search_document","texts":["a","b"]}`, 200, `"float":[[0.5,-0.25,0.001],[1.5,-0.25,0.001]]`},
		"vectors for nothing":    {"/v2/embed", `{"model":"m","texts":["a"]}`, 400, "input_type"},
		"OpenAI's inputs":        {"/v2/embed", `{"model":"m","input_type":"search_document","input":["a"]}`, 422, "input"},
		"too many texts":         {"/v2/embed", `{"model":"m","input_type":"search_document","texts":["a"` + strings.Repeat(`,"a"`, 96) + `]}`, 400, "at most 96"},
		"an image by URL":        {"/v2/embed", `{"model":"m","input_type":"image","inputs":[{"content":[{"type":"image_url","image_url":{"url":"https://a"}}]}]}`, 400, "url"},
		"an order":               {"/v2/rerank", `{"model":"m","query":"q","documents":["a","b"]}`, 200, `"search_units":1`},
		"the older version":      {"/v1/chat", `{"message":"hi"}`, 404, "Invalid URL"},
	})
}

func TestOllama(t *testing.T) {
	chat := func(messages string, members ...string) string {
		return `{"model":"m","stream":false,"messages":[` + messages + `]` + strings.Join(append([]string{""}, members...), ",") + `}`
	}
	const call = `{"role":"assistant","content":"","tool_calls":[{"id":"a","function":{"name":"f","arguments":{}}}]}`
	judges(t, Ollama, map[string]judged{
		"the least":                {"/api/chat", chat(someQuestion), 200, `"done":true,"done_reason":"stop"`},
		"a stream unless told":     {"/api/chat", `{"model":"m","messages":[` + someQuestion + `]}`, 200, "\"model\":\"m\"}\n{"},
		"options":                  {"/api/chat", chat(someQuestion, `"options":{"num_ctx":8192,"stop":["a"]}`, `"keep_alive":"10m"`, `"think":"max"`), 200, "done"},
		"a tool turn":              {"/api/chat", chat(someQuestion + `,` + call + `,{"role":"tool","content":"x","tool_name":"f","tool_call_id":"a"}`), 200, "done"},
		"an unknown option":        {"/api/chat", chat(someQuestion, `"options":{"max_tokens":1}`), 400, "options.max_tokens"},
		"OpenAI's bound":           {"/api/chat", chat(someQuestion, `"max_tokens":1`), 400, "max_tokens"},
		"content that is parts":    {"/api/chat", chat(`{"role":"user","content":[{"type":"text","text":"x"}]}`), 400, "cannot unmarshal an array"},
		"an image by URL":          {"/api/chat", chat(`{"role":"user","content":"x","images":["https://a/b.png"]}`), 400, "base64"},
		"a data URL":               {"/api/chat", chat(`{"role":"user","content":"x","images":["data:image/png;base64,AA=="]}`), 400, "base64"},
		"arguments that are text":  {"/api/chat", chat(strings.Replace(someQuestion+`,`+call, `"arguments":{}`, `"arguments":"{}"`, 1)), 400, "arguments"},
		"a result of another tool": {"/api/chat", chat(someQuestion + `,` + call + `,{"role":"tool","content":"x","tool_name":"g","tool_call_id":"a"}`), 400, "result of no call"},
		"a level that is none":     {"/api/chat", chat(someQuestion, `"think":"minimal"`), 400, "think"},
		"vectors":                  {"/api/embed", `{"model":"m","input":["a","b"]}`, 200, `"embeddings":[[0.5,-0.25,0.001],[1.5,-0.25,0.001]]`},
		"tokens":                   {"/api/embed", `{"model":"m","input":[1]}`, 400, "input.0"},
		"the other dialect":        {"/v1/chat/completions", chat(someQuestion), 404, "Invalid URL"},
	})
}

func TestGeminiEmbeddings(t *testing.T) {
	request := func(model, members string) string {
		return `{"requests":[{"model":"models/` + model + `","content":{"parts":[{"text":"a"}]}` + members + `}]}`
	}
	judges(t, Gemini, map[string]judged{
		"a vector":          {"/v1beta/models/m:batchEmbedContents", request("m", `,"outputDimensionality":768,"taskType":"CLUSTERING"`), 200, `"embeddings":[{"values":[0.5,-0.25,0.001]}]`},
		"another model":     {"/v1beta/models/m:batchEmbedContents", request("x", ``), 400, "that of the batch"},
		"an unknown task":   {"/v1beta/models/m:batchEmbedContents", request("m", `,"taskType":"search_query"`), 400, "taskType"},
		"OpenAI's field":    {"/v1beta/models/m:batchEmbedContents", request("m", `,"dimensions":2`), 400, "dimensions"},
		"a title for none":  {"/v1beta/models/m:batchEmbedContents", request("m", `,"title":"t"`), 400, "documents only"},
		"nothing to embed":  {"/v1beta/models/m:batchEmbedContents", `{"requests":[]}`, 400, "requests"},
		"the single method": {"/v1beta/models/m:embedContent", `{"content":{"parts":[{"text":"a"}]}}`, 404, "Invalid URL"},
	})
}
