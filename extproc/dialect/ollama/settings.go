package ollama

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// noParameters is the schema of a function without arguments.
var noParameters = jsontext.Value(`{"type":"object","properties":{}}`)

// tools writes the tools in the client's order. The API cannot demand a call; that no
// tool may be called it is told by their absence.
func (b *builder) tools() {
	if len(b.chat.Tools) > 0 && !b.target.Takes("tools") {
		b.drop("tools")
		return
	}
	choice := b.chat.ToolChoice.Mode
	if len(b.chat.Tools) > 0 && (choice == "required" || choice == "tool") {
		b.drop("tool_choice")
	}
	if choice == "none" {
		return
	}
	for i := range b.chat.Tools {
		t := &b.chat.Tools[i]
		if t.Other != nil {
			b.drop(fmt.Sprintf("tools.%d", i))
			continue
		}
		parameters := t.Parameters
		if parameters == nil {
			parameters = noParameters
		}
		b.request.Tools = append(b.request.Tools, tool{
			Type: "function", Function: declaration{Name: t.Name, Description: t.Description, Parameters: parameters},
		})
	}
	if parallel := b.chat.ParallelToolCalls; len(b.request.Tools) > 0 && parallel != nil && !*parallel {
		b.drop("parallel_tool_calls")
	}
}

func (b *builder) format() {
	wanted := b.chat.Format
	if wanted == nil || wanted.Type == "text" {
		return
	}
	if !b.target.Takes("response_format", "structured_outputs") {
		b.drop("response_format")
		return
	}
	b.request.Format = jsontext.Value(`"json"`)
	if wanted.Type == "json_schema" && rawjson.Kind(wanted.Schema) == '{' {
		b.request.Format = wanted.Schema
	}
}

// think says whether to think, and how much (spec section 4.5): the API has levels but
// no budgets. It refuses to let a model think that cannot, so that a mere wish to see
// thoughts asks for nothing: models that can think do.
func (b *builder) think() {
	asked := b.chat.Reasoning
	if asked == nil {
		return
	}
	level := ""
	switch effort := asked.Level(); {
	case effort == "none":
		level = "false"
	case asked.Effort == "" && (asked.MaxTokens > 0 || effort != ""):
		level = "true" // a budget, or the switch alone
	case effort == "minimal":
		level = `"low"`
	case effort == "xhigh":
		level = `"max"`
	case effort != "":
		level = strconv.Quote(effort)
	}
	switch {
	case level == "":
	case !b.target.Takes("reasoning", "reasoning_effort"):
		b.drop("reasoning")
	default:
		b.request.Think = jsontext.Value(level)
	}
}

func (b *builder) logprobs() {
	if !b.chat.Logprobs {
		return
	}
	if !b.target.Takes("logprobs") {
		b.drop("logprobs")
		return
	}
	b.request.Logprobs = true
	if top := b.chat.TopLogprobs; top != nil {
		b.request.TopLogprobs = *top
	}
}

// options writes how the model runs and samples. Those that the client gives by Ollama's
// names, in a member `options`, are kept as they stand, and win.
func (b *builder) options() error {
	var own jsontext.Value
	extra := map[string]jsontext.Value{}
	for _, field := range b.chat.Extra {
		switch {
		case slices.Contains(b.target.Refused, field.Name):
			b.drop(field.Name)
		case field.Name == "options":
			if rawjson.Kind(field.Value) != '{' {
				return dialect.Invalid("'options' must be an object of Ollama's options, such as num_ctx.")
			}
			own = field.Value
		case field.Name == "keep_alive":
			b.request.KeepAlive = field.Value
		case field.Name == "truncate":
			b.request.Truncate = field.Value
		case field.Name == "shift":
			b.request.Shift = field.Value
		case (field.Name == "min_p" || field.Name == "repetition_penalty") && rawjson.Kind(field.Value) == '0':
			extra[field.Name] = field.Value
		case field.Name == "num_ctx" && rawjson.Kind(field.Value) == '0':
			extra[field.Name] = field.Value
		default:
			b.drop(field.Name)
		}
	}
	c, options := b.chat, jsontext.Value{'{'}
	option := func(name, parameter string, given bool, value func(dst []byte) []byte) {
		switch {
		case !given || own != nil && rawjson.Get(own, name) != nil:
		case parameter != "" && !b.target.Takes(parameter):
			b.drop(parameter)
		default:
			options = value(rawjson.AppendName(options, name))
		}
	}
	whole := func(n *int64) func([]byte) []byte {
		return func(dst []byte) []byte { return strconv.AppendInt(dst, *n, 10) }
	}
	number := func(n *float64) func([]byte) []byte {
		return func(dst []byte) []byte { return strconv.AppendFloat(dst, *n, 'g', -1, 64) }
	}
	raw := func(name string) func([]byte) []byte {
		return func(dst []byte) []byte { return append(dst, extra[name]...) }
	}
	option("num_ctx", "", extra["num_ctx"] != nil, raw("num_ctx"))
	option("num_predict", "", c.MaxTokens > 0, whole(&c.MaxTokens))
	option("temperature", "temperature", c.Temperature != nil, number(c.Temperature))
	option("top_p", "top_p", c.TopP != nil, number(c.TopP))
	option("top_k", "top_k", c.TopK != nil, whole(c.TopK))
	option("min_p", "min_p", extra["min_p"] != nil, raw("min_p"))
	option("repeat_penalty", "repetition_penalty", extra["repetition_penalty"] != nil, raw("repetition_penalty"))
	option("frequency_penalty", "frequency_penalty", c.FrequencyPenalty != nil, number(c.FrequencyPenalty))
	option("presence_penalty", "presence_penalty", c.PresencePenalty != nil, number(c.PresencePenalty))
	option("seed", "seed", c.Seed != nil, whole(c.Seed))
	option("stop", "stop", len(c.Stop) > 0, func(dst []byte) []byte {
		dst = append(dst, '[')
		for _, stop := range c.Stop {
			dst = rawjson.AppendQuoted(rawjson.Comma(dst), stop)
		}
		return append(dst, ']')
	})
	for member := rawjson.Walk(own); member.Next(); {
		options = rawjson.AppendRaw(options, member.Member)
	}
	if len(options) > len("{") {
		b.request.Options = append(options, '}')
	}
	return nil
}

func (b *builder) others() {
	c := b.chat
	for name, given := range map[string]bool{
		"n":                  c.Choices > 1,
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
