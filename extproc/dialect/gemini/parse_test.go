package gemini

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

func TestParse(t *testing.T) {
	got, err := Client{model: "m/x", method: streamGenerateContent}.Parse([]byte(`{
		"contents":[{"role":"user","parts":[{"text":"12345678"},{"inline_data":{"mime_type":"image/png","data":"AA=="}},{"fileData":{"fileUri":"https://youtu.be/x"}}]},
			{"role":"model","parts":[{"functionCall":{"name":"f","args":{}},"thoughtSignature":"AAAA"}]},
			{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"x"}}}]}],
		"system_instruction":{"parts":[{"text":"1234"}]},
		"tools":[{"functionDeclarations":[{"name":"f"}]},{"google_search":{}}],
		"toolConfig":{"functionCallingConfig":{"mode":"any","allowedFunctionNames":["f"]}},
		"generation_config":{"temperature":1,"top_k":3,"max_output_tokens":9,"responseMimeType":"application/json","responseSchema":{"type":"OBJECT"},"stopSequences":[],"responseLogprobs":false,
			"thinkingConfig":{"thinkingLevel":"LOW","includeThoughts":false}},
		"serviceTier":"SERVICE_TIER_FLEX","model":"ignored","models":["a","b"],"provider":{"order":["p"]},"session_id":"s","user":"u","preset":null}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &dialect.Request{
		Dialect: Name, Model: "m/x", Models: []string{"a", "b"}, Stream: true, MaxTokens: 9,
		Parameters: []string{"max_tokens", "reasoning", "response_format", "temperature", "tool_choice", "tools", "top_k"},
		Tools:      true, InputModalities: []string{"image", "video"}, Images: 1, ImageBytes: 6, ReadsMore: true, Searches: dialect.UsualSearches, Effort: "low", HideReasoning: true,
		Provider: []byte(`{"order":["p"]}`), Plugins: []byte(`[{"id":"web"}]`), ServiceTier: "flex", ResponseFormat: "json_schema",
		ToolChoice: "function", ToolName: "f", BoundReasoning: true, SessionID: "s", User: "u",
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(dialect.Request{}, "Raw", "Parsed", "Chat", "Conversation", "PromptBytes")); diff != "" {
		t.Error(diff)
	}
	if got.PromptBytes < 12 || got.PromptBytes > 120 {
		t.Errorf("the prompt has %d bytes", got.PromptBytes)
	}
}

func TestConversationOfContents(t *testing.T) {
	hash := func(body string) [16]byte {
		request, err := Client{}.Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return request.Conversation
	}
	first := hash(`{"contents":[{"parts":[{"text":"a"}]}]}`)
	if first != hash(`{"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"b"}]}]}`) {
		t.Error("a conversation that goes on is another one")
	}
	if first == hash(`{"contents":[{"parts":[{"text":"b"}]}]}`) {
		t.Error("two conversations are one")
	}
}

func TestParseRefuses(t *testing.T) {
	for body, field := range map[string]string{
		`{`:                                     "byte offset",
		`{}`:                                    "'contents'",
		`{"contents":{}}`:                       "'contents'",
		`{"contents":[]}`:                       "at least one",
		`{"contents":[1]}`:                      "'contents.0'",
		`{"contents":[{"role":"system"}]}`:      "'contents.0.role'",
		`{"contents":[{"parts":{}}]}`:           "'contents.0.parts'",
		`{"contents":[{"parts":[1]}]}`:          "'contents.0.parts.0'",
		`{"contents":[{"parts":[{"text":1}]}]}`: "'contents.0.parts.0.text'",
		`{"contents":[{"parts":[{"inlineData":{"data":"a"}}]}]}`:               "'contents.0.parts.0.inlineData'",
		`{"contents":[{"parts":[{"text":"a"}]},{"parts":[{},{"text":null}]}]}`: "'contents.1.parts' holds nothing",
		`{"contents":[{"parts":[{"fileData":{}}]}]}`:                           "'contents.0.parts.0.fileData.fileUri'",
		`{"contents":[{"parts":[{"functionCall":{}}]}]}`:                       "'contents.0.parts.0.functionCall.name'",
		`{"contents":[{"parts":[{"functionResponse":{}}]}]}`:                   "'contents.0.parts.0.functionResponse.name'",
		`{"contents":[{"parts":[{"text":"","thoughtSignature":1}]}]}`:          "'contents.0.parts.0.thoughtSignature'",
		`{"systemInstruction":"x"}`:                                            "'systemInstruction'",
		`{"tools":{}}`:                                                         "'tools'",
		`{"tools":[{"functionDeclarations":[{}]}]}`:                            "'tools.0.functionDeclarations.0.name'",
		`{"toolConfig":{"functionCallingConfig":{"mode":"MAYBE"}}}`:            "functionCallingConfig.mode'",
		`{"generationConfig":[]}`:                                              "'generationConfig'",
		`{"generationConfig":{"temperature":3}}`:                               "'generationConfig.temperature' must be between 0 and 2",
		`{"generationConfig":{"topK":1.5}}`:                                    "whole number",
		`{"generationConfig":{"maxOutputTokens":0}}`:                           "'generationConfig.maxOutputTokens'",
		`{"generationConfig":{"stopSequences":[1]}}`:                           "'generationConfig.stopSequences.0'",
		`{"generationConfig":{"responseSchema":1}}`:                            "'generationConfig.responseSchema'",
		`{"generationConfig":{"thinkingConfig":{"thinkingLevel":"x"}}}`:        "thinkingLevel'",
		`{"generationConfig":{"thinkingConfig":{"thinkingBudget":-2}}}`:        "thinkingBudget'",
		`{"models":1}`:   "'models'",
		`{"provider":1}`: "'provider'",
	} {
		_, err := Client{}.Parse([]byte(body))
		var failure *dialect.Error
		if !errors.As(err, &failure) || failure.Status != 400 || !strings.Contains(failure.Message, field) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// read is the chat of a request.
func read(t testing.TB, body string) (*dialect.Chat, error) {
	t.Helper()
	request, err := Client{model: "m"}.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return request.Chat()
}

const greeting = `"contents":[{"parts":[{"text":"hi"}]}]`

func TestSettings(t *testing.T) {
	number, whole := func(n float64) *float64 { return &n }, func(n int64) *int64 { return &n }
	on, off := true, false
	said := []dialect.Message{{Role: dialect.RoleUser, Parts: []dialect.Part{{Text: "hi"}}}}
	for name, test := range map[string]struct {
		members string
		want    dialect.Chat
	}{
		"sampling": {`"generationConfig":{"temperature":0.5,"topP":0.9,"top_k":4,"seed":7,"presencePenalty":1,"frequency_penalty":-1,"maxOutputTokens":10,"candidateCount":2,"stopSequences":["a"],"responseLogprobs":true,"logprobs":3}`,
			dialect.Chat{Temperature: number(0.5), TopP: number(0.9), TopK: whole(4), Seed: whole(7), PresencePenalty: number(1), FrequencyPenalty: number(-1), MaxTokens: 10, Choices: 2, Stop: []string{"a"}, Logprobs: true, TopLogprobs: whole(3)}},
		"json":        {`"generationConfig":{"responseMimeType":"application/json"}`, dialect.Chat{Format: &dialect.Format{Type: "json_object"}}},
		"json schema": {`"generationConfig":{"responseJsonSchema":{"type":"object"},"responseMimeType":"application/json"}`, dialect.Chat{Format: &dialect.Format{Type: "json_schema", Name: "answer", Schema: []byte(`{"type":"object"}`)}}},
		"own schema": {`"generationConfig":{"response_schema":{"type":"OBJECT","properties":{"any_of":{"type":"STRING","nullable":true,"maxLength":"5"},"b":{"type":"ARRAY","items":{"type":"INTEGER"},"min_items":1}},"property_ordering":["b"],"required":["b"]}}`,
			dialect.Chat{Format: &dialect.Format{Type: "json_schema", Name: "answer", Schema: []byte(`{"type":"object","properties":{"any_of":{"type":["string","null"],"maxLength":5},"b":{"type":"array","items":{"type":"integer"},"minItems":1}},"required":["b"]}`)}}},
		"a level":            {`"generationConfig":{"thinkingConfig":{"thinkingLevel":"HIGH","includeThoughts":true}}`, dialect.Chat{Reasoning: &dialect.Reasoning{Effort: "high"}}},
		"a budget":           {`"generationConfig":{"thinkingConfig":{"thinking_budget":500}}`, dialect.Chat{Reasoning: &dialect.Reasoning{MaxTokens: 500, Enabled: &on}}},
		"no thinking":        {`"generationConfig":{"thinkingConfig":{"thinkingBudget":0}}`, dialect.Chat{Reasoning: &dialect.Reasoning{Enabled: &off}}},
		"the model's choice": {`"generationConfig":{"thinkingConfig":{"thinkingBudget":-1}}`, dialect.Chat{}},
		"tools": {`"tools":[{"functionDeclarations":[{"name":"f","description":"d","parameters":{"type":"OBJECT"}},{"name":"g","parameters_json_schema":{"const":1}}]}],"toolConfig":{"functionCallingConfig":{"mode":"AUTO"}}`,
			dialect.Chat{Tools: []dialect.Tool{{Name: "f", Description: "d", Parameters: []byte(`{"type":"object"}`)}, {Name: "g", Parameters: []byte(`{"const":1}`)}}, ToolChoice: dialect.ToolChoice{Mode: "auto"}}},
		"one of the tools": {`"tools":[{"functionDeclarations":[{"name":"f"},{"name":"g"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["g"]}}`,
			dialect.Chat{Tools: []dialect.Tool{{Name: "f"}, {Name: "g"}}, ToolChoice: dialect.ToolChoice{Mode: "tool", Name: "g"}}},
		"some of the tools": {`"tools":[{"functionDeclarations":[{"name":"f"},{"name":"g"},{"name":"h"}]}],"toolConfig":{"functionCallingConfig":{"mode":"VALIDATED","allowedFunctionNames":["f","h"]}}`,
			dialect.Chat{Tools: []dialect.Tool{{Name: "f"}, {Name: "h"}}, ToolChoice: dialect.ToolChoice{Mode: "auto"}}},
		"no tools": {`"toolConfig":{"functionCallingConfig":{"mode":"NONE"}}`, dialect.Chat{ToolChoice: dialect.ToolChoice{Mode: "none"}}},
		"others": {`"safetySettings":[],"labels":{},"x_y":1,"provider":{},"serviceTier":"priority","generationConfig":{"responseModalities":["TEXT","IMAGE"],"speechConfig":{}}`,
			dialect.Chat{ServiceTier: "priority", Unsaid: []string{"labels"}, Extra: []dialect.Field{{Name: "safety_settings", Value: []byte(`[]`)}, {Name: "x_y", Value: []byte(`1`)},
				{Name: "modalities", Value: []byte(`["text","image"]`)}, {Name: "speech_config", Value: []byte(`{}`)}}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read(t, `{`+greeting+`,`+test.members+`}`)
			if err != nil {
				t.Fatal(err)
			}
			test.want.Messages = said
			if diff := cmp.Diff(&test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestContents(t *testing.T) {
	text := func(text string) dialect.Part { return dialect.Part{Kind: dialect.PartText, Text: text} }
	thought := func(detail dialect.ReasoningDetail) dialect.Part {
		return dialect.Part{Kind: dialect.PartReasoning, Reasoning: &detail}
	}
	call := func(id, name, arguments string) dialect.Part {
		return dialect.Part{Kind: dialect.PartToolCall, Call: &dialect.ToolCall{ID: id, Name: name, Arguments: arguments}}
	}
	result := func(id string, failed bool, parts ...dialect.Part) dialect.Part {
		return dialect.Part{Kind: dialect.PartToolResult, Result: &dialect.ToolResult{CallID: id, Failed: failed, Parts: parts}}
	}
	media := func(kind dialect.PartKind, media dialect.Media) dialect.Part {
		return dialect.Part{Kind: kind, Media: &media}
	}
	message := func(role dialect.Role, parts ...dialect.Part) dialect.Message {
		return dialect.Message{Role: role, Parts: parts}
	}
	claude := dialect.ReasoningDetail{Type: dialect.ReasoningText, Signature: "a+b/c", Format: dialect.FormatAnthropic}
	// The SDKs send what they decoded in the alphabet for URLs.
	sealed := strings.NewReplacer("+", "-", "/", "_").Replace(proof(&claude))
	claude.Text = "hmm"
	for name, test := range map[string]struct {
		contents string
		want     []dialect.Message
	}{
		"media": {`{"parts":[{"inlineData":{"mimeType":"image/png","data":"-_8"}},{"inline_data":{"mime_type":"audio/mpeg","data":"AAAA"}},{"inlineData":{"mimeType":"application/pdf","data":"AAAA","displayName":"a.pdf"}},` +
			`{"inlineData":{"mimeType":"text/plain","data":"aGk="}},{"fileData":{"mimeType":"image/jpeg","fileUri":"https://a/b.jpg"}},{"fileData":{"fileUri":"https://youtu.be/x"}}]}`,
			[]dialect.Message{message(dialect.RoleUser,
				media(dialect.PartImage, dialect.Media{Data: "+/8=", Type: "image/png"}), media(dialect.PartAudio, dialect.Media{Data: "AAAA", Type: "mp3"}),
				media(dialect.PartFile, dialect.Media{Data: "AAAA", Type: "application/pdf", Name: "a.pdf"}), text("hi"),
				media(dialect.PartImage, dialect.Media{URL: "https://a/b.jpg"}), media(dialect.PartVideo, dialect.Media{URL: "https://youtu.be/x"}))}},
		"known-failures 35: chunks of a stream": {
			`{"role":"model","parts":[{"text":"h","thought":true}]},{"role":"model","parts":[{"text":"mm","thought":true}]},{"role":"model","parts":[{"text":"","thought":true,"thoughtSignature":"` + sealed + `"}]},` +
				`{"role":"model","parts":[{"text":"a"}]},{"role":"model","parts":[{"text":""}]},{"role":"model","parts":[{"text":"b"}]},{"role":"user","parts":[{"text":"c"}]}`,
			[]dialect.Message{message(dialect.RoleAssistant, thought(claude), text("a"), text("b")), message(dialect.RoleUser, text("c"))}},
		"the API's own signatures": {
			`{"role":"model","parts":[{"text":"hm","thought":true},{"text":"a","thoughtSignature":"-_8"},{"functionCall":{"id":"1","name":"f"},"thought_signature":"AAAA"}]}`,
			[]dialect.Message{message(dialect.RoleAssistant,
				thought(dialect.ReasoningDetail{Type: dialect.ReasoningText, Text: "hm", Format: dialect.FormatUnknown}),
				thought(dialect.ReasoningDetail{Type: dialect.ReasoningEncrypted, Data: "+/8=", Format: dialect.FormatGemini, Index: 1}), text("a"),
				thought(dialect.ReasoningDetail{Type: dialect.ReasoningEncrypted, Data: "AAAA", ID: "1", Format: dialect.FormatGemini, Index: 2}), call("1", "f", "{}"))}},
		"calls without ids": {
			`{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":1}}},{"functionCall":{"name":"g"}},{"functionCall":{"name":"f"}}]},` +
				`{"role":"function","parts":[{"functionResponse":{"name":"f","response":{"result":"x"}}},{"functionResponse":{"name":"f","response":{"error":"y"}}},{"functionResponse":{"name":"g","response":{"a":1,"b":2}}},{"text":"and?"}]}`,
			[]dialect.Message{
				message(dialect.RoleAssistant, call("call_1", "f", `{"a":1}`), call("call_2", "g", "{}"), call("call_3", "f", "{}")),
				message(dialect.RoleTool, result("call_1", false, text("x")), result("call_3", true, text("y")), result("call_2", false, text(`{"a":1,"b":2}`))),
				message(dialect.RoleUser, text("and?")),
			}},
		"a result with an image": {
			`{"role":"model","parts":[{"functionCall":{"id":"1","name":"f"}}]},{"parts":[{"functionResponse":{"id":"1","name":"f","response":{"output":{"n":1}},"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}}]}`,
			[]dialect.Message{
				message(dialect.RoleAssistant, call("1", "f", "{}")),
				message(dialect.RoleTool, result("1", false, text(`{"n":1}`), media(dialect.PartImage, dialect.Media{Data: "AAAA", Type: "image/png"}))),
			}},
		"code that the API ran": {
			`{"role":"model","parts":[{"executableCode":{"language":"PYTHON","code":"1+1"}},{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"2"}}]}`,
			[]dialect.Message{message(dialect.RoleAssistant, text("```python\n1+1\n```"), text("```\n2\n```"))}},
	} {
		t.Run(name, func(t *testing.T) {
			chat, err := read(t, `{"contents":[`+test.contents+`]}`)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, chat.Messages); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What only the Gemini API can do is refused for other providers, with a way out.
func TestChatRefuses(t *testing.T) {
	for members, way := range map[string]string{
		greeting + `,"cachedContent":"cachedContents/x"`:                                            "send the contents themselves",
		greeting + `,"tools":[{"codeExecution":{}}]`:                                                "'tools.0.codeExecution'",
		greeting + `,"generationConfig":{"responseMimeType":"text/x.enum"}`:                         "use application/json",
		`"contents":[{"parts":[{"fileData":{"mimeType":"application/pdf","fileUri":"gs://a/b"}}]}]`: "as inlineData",
		`"contents":[{"parts":[{"functionResponse":{"name":"f","response":{}}}]}]`:                  "no turn before it calls",
	} {
		_, err := read(t, `{`+members+`}`)
		var failure *dialect.Error
		if !errors.As(err, &failure) || failure.Status != 400 || !strings.Contains(failure.Message, way) {
			t.Errorf("%s: %v", members, err)
		}
	}
}

func TestPassRequest(t *testing.T) {
	claude := proof(&dialect.ReasoningDetail{Type: dialect.ReasoningText, Signature: "abcd", Format: dialect.FormatAnthropic})
	for name, test := range map[string]struct {
		body    string
		target  dialect.Target
		want    string // "" for the body as it is
		dropped []string
	}{
		"as it is": {body: `{"contents": [{"parts":[{"text":"hi"}]}],"zebra": 1,"generation_config":{ "top_k" : 3,"new":1},"labels":{}}`},
		"the gateway's own": {
			body: `{"model":"x","contents":[{"parts":[{"text":"hi"}]}],"provider":{},"models":[],"session_id":"s","user":"u","serviceTier":"flex","x":null}`,
			want: `{"contents":[{"parts":[{"text":"hi"}]}]}`, dropped: []string{"service_tier"}},
		"what the target does not take": {
			body:    `{` + greeting + `,"generationConfig":{"temperature":1,"topK":3,"thinkingConfig":{},"responseSchema":{}},"tools":[{"functionDeclarations":[{"name":"f"}]}],"toolConfig":{},"zebra":1}`,
			target:  dialect.Target{Supported: []string{"temperature"}, Strict: true},
			want:    `{` + greeting + `,"generationConfig":{"temperature":1}}`,
			dropped: []string{"generationConfig.responseSchema", "generationConfig.thinkingConfig", "generationConfig.topK", "toolConfig", "tools", "zebra"}},
		"a tier and a search":    {body: `{` + greeting + `}`, target: dialect.Target{ServiceTier: "flex", WebSearch: true}, want: `{` + greeting + `,"tools":[{"googleSearch":{}}],"serviceTier":"flex"}`},
		"a search that is there": {body: `{` + greeting + `,"tools":[{"google_search":{}}]}`, target: dialect.Target{WebSearch: true}},
		"a search beside tools":  {body: `{` + greeting + `,"tools":[{"functionDeclarations":[{"name":"f"}]}]}`, target: dialect.Target{WebSearch: true}, dropped: []string{"web_search_options"}},
		"other makers' thoughts": {
			body: `{"contents":[{"role":"model","parts":[{"text":"hm","thought":true,"thoughtSignature":"` + claude + `"},{"functionCall":{"name":"f"},"thoughtSignature":"` + claude + `"},{"functionCall":{"name":"g"}}]},{"role":"model","parts":[{"text":""}]},{"role":"user","parts":[{"text":"hi"}]}]}`,
			want: `{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"name":"g"}}]},{"role":"user","parts":[{"text":"hi"}]}]}`},
		"other makers' thoughts, for an older model": {
			body:   `{"contents":[{"role":"model","parts":[{"text":"a","thoughtSignature":"` + claude + `"},{"functionCall":{"name":"f"}}]},{"parts":[{"text":"hi"}]}]}`,
			target: dialect.Target{Model: "gemini-2.5-pro"},
			want:   `{"contents":[{"role":"model","parts":[{"text":"a"},{"functionCall":{"name":"f"}}]},{"parts":[{"text":"hi"}]}]}`},
		"own thoughts": {body: `{"contents":[{"role":"model","parts":[{"text":"hm","thought":true},{"functionCall":{"name":"f"},"thoughtSignature":"-_8="}]},{"parts":[{"text":"hi"}]}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := Client{model: "m"}.Parse([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if test.target.Model == "" {
				test.target.Model = "gemini-3-pro"
			}
			if test.want == "" {
				test.want = test.body
			}
			got, err := Provider{}.Request(request, test.target)
			if err != nil || string(got.Body) != test.want {
				t.Errorf("%s, %v\nwant %s", got.Body, err, test.want)
			}
			if diff := cmp.Diff(test.dropped, got.Dropped); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzClientRequest holds that any body is refused cleanly or can be written for every
// provider, as valid JSON, and stays as it was.
func FuzzClientRequest(f *testing.F) {
	f.Add([]byte(`{` + greeting + `,"generationConfig":{"responseSchema":{"type":"OBJECT","properties":{"a":{"nullable":true,"type":"STRING"}}},"thinkingConfig":{"thinkingBudget":1}}}`))
	f.Add([]byte(`{"contents":[{"role":"model","parts":[{"text":"h","thought":true,"thoughtSignature":"c3dpdGNoeWFyZC5yZWFzb25pbmc6e30="},{"functionCall":{"name":"f"}}]},{"parts":[{"functionResponse":{"name":"f","response":{"error":1}}}]}]}`))
	f.Add([]byte(`{"contents":[{"parts":[{"inline_data":{"mime_type":"image/png","data":"-_"}},{"fileData":{"fileUri":"x"}}]}],"tools":[{"googleSearch":{}}],"tool_config":{"function_calling_config":{"mode":"ANY"}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		before := string(body)
		request, err := Client{model: "m"}.Parse(body)
		if err != nil {
			var failure *dialect.Error
			if !errors.As(err, &failure) {
				t.Fatalf("%v is no error for a client", err)
			}
			return
		}
		for _, provider := range []dialect.Provider{Provider{}, anthropic.Provider{}, openai.Provider{}} {
			upstream, err := provider.Request(request, dialect.Target{Model: "gemini-3-pro"})
			var failure *dialect.Error
			switch {
			case err != nil && !errors.As(err, &failure):
				t.Fatalf("%s: %v is no error for a client", provider.Name(), err)
			case err == nil && !json.Valid(upstream.Body):
				t.Fatalf("%s: %s", provider.Name(), upstream.Body)
			case err == nil && rawjson.Validate(upstream.Body) != nil && provider.Name() == Name:
				t.Fatalf("%s: %s", provider.Name(), upstream.Body)
			}
		}
		if before != string(body) {
			t.Fatal("the body was written to")
		}
	})
}

// Google's SDKs send a JSON Schema under a name with an underscore in front.
func TestJSONSchemaUnderItsOldName(t *testing.T) {
	for _, name := range []string{"responseJsonSchema", "_responseJsonSchema", "response_json_schema", "_response_json_schema"} {
		request, err := Client{model: "m/x"}.Parse([]byte(`{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"responseMimeType":"application/json","` + name + `":{"type":"object"}}}`))
		if err != nil {
			t.Fatal(err)
		}
		chat, err := request.Chat()
		if err != nil || chat.Format == nil || string(chat.Format.Schema) != `{"type":"object"}` || request.ResponseFormat != "json_schema" {
			t.Errorf("%s: %+v of %q, %v", name, chat.Format, request.ResponseFormat, err)
		}
	}
}

// Protocol buffers take a field in camel case and in snake case. What is reserved for
// one of two must not be another than the one that the provider takes.
func TestAFieldIsGivenOnce(t *testing.T) {
	const contents = `"contents":[{"parts":[{"text":"a"}]}]`
	for body, names := range map[string][]string{
		`{` + contents + `,"generationConfig":{"max_output_tokens":60000,"maxOutputTokens":1}}`:                                   {"'generationConfig.maxOutputTokens'", "'generationConfig.max_output_tokens'"},
		`{` + contents + `,"generationConfig":{"candidateCount":1,"candidate_count":8}}`:                                          {"'generationConfig.candidateCount'", "'generationConfig.candidate_count'"},
		`{` + contents + `,"generation_config":{"maxOutputTokens":60000},"generationConfig":{"maxOutputTokens":1}}`:               {"'generationConfig'", "'generation_config'"},
		`{` + contents + `,"system_instruction":{"parts":[{"text":"a"}]},"systemInstruction":{"parts":[{"text":"b"}]}}`:           {"'systemInstruction'", "'system_instruction'"},
		`{` + contents + `,"generationConfig":{"thinkingConfig":{"thinking_budget":0,"thinkingBudget":30000}}}`:                   {"'generationConfig.thinkingConfig.thinkingBudget'", "'generationConfig.thinkingConfig.thinking_budget'"},
		`{` + contents + `,"generationConfig":{"maxOutputTokens":null,"max_output_tokens":2},"toolConfig":null,"tool_config":{}}`: nil,
	} {
		request, err := Client{}.Parse([]byte(body))
		if names == nil {
			if err != nil || request.MaxTokens != 2 {
				t.Errorf("%s: %+v, %v", body, request, err)
			}
			continue
		}
		var refused *dialect.Error
		if !errors.As(err, &refused) || refused.Status != 400 || !strings.Contains(refused.Message, names[0]) || !strings.Contains(refused.Message, names[1]) {
			t.Errorf("%s: %v", body, err)
		}
	}
}
