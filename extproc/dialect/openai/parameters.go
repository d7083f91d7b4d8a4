package openai

import (
	"math"
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// shape is what the gateway demands of a parameter's value.
type shape struct {
	kinds       string // of rawjson.Kind; empty admits all
	words       string // for kinds, in an error
	whole       bool
	least, most float64 // of a number; both zero admits all
}

var (
	toggle    = shape{kinds: "tf", words: "true or false"}
	anyObject = shape{kinds: "{", words: "an object"}
)

func within(least, most float64) shape {
	return shape{kinds: "0", words: "a number", least: least, most: most}
}

func wholeWithin(least, most float64) shape {
	return shape{kinds: "0", words: "a whole number", whole: true, least: least, most: most}
}

// parameterShape is the shape of a request parameter: a field of
// supported_parameters (spec section 7), with its bounds from section 1.1.1.
func parameterShape(name string) (shape, bool) {
	switch name {
	case "temperature", "repetition_penalty":
		return within(0, 2), true
	case "top_p", "min_p", "top_a":
		return within(0, 1), true
	case "frequency_penalty", "presence_penalty":
		return within(-2, 2), true
	case "top_k":
		return wholeWithin(0, mostTokens), true
	case "top_logprobs":
		return wholeWithin(0, 20), true
	case "max_tokens", "max_completion_tokens":
		return wholeWithin(1, mostTokens), true
	case "seed":
		return shape{kinds: "0", words: "a whole number", whole: true}, true
	case "logprobs", "parallel_tool_calls", "structured_outputs", "include_reasoning":
		return toggle, true
	case "logit_bias", "response_format", "reasoning", "web_search_options", "prediction":
		return anyObject, true
	case "stop":
		return shape{kinds: "\"[", words: "a string or an array of strings"}, true
	case "tools":
		return shape{kinds: "[", words: "an array"}, true
	case "tool_choice":
		return shape{kinds: "\"{", words: "a string or an object"}, true
	case "reasoning_effort", "verbosity":
		return shape{kinds: "\"", words: "a string"}, true
	}
	return shape{}, false
}

func isParameter(name string) bool {
	_, known := parameterShape(name)
	return known
}

func checkParameter(name string, value []byte) error {
	want, _ := parameterShape(name)
	if err := checkShape(name, want, value); err != nil {
		return err
	}
	switch name {
	case "reasoning_effort":
		var effort string
		return dialect.ReadEffort(&effort, name, value)
	case "stop":
		i := 0
		for c := rawjson.Walk(value); c.Next(); i++ {
			if rawjson.Kind(c.Value) != '"' {
				return dialect.Invalid("'stop.%d' must be a string.", i)
			}
		}
	}
	return nil
}

func checkShape(name string, want shape, value []byte) error {
	if !slices.Contains([]byte(want.kinds), rawjson.Kind(value)) {
		return dialect.Invalid("'%s' must be %s.", name, want.words)
	}
	if rawjson.Kind(value) == '0' {
		return checkNumber(name, want, value)
	}
	return nil
}

func checkNumber(name string, want shape, value []byte) error {
	number, ok := rawjson.Float(value)
	switch {
	case !ok:
		return dialect.Invalid("'%s' is not a number that can be represented.", name)
	case want.whole && number != math.Trunc(number):
		return dialect.Invalid("'%s' must be a whole number.", name)
	case want.least == 0 && want.most == 0:
		return nil
	case number < want.least || number > want.most:
		return dialect.OutOfRange(name, number, want.least, want.most, mostTokens)
	}
	return nil
}
