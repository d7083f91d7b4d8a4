package provider

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// contentsWith adds members to a valid request of generateContent.
func contentsWith(members string) string { return `{` + members + `,` + contents[1:] }

// geminiRequestOf is a request with other contents and more members.
func geminiRequestOf(turns string, members ...string) string {
	return `{"contents":[` + turns + `]` + strings.Join(append([]string{""}, members...), ",") + `}`
}

func geminiUser(parts string) string  { return `{"role":"user","parts":[` + parts + `]}` }
func geminiModel(parts string) string { return `{"role":"model","parts":[` + parts + `]}` }

const (
	geminiHi     = `{"role":"user","parts":[{"text":"hi"}]}`
	geminiF      = `"tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":{"type":"object","additionalProperties":false}}]}]`
	geminiResult = `{"functionResponse":{"id":"a","name":"f","response":{"output":"1"}}}`
)

// geminiSigned is a call as the fake makes it.
func geminiSigned() string {
	call := map[string]any{"functionCall": map[string]any{"id": "a", "name": "f", "args": map[string]any{}}}
	call["thoughtSignature"] = geminiSignature(call)
	return encode(call)
}

func TestGeminiAccepts(t *testing.T) {
	f := startGemini(t)
	unsigned := `{"functionCall":{"id":"a","name":"f","args":{}}}`
	for name, body := range map[string]string{
		"the least":    contents,
		"sampling":     contentsWith(`"generationConfig":{"temperature":2,"topP":0.5,"topK":40,"seed":-7,"maxOutputTokens":9,"candidateCount":2,"stopSequences":["a"]}`),
		"instructions": contentsWith(`"systemInstruction":{"parts":[{"text":"s"}]}`),
		"thinking":     contentsWith(`"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"high"}}`),
		"tools":        contentsWith(geminiF + `,"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}}`),
		"the older schema": contentsWith(`"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT",` +
			`"properties":{"a":{"type":"string","nullable":true}}}}]}]`),
		"a form":          contentsWith(`"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":["object","null"],"const":1}}`),
		"media":           geminiRequestOf(geminiUser(`{"inlineData":{"mimeType":"image/png","data":"AAAA"}},{"fileData":{"mimeType":"image/png","fileUri":"https://a/b.png"}}`)),
		"a tool's result": geminiRequestOf(geminiHi+`,`+geminiModel(geminiSigned())+`,`+geminiUser(geminiResult)+`,`+geminiHi, geminiF),
		"a call whose signature is skipped": geminiRequestOf(geminiHi+`,`+geminiModel(`{"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"`+geminiSkip+`"}`)+
			`,`+geminiUser(geminiResult), geminiF),
		"a call of a turn that is over": geminiRequestOf(geminiHi+`,`+geminiModel(unsigned)+`,`+geminiUser(geminiResult)+`,`+geminiHi, geminiF),
		"a signature of no text":        geminiRequestOf(geminiHi + `,` + geminiModel(`{"text":"","thoughtSignature":"`+Signature("text")+`"}`) + `,` + geminiHi),
	} {
		t.Run(name, func(t *testing.T) {
			if response, body, err := f.post(t, body); err != nil || response.StatusCode != 200 {
				t.Errorf("refused: %v %s", err, body)
			}
		})
	}
}

func TestGeminiRefuses(t *testing.T) {
	f := startGemini(t)
	parameters := func(schema string) string {
		return contentsWith(`"tools":[{"functionDeclarations":[{"name":"f","parameters":` + schema + `}]}]`)
	}
	config := func(members string) string { return contentsWith(`"generationConfig":{` + members + `}`) }
	calls := geminiModel(geminiSigned())
	for name, test := range map[string]struct{ body, says string }{
		"unknown field":            {contentsWith(`"foo":1`), `Unknown name "foo": Cannot find field.`},
		"unknown in a setting":     {config(`"max_tokens":1`), `Unknown name "max_tokens" at 'generationConfig'`},
		"unknown in a part":        {geminiRequestOf(geminiUser(`{"text":"x","cache_control":{}}`)), `Unknown name "cache_control" at 'contents[0].parts[0]'`},
		"OpenAI's messages":        {contentsWith(`"messages":[]`), `Unknown name "messages"`},
		"no contents":              {geminiRequestOf(``), "contents is not specified"},
		"a system role":            {geminiRequestOf(`{"role":"system","parts":[{"text":"x"}]}`), "contents[0].role"},
		"an assistant role":        {geminiRequestOf(geminiHi + `,{"role":"assistant","parts":[{"text":"x"}]}`), "contents[1].role"},
		"the model first":          {geminiRequestOf(geminiModel(`{"text":"x"}`)), "begin with a user turn"},
		"no parts":                 {geminiRequestOf(geminiUser(``)), "parts is not specified"},
		"an empty part":            {geminiRequestOf(geminiUser(`{}`)), "oneof field 'data'"},
		"two kinds of data":        {geminiRequestOf(geminiUser(`{"text":"x","inlineData":{"mimeType":"image/png","data":"AAAA"}}`)), "oneof field 'data'"},
		"empty text":               {geminiRequestOf(geminiUser(`{"text":""}`)), "empty"},
		"a data URL":               {geminiRequestOf(geminiUser(`{"inlineData":{"mimeType":"image/png","data":"data:image/png;base64,AA"}}`)), "inlineData.data"},
		"additionalProperties":     {parameters(`{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`), `Unknown name "additionalProperties" at 'tools[0].functionDeclarations[0].parameters'`},
		"a reference":              {parameters(`{"$ref":"#/x"}`), `Unknown name "$ref"`},
		"const":                    {parameters(`{"const":"x"}`), `Unknown name "const"`},
		"a list of types":          {parameters(`{"type":["string","null"]}`), "parameters.type"},
		"an empty object":          {parameters(`{"type":"object"}`), "should be non-empty"},
		"what stands beside a ref": {contentsWith(`"tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":{"$ref":"#/x","description":"d"}}]}]`), "no field beside $ref"},
		"a tool's name":            {contentsWith(`"tools":[{"functionDeclarations":[{"name":"1f"}]}]`), "functionDeclarations[0].name"},
		"OpenAI's tool":            {contentsWith(`"tools":[{"type":"function"}]`), `Unknown name "type" at 'tools[0]'`},
		"a name twice":             {contentsWith(`"tools":[{"functionDeclarations":[{"name":"f"},{"name":"f"}]}]`), "Duplicate function declaration"},
		"a search beside tools":    {contentsWith(`"tools":[{"functionDeclarations":[{"name":"f"}]},{"googleSearch":{}}]`), "cannot be combined"},
		"a choice without tools":   {contentsWith(`"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}`), "without function_declarations"},
		"a choice of no tool":      {contentsWith(geminiF + `,"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["g"]}}`), "not declared"},
		"a result without a call":  {geminiRequestOf(geminiUser(geminiResult), geminiF), "immediately after a function call turn"},
		"a call without a result":  {geminiRequestOf(geminiHi+`,`+calls+`,`+geminiHi, geminiF), "number of function response parts"},
		"too many results":         {geminiRequestOf(geminiHi+`,`+calls+`,`+geminiUser(geminiResult+`,`+geminiResult), geminiF), "number of function response parts"},
		"another tool's result":    {geminiRequestOf(geminiHi+`,`+calls+`,`+geminiUser(strings.Replace(geminiResult, `"f"`, `"g"`, 1)), geminiF), "answers no function call"},
		"a result and text":        {geminiRequestOf(geminiHi+`,`+calls+`,`+geminiUser(geminiResult+`,{"text":"x"}`), geminiF), "no other parts"},
		"a result as text":         {geminiRequestOf(geminiHi+`,`+calls+`,`+geminiUser(strings.Replace(geminiResult, `{"output":"1"}`, `"1"`, 1)), geminiF), "functionResponse.response"},
		"a call without signature": {geminiRequestOf(geminiHi+`,`+geminiModel(`{"functionCall":{"id":"a","name":"f"}}`)+`,`+geminiUser(geminiResult), geminiF), "missing a thought_signature"},
		"a foreign signature":      {geminiRequestOf(geminiHi+`,`+geminiModel(`{"text":"x","thoughtSignature":"gAAAA"}`)+`,`+geminiHi, geminiF), "Thought signature is not valid"},
		"level and budget":         {config(`"thinkingConfig":{"thinkingLevel":"low","thinkingBudget":1}`), "only one of thinking budget and thinking level"},
		"a level in capitals":      {config(`"thinkingConfig":{"thinkingLevel":"xhigh"}`), "thinkingLevel"},
		"too hot":                  {config(`"temperature":2.5`), "in the range"},
		"a seed beyond 32 bits":    {config(`"seed":3000000000`), "in the range"},
		"six stop sequences":       {config(`"stopSequences":["a","b","c","d","e","f"]`), "stopSequences"},
		"a penalty":                {config(`"frequencyPenalty":1`), "Penalty is not enabled"},
		"a schema of no form":      {config(`"responseJsonSchema":{}`), "response_mime_type"},
		"broken JSON":              {`{`, "parse the JSON"},
		"a client's key":           {geminiRequestOf(geminiUser(`{"text":"sk-gateway"}`)), "Leaked"},
	} {
		t.Run(name, func(t *testing.T) {
			f.Reset()
			response, body, err := f.post(t, test.body)
			if err != nil || response.StatusCode != http.StatusBadRequest {
				t.Fatalf("status %d, error %v, want 400: %s", response.StatusCode, err, body)
			}
			if failure := geminiFailure(t, body); failure.Code != 400 || failure.Status != "INVALID_ARGUMENT" || !strings.Contains(failure.Message, test.says) {
				t.Errorf("%s, want it to say %q", body, test.says)
			}
			if len(f.Violations()) != 1 {
				t.Errorf("violations: %q, want one", f.Violations())
			}
		})
	}
}

type googleError struct {
	Code            int
	Message, Status string
	Details         []struct{ Reason, RetryDelay string }
}

func geminiFailure(t *testing.T, body string) googleError {
	t.Helper()
	var answer struct{ Error googleError }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return answer.Error
}

// What only the second generation refuses.
func TestGeminiRefusesByModel(t *testing.T) {
	f := startGemini(t)
	f.url = strings.Replace(f.url, "gemini-3-flash-preview", "gemini-2.5-flash", 1)
	for name, test := range map[string]struct{ body, says string }{
		"a level":        {contentsWith(`"generationConfig":{"thinkingConfig":{"thinkingLevel":"low"}}`), "Thinking level is not supported"},
		"a great budget": {contentsWith(`"generationConfig":{"thinkingConfig":{"thinkingBudget":30000}}`), "thinking budget 30000 is invalid"},
		"tools and JSON": {contentsWith(geminiF + `,"generationConfig":{"responseMimeType":"application/json"}`), "is unsupported"},
	} {
		if response, body, err := f.post(t, test.body); err != nil || response.StatusCode != 400 || !strings.Contains(body, test.says) {
			t.Errorf("%s: %v %s", name, err, body)
		}
	}
}

func TestGeminiHeadersAndTargets(t *testing.T) {
	f := startGemini(t)
	for name, test := range map[string]struct {
		name, value string
		status      int
	}{
		"no key":            {"X-Goog-Api-Key", "", http.StatusForbidden},
		"wrong key":         {"X-Goog-Api-Key", "wrong", http.StatusBadRequest},
		"a bearer token":    {"Authorization", "Bearer " + testKey, http.StatusBadRequest},
		"Anthropic's":       {"Anthropic-Version", version2023, http.StatusBadRequest},
		"another's API key": {"X-Api-Key", testKey, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			header := f.header.Clone()
			defer func() { f.header = header }()
			f.header = header.Clone()
			f.header.Set(test.name, test.value)
			if test.value == "" {
				f.header.Del(test.name)
			}
			response, body, err := f.post(t, contents)
			if err != nil || response.StatusCode != test.status {
				t.Errorf("status %d, error %v: %s", response.StatusCode, err, body)
			}
			if failure := geminiFailure(t, body); name == "wrong key" && (len(failure.Details) != 1 || failure.Details[0].Reason != "API_KEY_INVALID") {
				t.Errorf("the details of %s", body)
			}
		})
	}
	whole := f.url
	for _, target := range []string{":streamGenerateContent", ":countTokens", ""} {
		f.url = strings.TrimSuffix(whole, ":generateContent") + target
		if response, _, err := f.post(t, contents); err != nil || response.StatusCode != http.StatusNotFound {
			t.Errorf("%q: status %d, error %v", target, response.StatusCode, err)
		}
	}
}

func TestGeminiAnswers(t *testing.T) {
	f := startGemini(t)
	answer := Answer{Reasoning: "hm hm", Text: "a b", ToolCalls: []ToolCall{{Name: "f"}, {Name: "g"}}, Usage: Usage{Input: 9, CacheRead: 4, Output: 7, Reasoning: 2}}
	f.Enqueue(answer, answer, Failure{Status: 429, RetryAfter: "7"})
	_, whole, err := f.post(t, contents)
	if err != nil {
		t.Fatal(err)
	}
	f.url = strings.Replace(f.url, ":generateContent", ":streamGenerateContent?alt=sse", 1)
	response, streamed, err := f.post(t, contents)
	if err != nil || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatal(err, response.Header)
	}
	for how, body := range map[string]string{"whole": whole, "streamed": streamed} {
		for part, times := range map[string]int{
			`"thoughtSignature"`: 2, `"finishReason":"STOP"`: 1, `"functionCall"`: 2, `"cachedContentTokenCount":4`: 1,
			`"thoughtsTokenCount":2`: 1, `"candidatesTokenCount":5`: 1,
		} {
			if got := strings.Count(body, part); got != times {
				t.Errorf("%s: %s %d times, want %d, in %s", how, part, got, times, body)
			}
		}
	}
	if strings.Count(streamed, `"thought":true`) != 2 || strings.Contains(streamed, "[DONE]") {
		t.Errorf("the stream is %s", streamed)
	}
	response, body, err := f.post(t, contents)
	if failure := geminiFailure(t, body); err != nil || failure.Status != "RESOURCE_EXHAUSTED" || failure.Details[0].RetryDelay != "7s" || response.Header.Get("Retry-After") != "" {
		t.Errorf("%v: %s", err, body)
	}
}
