package responses

import (
	"math"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// setting reads what is said of the answer. Settings that only a memory or the
// gateway's own tools would use are let pass; what no field of the neutral form
// holds goes on to the provider under its own name.
func (r *reader) setting(name string, value []byte) error {
	chat, request := r.chat, r.request
	switch name {
	case "max_output_tokens":
		var err error
		chat.MaxTokens, err = wholeWithin(name, value, 1, math.MaxInt32)
		request.MaxTokens = chat.MaxTokens
		r.parameter("max_tokens")
		return err
	case "temperature":
		return r.number(&chat.Temperature, name, value, 0, 2)
	case "top_p":
		return r.number(&chat.TopP, name, value, 0, 1)
	case "frequency_penalty":
		return r.number(&chat.FrequencyPenalty, name, value, -2, 2)
	case "presence_penalty":
		return r.number(&chat.PresencePenalty, name, value, -2, 2)
	case "top_k":
		return r.whole(&chat.TopK, name, value, math.MaxInt32)
	case "top_logprobs":
		if err := r.whole(&chat.TopLogprobs, name, value, 20); err != nil {
			return err
		}
		r.logprobs()
		return nil
	case "include":
		for c := rawjson.Walk(value); c.Next(); {
			if rawjson.Text(c.Value) == "message.output_text.logprobs" {
				r.logprobs()
			}
		}
		return nil
	case "tools":
		return r.tools(value)
	case "tool_choice":
		return r.toolChoice(value)
	case "parallel_tool_calls":
		parallel := false
		if err := dialect.ReadBoolean(&parallel, name, value); err != nil {
			return err
		}
		chat.ParallelToolCalls = &parallel
		r.parameter(name)
		return nil
	case "reasoning":
		return r.reasoning(value)
	case "text":
		return r.format(value)
	case "service_tier":
		if err := dialect.ReadText(&chat.ServiceTier, name, value); err != nil {
			return err
		}
		request.ServiceTier = chat.ServiceTier
		return nil
	case "user":
		if err := dialect.ReadText(&chat.User, name, value); err != nil {
			return err
		}
		request.User = chat.User
		return nil
	case "cache_control":
		return dialect.ReadObject(&chat.CacheControl, name, value)
	case "prompt_cache_key":
		r.cacheKey = rawjson.Text(value)
	case "metadata":
		if rawjson.Kind(value) != '{' {
			return dialect.Invalid("'metadata' must be an object.")
		}
	case "stream_options", "truncation", "max_tool_calls", "stop_server_tools_when", "trace", "debug",
		"prompt_cache_options", "prompt_cache_retention", "client_metadata":
		return nil
	}
	chat.Extra = append(chat.Extra, dialect.Field{Name: name, Value: value})
	return nil
}

// parameter notes that the request uses a parameter, by its name in the catalog.
func (r *reader) parameter(name string) {
	r.request.Parameters = append(r.request.Parameters, name)
}

func (r *reader) logprobs() {
	if !r.chat.Logprobs {
		r.chat.Logprobs = true
		r.parameter("logprobs")
	}
}

func (r *reader) number(into **float64, name string, value []byte, least, most float64) error {
	number, err := within(name, value, least, most)
	if err != nil {
		return err
	}
	*into = &number
	r.parameter(name)
	return nil
}

func (r *reader) whole(into **int64, name string, value []byte, most float64) error {
	whole, err := wholeWithin(name, value, 0, most)
	if err != nil {
		return err
	}
	*into = &whole
	r.parameter(name)
	return nil
}

func wholeWithin(name string, value []byte, least, most float64) (int64, error) {
	number, err := within(name, value, least, most)
	if err == nil && number != math.Trunc(number) {
		err = dialect.Invalid("'%s' must be a whole number.", name)
	}
	return int64(number), err
}

func within(name string, value []byte, least, most float64) (float64, error) {
	number, ok := rawjson.Float(value)
	switch {
	case !ok:
		return 0, dialect.Invalid("'%s' must be a number.", name)
	case number < least || number > most:
		return 0, dialect.OutOfRange(name, number, least, most, math.MaxInt32)
	}
	return number, nil
}

// reasoning reads how much the model is to think (spec section 4.5).
func (r *reader) reasoning(value []byte) error {
	if rawjson.Kind(value) != '{' {
		return dialect.Invalid("'reasoning' must be an object.")
	}
	asked := &dialect.Reasoning{}
	for c := rawjson.Walk(value); c.Next(); {
		if !rawjson.Present(c.Value) {
			continue
		}
		switch string(c.Name) {
		case "effort":
			if err := dialect.ReadEffort(&asked.Effort, "reasoning.effort", c.Value); err != nil {
				return err
			}
		case "max_tokens":
			budget, ok := rawjson.Int(c.Value)
			if !ok || budget < 0 {
				return dialect.Invalid("'reasoning.max_tokens' must be a whole number of tokens.")
			}
			asked.MaxTokens = budget
		case "enabled":
			enabled := false
			if err := dialect.ReadBoolean(&enabled, "reasoning.enabled", c.Value); err != nil {
				return err
			}
			asked.Enabled = &enabled
		case "exclude":
			if err := dialect.ReadBoolean(&asked.Exclude, "reasoning.exclude", c.Value); err != nil {
				return err
			}
			r.request.HideReasoning = asked.Exclude
		case "summary":
			asked.Summary = rawjson.Text(c.Value)
		}
	}
	if asked.Effort != "" && asked.MaxTokens > 0 {
		return dialect.Invalid("Only one of 'reasoning.effort' and 'reasoning.max_tokens' can be specified.")
	}
	r.chat.Reasoning = asked
	r.request.Effort = asked.Level()
	r.parameter("reasoning")
	return nil
}

// format reads the member `text`: the answer's form and its verbosity.
func (r *reader) format(value []byte) error {
	if rawjson.Kind(value) != '{' {
		return dialect.Invalid("'text' must be an object.")
	}
	if r.chat.Verbosity = rawjson.Text(rawjson.Get(value, "verbosity")); r.chat.Verbosity != "" {
		r.parameter("verbosity")
	}
	wanted := rawjson.Get(value, "format")
	if !rawjson.Present(wanted) {
		return nil
	}
	format := dialect.ReadSchemaFormat(wanted)
	format.Type = rawjson.Text(rawjson.Get(wanted, "type"))
	switch format.Type {
	case "text":
		return nil // which is what a model writes anyway
	case "json_schema":
		if rawjson.Kind(format.Schema) != '{' {
			return dialect.Invalid("'text.format.schema' must be an object.")
		}
	case "json_object":
	default:
		return dialect.Invalid("'text.format.type' must be one of text, json_object and json_schema.")
	}
	r.chat.Format, r.request.ResponseFormat = format, format.Type
	r.parameter("response_format")
	return nil
}
