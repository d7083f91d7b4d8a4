package responses

import (
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// echoed are the settings that an answer repeats, each with what stands for one
// that was not given: null where the choice is the provider's.
var echoed = []struct{ name, otherwise string }{
	{"background", "false"},
	{"frequency_penalty", "null"},
	{"instructions", "null"},
	{"max_output_tokens", "null"},
	{"max_tool_calls", "null"},
	{"metadata", "{}"},
	{"parallel_tool_calls", "true"},
	{"presence_penalty", "null"},
	{"previous_response_id", "null"},
	{"prompt_cache_key", "null"},
	{"reasoning", `{"effort":null,"summary":null}`},
	{"safety_identifier", "null"},
	{"store", "false"},
	{"temperature", "null"},
	{"text", `{"format":{"type":"text"}}`},
	{"tool_choice", `"auto"`},
	{"tools", "[]"},
	{"top_logprobs", "0"},
	{"top_p", "null"},
	{"truncation", `"disabled"`},
	{"user", "null"},
}

// appendEcho appends the settings of a request to an object that is open.
func appendEcho(dst, request []byte) []byte {
	given := make(map[string][]byte, len(echoed))
	for c := rawjson.Walk(request); c.Next(); {
		if rawjson.Present(c.Value) {
			given[string(c.Name)] = c.Value
		}
	}
	for _, setting := range echoed {
		value := []byte(setting.otherwise)
		if own := given[setting.name]; own != nil {
			value = oneLine(own)
		}
		dst = rawjson.AppendMember(dst, setting.name, value)
	}
	return dst
}
