package registry_test

// feature is something that a Chat Completions request may say.
type feature struct {
	name string
	// members are those of the request's body that say it. Messages among them replace
	// the usual question.
	members string
	// marker is a regular expression for what is in a provider's request that says it.
	marker string
	// absent is one for what says it by not being there, "" for none.
	absent string
	// field is how the gateway calls what is left out: in Upstream.Dropped a name that is
	// it, or begins with it and a dot.
	field string
	// lowered: what is kept of it may be less than was asked for, and is named then.
	lowered bool
	// words name it in a refusal; the field, if empty.
	words string
	// parameter is its name in the catalog (spec section 7), for what
	// provider.require_parameters holds an endpoint to; "" for what is none.
	parameter string
}

// group is a chapter of the table.
type group struct {
	title    string
	features []feature
}

const (
	asks = `{"role":"user","content":"hi"}`
	// offers is a tool, which much is only allowed beside.
	offers = `"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"at":{"type":"string"}}}}}]`
	calls  = `{"role":"assistant","content":null,"tool_calls":[{"id":"callzqx1","type":"function","function":{"name":"weather","arguments":"{\"at\":\"zqxville\"}"}},` +
		`{"id":"callzqx2","type":"function","function":{"name":"weather","arguments":"{}"}}]}`
	given = `{"role":"tool","tool_call_id":"callzqx2","content":"wet"}`
	// thoughtful is a turn with reasoning in it, of a maker and a kind.
	thoughtful = `"reasoning":{"effort":"low"},"max_tokens":4000,"messages":[` + asks + `,{"role":"assistant","content":"hey","reasoning_details":[`
)

func content(parts string) string {
	return `"messages":[{"role":"user","content":[{"type":"text","text":"hi"},` + parts + `]}]`
}

// requests are the features of a request, in the order of the table.
var requests = []group{
	{"Messages", []feature{
		{name: "system", members: `"messages":[{"role":"system","content":"zqx rule"},` + asks + `]`, marker: `zqx rule`},
		{name: "system, later than first", members: `"messages":[` + asks + `,{"role":"system","content":"zqx rule"},` + asks + `]`, marker: `zqx rule`},
		{name: "developer", members: `"messages":[{"role":"developer","content":"zqx rule"},` + asks + `]`, marker: `zqx rule`},
		{name: "several parts of text", members: content(`{"type":"text","text":"zqx part"}`), marker: `zqx part`},
		{name: "the speaker's name", members: `"messages":[{"role":"user","name":"zqxbob","content":"hi"}]`, marker: `zqxbob`, field: "messages.name"},
		{name: "an answer begun (prefill)", members: `"messages":[` + asks + `,{"role":"assistant","content":"zqx begun"}]`, marker: `zqx begun`},
		{name: "a refusal in the history", members: `"messages":[` + asks + `,{"role":"assistant","content":null,"refusal":"zqx no"},` + asks + `]`, marker: `zqx no`},
		{name: "cache_control of a part", members: content(`{"type":"text","text":"long","cache_control":{"type":"ephemeral"}}`),
			marker: `"cache_control"|"cachePoint"`, field: "cache_control"},
		{name: "cache_control of the request", members: `"cache_control":{"type":"ephemeral"}`, marker: `"cache_control"|"cachePoint"`, field: "cache_control"},
	}},
	{"Images, files, sound", []feature{
		{name: "image as base64", members: content(`{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}`), marker: `iVBORw0KGgo=`, field: "image"},
		{name: "image by URL", members: content(`{"type":"image_url","image_url":{"url":"https://example.com/zqx.png"}}`), marker: `zqx\.png|iVBORw0KGgo=`, field: "image_url"},
		{name: "an image's detail", members: content(`{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo=","detail":"low"}}`),
			marker: `"detail":"low"|MEDIA_RESOLUTION_LOW`, field: "messages.image_url.detail"},
		{name: "PDF as base64", members: content(`{"type":"file","file":{"filename":"zqx.pdf","file_data":"data:application/pdf;base64,JVBERi0="}}`), marker: `JVBERi0=`, field: "file"},
		{name: "PDF by URL", members: content(`{"type":"file","file":{"filename":"zqx.pdf","file_data":"https://example.com/zqx2.pdf"}}`), marker: `zqx2\.pdf|JVBERi0=`, field: "file"},
		{name: "a file's name", members: content(`{"type":"file","file":{"filename":"zqx.pdf","file_data":"data:application/pdf;base64,JVBERi0="}}`), marker: `zqx`, field: "messages.file.filename", words: "file"},
		{name: "audio", members: content(`{"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}}`), marker: `UklGRg==`, field: "audio"},
		{name: "video", members: content(`{"type":"video_url","video_url":{"url":"data:video/mp4;base64,AAAAIGZ0"}}`), marker: `AAAAIGZ0`, field: "video"},
	}},
	{"Tools", []feature{
		{name: "definition", members: offers, marker: `"weather"`, field: "tools", parameter: "tools"},
		{name: "description", members: `"tools":[{"type":"function","function":{"name":"f","description":"zqx tells","parameters":{"type":"object"}}}]`, marker: `zqx tells`, field: "tools"},
		{name: "strict schema", members: `"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object","properties":{},"additionalProperties":false,"required":[]}}}]`,
			marker: `"strict":true|"strict_tools":true`, field: "tools.strict"},
		{name: "cache_control", members: `"tools":[{"type":"function","cache_control":{"type":"ephemeral"},"function":{"name":"f","parameters":{"type":"object"}}}]`,
			marker: `"cache_control"|"cachePoint"`, field: "cache_control"},
		{name: "a tool that is no function", members: `"tools":[{"type":"custom","custom":{"name":"zqx_free"}},{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]`,
			marker: `zqx_free`, field: "tools.0"},
		{name: "parallel_tool_calls: false", members: `"parallel_tool_calls":false,` + offers, marker: `"parallel_tool_calls":false|"disable_parallel_tool_use":true`,
			field: "parallel_tool_calls", parameter: "parallel_tool_calls"},
		{name: "tool_choice: none", members: `"tool_choice":"none",` + offers, marker: `"tool_choice":"none"|"type":"none"|"mode":"NONE"|"tool_choice":"NONE"`, absent: `"weather"`, field: "tool_choice"},
		{name: "tool_choice: required", members: `"tool_choice":"required",` + offers, marker: `"tool_choice":"required"|"type":"any"|"any":\{|"mode":"ANY"|"tool_choice":"REQUIRED"`,
			field: "tool_choice", parameter: "tool_choice"},
		{name: "tool_choice: one function", members: `"tool_choice":{"type":"function","function":{"name":"weather"}},` + offers,
			marker: `"tool_choice":\{[^}]*"weather"|"tool":\{"name":"weather"|"allowedFunctionNames":\["weather"|"tool_choice":"REQUIRED"`, field: "tool_choice"},
		{name: "tool_choice: some allowed", members: `"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"zqx_second"}}]}},"tools":[` +
			`{"type":"function","function":{"name":"first"}},{"type":"function","function":{"name":"zqx_second"}}]`,
			marker: `allowed_tools`, absent: `"first"|^[^z]*$`, field: "tool_choice"},
		{name: "calls, with ids and arguments", members: offers + `,"messages":[` + asks + `,` + calls + `,{"role":"tool","tool_call_id":"callzqx1","content":"sunny"},` + given + `]`, marker: `zqxville`},
		{name: "results, paired", members: offers + `,"messages":[` + asks + `,` + calls + `,{"role":"tool","tool_call_id":"callzqx1","content":"zqx sunny"},` + given + `]`, marker: `zqx sunny`},
		{name: "an image in a result", members: offers + `,"messages":[` + asks + `,` + calls + `,{"role":"tool","tool_call_id":"callzqx1","content":[{"type":"text","text":"see"},` +
			`{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]},` + given + `]`, marker: `iVBORw0KGgo=`, field: "image"},
		{name: "a result that is an error", members: offers + `,"messages":[` + asks + `,` + calls + `,{"role":"tool","tool_call_id":"callzqx1","is_error":true,"content":"zqx broke"},` + given + `]`,
			marker: `"is_error":true|"status":"error"|"error":"zqx|Error: zqx|"error":\{`, field: "messages.is_error"},
	}},
	{"Reasoning", []feature{
		{name: "effort", members: `"max_tokens":4000,"reasoning":{"effort":"low"}`, field: "reasoning", parameter: "reasoning",
			marker: `"reasoning_effort":"low"|"effort":"low"|"budget_tokens":|"thinkingBudget":|"thinkingLevel":|"think":|"token_budget":`},
		{name: "reasoning_effort", members: `"max_tokens":4000,"reasoning_effort":"low"`, field: "reasoning", parameter: "reasoning_effort",
			marker: `"reasoning_effort":"low"|"effort":"low"|"budget_tokens":|"thinkingBudget":|"thinkingLevel":|"think":|"token_budget":`},
		{name: "budget", members: `"max_tokens":4000,"reasoning":{"max_tokens":2000}`, field: "reasoning",
			marker: `"reasoning_effort":|"effort":|:2000\b|"think":true`},
		{name: "none", members: `"reasoning":{"effort":"none"}`, field: "reasoning",
			marker: `"reasoning_effort":"none"|"effort":"none"|"type":"disabled"|"thinkingBudget":(0|128|512)\b|"thinkingLevel":"minimal"|"think":false`, absent: `(?i)think|reason`},
		{name: "text of an earlier turn, unsigned", members: thoughtful + `{"type":"reasoning.text","text":"zqx thought","format":"unknown","index":0}]},` + asks + `]`,
			marker: `zqx thought`, field: "messages.reasoning_details"},
		{name: "text that Claude signed", members: thoughtful + `{"type":"reasoning.text","text":"zqx thought","signature":"c2ln","format":"anthropic-claude-v1","index":0}]},` + asks + `]`,
			marker: `c2ln`, field: "messages.reasoning_details"},
		{name: "what Claude encrypted", members: thoughtful + `{"type":"reasoning.encrypted","data":"ZW5jcnlwdGVk","format":"anthropic-claude-v1","index":0}]},` + asks + `]`,
			marker: `ZW5jcnlwdGVk`, field: "messages.reasoning_details"},
		{name: "what OpenAI encrypted", members: thoughtful + `{"type":"reasoning.encrypted","id":"rs_1","data":"ZW5jcnlwdGVk.eyJlbmRwb2ludF9zbHVnIjoibS94fGhlcmUifQ","format":"openai-responses-v1","index":0}]},` + asks + `]`,
			marker: `ZW5jcnlwdGVk`, field: "messages.reasoning_details"},
		{name: "what Gemini signed", members: thoughtful + `{"type":"reasoning.encrypted","data":"ZW5jcnlwdGVk","format":"google-gemini-v1","index":0}]},` + asks + `]`,
			marker: `ZW5jcnlwdGVk`, field: "messages.reasoning_details"},
	}},
	{"The answer's form", []feature{
		{name: "response_format: json_object", members: `"response_format":{"type":"json_object"}`, marker: `"json_object"|"application/json"|"format":"json"`, field: "response_format", parameter: "json_object"},
		{name: "response_format: json_schema", members: `"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{"zqx":{"type":"string"}}}}}`,
			marker: `zqx`, field: "response_format", parameter: "json_schema"},
		{name: "response_format beside tools", members: `"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{"zqx":{"type":"string"}}}}},` + offers,
			marker: `zqx`, field: "response_format"},
		{name: "verbosity", members: `"verbosity":"low"`, marker: `"verbosity":"low"|"effort":"low"`, field: "verbosity", parameter: "verbosity"},
		{name: "n", members: `"n":3`, marker: `"n":3|"candidateCount":3`, field: "n"},
		{name: "logprobs", members: `"logprobs":true`, marker: `logprobs|responseLogprobs`, field: "logprobs", parameter: "logprobs"},
		{name: "top_logprobs", members: `"logprobs":true,"top_logprobs":17`, marker: `:17\b`, field: "top_logprobs", parameter: "top_logprobs"},
		{name: "modalities", members: `"modalities":["text","image"]`, marker: `(?i)"image"`, field: "modalities"},
		{name: "audio", members: `"audio":{"voice":"zqxvoice","format":"wav"}`, marker: `zqxvoice`, field: "audio"},
		{name: "prediction", members: `"prediction":{"type":"content","content":"zqx guess"}`, marker: `zqx guess`, field: "prediction", parameter: "prediction"},
	}},
	{"Sampling", []feature{
		{name: "max_tokens", members: `"max_tokens":1717`, marker: `:1717\b`, field: "max_tokens", parameter: "max_tokens"},
		{name: "max_completion_tokens", members: `"max_completion_tokens":1717`, marker: `:1717\b`, field: "max_tokens", parameter: "max_completion_tokens"},
		{name: "temperature", members: `"temperature":0.171`, marker: `:0\.171\b`, field: "temperature", parameter: "temperature"},
		{name: "temperature above 1", members: `"temperature":1.71`, marker: `:1\.71\b|"temperature":1\b`, field: "temperature", lowered: true},
		{name: "top_p", members: `"top_p":0.171`, marker: `:0\.171\b`, field: "top_p", parameter: "top_p"},
		{name: "temperature beside top_p", members: `"temperature":0.5,"top_p":0.171`, marker: `:0\.171\b`, field: "top_p"},
		{name: "top_k", members: `"top_k":17`, marker: `:17\b`, field: "top_k", parameter: "top_k"},
		{name: "min_p", members: `"min_p":0.171`, marker: `:0\.171\b`, field: "min_p", parameter: "min_p"},
		{name: "top_a", members: `"top_a":0.171`, marker: `:0\.171\b`, field: "top_a", parameter: "top_a"},
		{name: "frequency_penalty", members: `"frequency_penalty":0.171`, marker: `:0\.171\b`, field: "frequency_penalty", parameter: "frequency_penalty"},
		{name: "presence_penalty", members: `"presence_penalty":0.171`, marker: `:0\.171\b`, field: "presence_penalty", parameter: "presence_penalty"},
		{name: "repetition_penalty", members: `"repetition_penalty":1.171`, marker: `:1\.171\b`, field: "repetition_penalty", parameter: "repetition_penalty"},
		{name: "logit_bias", members: `"logit_bias":{"1717":-1}`, marker: `"1717":-1`, field: "logit_bias", parameter: "logit_bias"},
		{name: "seed", members: `"seed":1717`, marker: `:1717\b`, field: "seed", parameter: "seed"},
		{name: "stop", members: `"stop":["zqxend"]`, marker: `zqxend`, field: "stop", parameter: "stop"},
		{name: "stop, six of them", members: `"stop":["a","b","c","d","e","zqxend"]`, marker: `zqxend`, field: "stop"},
	}},
	{"About the request", []feature{
		{name: "user", members: `"user":"zqxuser"`, marker: `"(user|user_id)":"[0-9a-f]{32}"`, field: "user"},
		{name: "service_tier: auto", members: `"service_tier":"auto"`, marker: `"service_tier":"auto"`, absent: `(?i)tier`, field: "service_tier"},
		{name: "service_tier: flex", members: `"service_tier":"flex"`, marker: `"flex"`, field: "service_tier"},
		{name: "web_search_options", members: `"web_search_options":{}`, marker: `web_search|google_search|googleSearch`, field: "web_search_options", parameter: "web_search_options"},
		{name: "metadata", members: `"metadata":{"zqx":"1"}`, marker: `zqx`, field: "metadata"},
		{name: "store", members: `"store":true`, marker: `"store":true`, field: "store"},
		{name: "prompt_cache_key", members: `"prompt_cache_key":"zqxkey"`, marker: `zqxkey`, field: "prompt_cache_key"},
		{name: "safety_identifier", members: `"safety_identifier":"zqxid"`, marker: `zqxid`, field: "safety_identifier"},
		{name: "safety_settings (Gemini's)", members: `"safety_settings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}]`, marker: `BLOCK_NONE`, field: "safety_settings"},
		{name: "safety_mode (Cohere's)", members: `"safety_mode":"STRICT"`, marker: `"STRICT"`, field: "safety_mode"},
		{name: "guardrailConfig (Bedrock's)", members: `"guardrailConfig":{"guardrailIdentifier":"zqx","guardrailVersion":"1"}`, marker: `zqx`, field: "guardrailConfig"},
		{name: "options (Ollama's)", members: `"options":{"num_ctx":1717}`, marker: `:1717\b`, field: "options"},
		{name: "a field that nobody knows", members: `"zqx_unheard_of":1`, marker: `zqx_unheard_of`, field: "zqx_unheard_of"},
	}},
}
