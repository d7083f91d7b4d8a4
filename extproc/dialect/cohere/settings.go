package cohere

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// noParameters is the schema of a function without arguments: the API demands one.
var noParameters = jsontext.Value(`{"type":"object","properties":{}}`)

// tools writes the tools in the client's order, on which prompt caching depends.
func (b *builder) tools() {
	if len(b.chat.Tools) > 0 && !b.target.Takes("tools") {
		b.drop("tools")
		return
	}
	choice := b.chat.ToolChoice
	if choice.Mode == "tool" && !b.target.Takes("tool_choice") {
		b.drop("tool_choice")
		choice = dialect.ToolChoice{}
	}
	strict := true
	for i := range b.chat.Tools {
		t := &b.chat.Tools[i]
		switch {
		case t.Other != nil:
			b.drop(fmt.Sprintf("tools.%d", i))
			continue
		case choice.Mode == "tool" && t.Name != choice.Name:
			// The API can demand a call but not name the tool: no other is left then.
			continue
		}
		parameters := t.Parameters
		if parameters == nil {
			parameters = noParameters
		}
		strict = strict && t.Strict != nil && *t.Strict
		b.request.Tools = append(b.request.Tools, tool{
			Type: "function", Function: declaration{Name: t.Name, Description: t.Description, Parameters: parameters},
		})
	}
	if len(b.request.Tools) == 0 {
		return
	}
	b.request.StrictTools = strict // one switch for all
	b.toolChoice(choice)
	if parallel := b.chat.ParallelToolCalls; parallel != nil && !*parallel {
		b.drop("parallel_tool_calls")
	}
}

func (b *builder) toolChoice(choice dialect.ToolChoice) {
	switch choice.Mode {
	case "none":
		b.request.ToolChoice = "NONE"
	case "required", "tool":
		if b.keep(true, true, "tool_choice") {
			b.request.ToolChoice = "REQUIRED"
		}
	}
}

const (
	mostStops = 5
	mostK     = 500
	leastP    = 0.01
	mostP     = 0.99
)

func (b *builder) sampling() {
	c, r := b.chat, &b.request
	r.MaxTokens = c.MaxTokens
	r.Temperature = b.atMost(1, c.Temperature, "temperature") // others' range is 0 to 2
	if b.keep(c.TopP != nil, true, "top_p") {
		p := max(leastP, min(*c.TopP, mostP)) // others' range is 0 to 1, whose ends mean the same
		r.P = &p
	}
	if b.keep(c.TopK != nil, c.TopK != nil && *c.TopK <= mostK, "top_k") {
		r.K = c.TopK
	}
	if b.keep(c.Seed != nil, c.Seed != nil && *c.Seed >= 0, "seed") {
		r.Seed = c.Seed
	}
	// Others' range is -2 to 2. What rewards repetition has no words here.
	r.FrequencyPenalty = b.atMost(1, c.FrequencyPenalty, "frequency_penalty")
	r.PresencePenalty = b.atMost(1, c.PresencePenalty, "presence_penalty")
	r.Logprobs = b.keep(c.Logprobs, true, "logprobs")
	for _, stop := range c.Stop {
		if b.keep(true, stop != "" && len(r.StopSequences) < mostStops, "stop") {
			r.StopSequences = append(r.StopSequences, stop)
		}
	}
}

// atMost is a number within the API's range, 0 to most, or nil. One above is lowered,
// and named like one that is left out.
func (b *builder) atMost(most float64, given *float64, name string) *float64 {
	if !b.keep(given != nil, given != nil && *given >= 0, name) {
		return nil
	}
	if *given > most {
		b.drop(name)
		return &most
	}
	return given
}

// format asks for an answer in JSON, which the API refuses together with tools: those
// change what the answer is, and not only its form.
func (b *builder) format() {
	wanted := b.chat.Format
	if wanted == nil || wanted.Type == "text" {
		return
	}
	if !b.target.Takes("response_format", "structured_outputs") || len(b.request.Tools) > 0 {
		b.drop("response_format")
		return
	}
	b.request.ResponseFormat = &responseFormat{Type: "json_object"}
	if wanted.Type == "json_schema" && rawjson.Kind(wanted.Schema) == '{' {
		b.request.ResponseFormat.JSONSchema = wanted.Schema
	}
}

// reasons tells whether the endpoint's model thinks, as far as is known.
func (b *builder) reasons() bool { return b.target.Takes("reasoning", "reasoning_effort") }

// reasoning says how much to think (spec section 4.5): the API takes a budget. Without a
// word from the client models that can think do.
func (b *builder) reasoning() {
	asked := b.chat.Reasoning
	if asked == nil {
		return
	}
	level := asked.Level()
	switch {
	case level == "" && asked.MaxTokens == 0:
		return
	case !b.reasons():
		b.drop("reasoning")
		return
	case level == "none":
		b.request.Thinking = &thinking{Type: "disabled"}
		return
	}
	b.request.Thinking = &thinking{Type: "enabled", TokenBudget: asked.MaxTokens}
	room := b.chat.MaxTokens
	if room == 0 {
		room = b.target.MaxCompletionTokens
	}
	if level != "" && room > 0 {
		b.request.Thinking.TokenBudget = max(1, int64(float64(room)*dialect.EffortShare(level)))
	}
}

// extra takes the fields of clients that know what they speak to. All others are
// dropped: the API refuses a field that it does not know.
func (b *builder) extra() {
	for _, field := range b.chat.Extra {
		kind := rawjson.Kind(field.Value)
		switch {
		case slices.Contains(b.target.Refused, field.Name):
			b.drop(field.Name)
		case field.Name == "documents" && kind == '[':
			b.request.Documents = field.Value
		case field.Name == "citation_options" && kind == '{':
			b.request.CitationOptions = field.Value
		case field.Name == "safety_mode" && kind == '"':
			b.request.SafetyMode = field.Value
		case field.Name == "priority" && kind == '0':
			b.request.Priority = field.Value
		case field.Name == "strict_tools" && len(b.request.Tools) > 0:
			b.request.StrictTools = rawjson.True(field.Value)
		default:
			b.drop(field.Name)
		}
	}
}

func (b *builder) others() {
	c := b.chat
	for name, given := range map[string]bool{
		"n":                  c.Choices > 1,
		"top_logprobs":       c.TopLogprobs != nil,
		"verbosity":          c.Verbosity != "",
		"user":               c.User != "",
		"cache_control":      c.CacheControl != nil,
		"service_tier":       c.ServiceTier != "" && c.ServiceTier != "auto",
		"web_search_options": b.target.WebSearch,
	} {
		if given {
			b.drop(name)
		}
	}
}
