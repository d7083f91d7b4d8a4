package responses

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

var _ dialect.Presetter = Client{}

// WithPreset merges a preset into a body (spec section 3.6, rows 126 to 128). A
// member of the request replaces the preset's whole; tools are united. A preset may
// be in the words of Chat Completions, and is put into those of this API. Its system
// prompt goes in front of the caller's own instructions.
func (Client) WithPreset(body []byte, preset dialect.Preset) ([]byte, error) {
	text, err := dialect.Object(body)
	if err != nil {
		return nil, err
	}
	given := respell(preset.Config)
	if preset.SystemPrompt != "" {
		given.set("instructions", rawjson.AppendQuoted(nil, preset.SystemPrompt))
	}
	dst := append(make([]byte, 0, len(text)+len(preset.Config)+len(preset.SystemPrompt)+64), '{')
	for c := rawjson.Walk(text); c.Next(); {
		name := string(c.Name)
		inherited, has := given.values[name]
		switch {
		case has && !rawjson.Present(c.Value):
			continue // a field given as null counts as not given
		case name == "model":
			model, slug := dialect.CutPreset(rawjson.Text(c.Value))
			if slug != "" && model == "" {
				continue // the preset's, or none
			}
			if slug != "" {
				dst = rawjson.AppendText(dst, name, model)
				break
			}
			dst = rawjson.AppendRaw(dst, c.Member)
		case name == "instructions" && has:
			joined := rawjson.Text(inherited) + "\n\n" + rawjson.Text(c.Value)
			dst = rawjson.AppendText(dst, name, joined)
		case name == "tools" && has && rawjson.Kind(c.Value) == '[':
			dst = rawjson.AppendMember(dst, name, uniteTools(inherited, c.Value))
		default:
			dst = rawjson.AppendRaw(dst, c.Member)
		}
		delete(given.values, name)
	}
	for _, name := range given.names {
		if value, left := given.values[name]; left {
			dst = append(rawjson.AppendQuoted(rawjson.Comma(dst), name), ':')
			dst = append(dst, value...)
		}
	}
	return append(dst, '}'), nil
}

// settings are members of a request in their order; the first of a name counts.
type settings struct {
	names  []string
	values map[string][]byte
}

func (s *settings) set(name string, value []byte) {
	if _, known := s.values[name]; !known {
		s.names = append(s.names, name)
		s.values[name] = value
	}
}

// respell puts a preset's configuration into the words of this API. What belongs to
// one conversation, or speaks to the gateway alone, is left out.
func respell(config jsontext.Value) settings {
	s := settings{values: map[string][]byte{}}
	var format, verbosity []byte
	for c := rawjson.Walk(config); c.Next(); {
		if !rawjson.Present(c.Value) {
			continue
		}
		switch name := string(c.Name); name {
		case "messages", "prompt", "input", "stream", "stream_options", "preset", "store", "previous_response_id",
			"cache_enabled", "cache_ttl_seconds":
		case "max_tokens", "max_completion_tokens":
			s.set("max_output_tokens", c.Value)
		case "reasoning_effort":
			s.set("reasoning", append(rawjson.AppendMember([]byte{'{'}, "effort", c.Value), '}'))
		case "response_format":
			format = flatten(c.Value, "json_schema")
		case "verbosity":
			verbosity = c.Value
		case "tool_choice":
			s.set(name, flatten(c.Value, "function"))
		case "tools":
			tools := []byte{'['}
			for tool := rawjson.Walk(c.Value); tool.Next(); {
				tools = rawjson.AppendRaw(tools, flatten(tool.Value, "function"))
			}
			s.set(name, append(tools, ']'))
		default:
			s.set(name, c.Value)
		}
	}
	if format != nil || verbosity != nil {
		text := []byte{'{'}
		if format != nil {
			text = rawjson.AppendMember(text, "format", format)
		}
		if verbosity != nil {
			text = rawjson.AppendMember(text, "verbosity", verbosity)
		}
		s.set("text", append(text, '}'))
	}
	return s
}

// flatten takes away the object of a name which Chat Completions puts around the
// members of a tool or a format.
func flatten(value []byte, name string) []byte {
	inner := rawjson.Get(value, name)
	if rawjson.Kind(inner) != '{' {
		return value
	}
	dst := rawjson.AppendMember([]byte{'{'}, "type", rawjson.AppendQuoted(nil, name))
	for c := rawjson.Walk(inner); c.Next(); {
		if string(c.Name) != "type" {
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return append(dst, '}')
}

// uniteTools is the preset's tools in their order, each replaced by the request's of
// the same type and name, and then the request's others.
func uniteTools(preset, request []byte) []byte {
	identity := func(tool []byte) string {
		return rawjson.Text(rawjson.Get(tool, "type")) + " " + rawjson.Text(rawjson.Get(tool, "name"))
	}
	own := map[string][]byte{}
	for c := rawjson.Walk(request); c.Next(); {
		own[identity(c.Value)] = c.Value
	}
	shared := map[string]bool{}
	dst := []byte{'['}
	for c := rawjson.Walk(preset); c.Next(); {
		tool := c.Value
		if replacement := own[identity(tool)]; replacement != nil {
			tool = replacement
		}
		shared[identity(tool)] = true
		dst = rawjson.AppendRaw(dst, tool)
	}
	for c := rawjson.Walk(request); c.Next(); {
		if !shared[identity(c.Value)] {
			dst = rawjson.AppendRaw(dst, c.Value)
		}
	}
	return append(dst, ']')
}
