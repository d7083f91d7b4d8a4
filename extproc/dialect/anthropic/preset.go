package anthropic

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// WithPreset merges a preset into a body (spec section 3.6, rows 126 to 128): what the
// request says wins, member by member, and tools are united by name. The preset's
// system prompt goes in front of the request's own instructions. Presets are mostly
// made of chats; what this API has no word for is left out.
func (Client) WithPreset(body []byte, preset dialect.Preset) ([]byte, error) {
	text, err := dialect.Object(body)
	if err != nil {
		return nil, err
	}
	m := merger{given: map[string][]byte{}, prompt: preset.SystemPrompt}
	for c := rawjson.Walk(preset.Config); c.Next(); {
		if name, value := configured(string(c.Name), c.Value); value != nil {
			m.given[name] = value
			m.names = append(m.names, name)
		}
	}
	dst := append(make([]byte, 0, len(text)+len(preset.Config)+len(preset.SystemPrompt)+64), '{')
	for c := rawjson.Walk(text); c.Next(); {
		if rawjson.Present(c.Value) { // null counts as not given
			dst = m.member(dst, &c)
		}
	}
	if m.prompt != "" {
		dst = rawjson.AppendText(dst, "system", m.prompt)
	}
	for _, name := range m.names {
		if value := m.given[name]; value != nil {
			dst = rawjson.AppendMember(dst, name, value)
			delete(m.given, name) // a repeated name is not written twice
		}
	}
	return append(dst, '}'), nil
}

// merger holds what is not written yet of a preset.
type merger struct {
	given  map[string][]byte
	names  []string // of given, in order
	prompt string
}

// member appends what becomes of a member of the request, and takes what it replaces
// out of the preset.
func (m *merger) member(dst []byte, own *rawjson.Cursor) []byte {
	name := string(own.Name)
	switch name {
	case "model":
		model, slug := dialect.CutPreset(rawjson.Text(own.Value))
		if slug == "" {
			break
		}
		if model == "" {
			return dst // the preset's follows, if it has one
		}
		delete(m.given, name)
		return rawjson.AppendText(dst, name, model)
	case "system":
		if m.prompt != "" {
			return m.system(dst, own.Value)
		}
	case "tools":
		dst = uniteTools(dst, m.given[name], own.Value)
		delete(m.given, name)
		return dst
	}
	delete(m.given, name)
	return rawjson.AppendRaw(dst, own.Member)
}

// system appends both instructions as blocks. What is neither a string nor blocks is
// left for Parse to refuse.
func (m *merger) system(dst, own []byte) []byte {
	kind := rawjson.Kind(own)
	if kind != '"' && kind != '[' {
		return rawjson.AppendMember(dst, "system", own)
	}
	dst = append(rawjson.AppendName(dst, "system"), `[{"type":"text","text":`...)
	dst = append(rawjson.AppendQuoted(dst, m.prompt), '}')
	if kind == '"' {
		dst = append(append(append(dst, `,{"type":"text","text":`...), own...), '}')
	}
	for c := rawjson.Walk(own); kind == '[' && c.Next(); {
		dst = rawjson.AppendRaw(dst, c.Value)
	}
	m.prompt = ""
	return append(dst, ']')
}

// configured is a member of a preset in the words of this API; the value is nil where
// it has none for it. A preset is for many conversations, and brings none of its own.
func configured(name string, value []byte) (string, []byte) {
	if !rawjson.Present(value) {
		return name, nil
	}
	switch name {
	case "messages", "system", "stream", "preset":
		return name, nil
	case "max_completion_tokens":
		return "max_tokens", value
	case "stop":
		if rawjson.Kind(value) == '"' {
			value = append(append([]byte{'['}, value...), ']')
		}
		return "stop_sequences", value
	case "tools":
		return name, appendTools([]byte{'['}, value, nil)
	case "tool_choice":
		if rawjson.Kind(value) != '{' || rawjson.Text(rawjson.Get(value, "type")) == "function" {
			return name, nil // of a chat
		}
		return name, value
	case "model", "thinking", "output_config", "service_tier", "speed", "metadata":
		return name, value
	}
	if defined(name) || forGateway(name) {
		return name, value
	}
	return name, nil
}

// appendTools ends a list with the tools of a preset, those of chats in this API's
// form, but for the ones that own has by the same name.
func appendTools(dst, preset []byte, own map[string]bool) []byte {
	for c := rawjson.Walk(preset); c.Next(); {
		tool := c.Value
		if function := rawjson.Get(tool, "function"); rawjson.Kind(function) == '{' {
			tool = rawjson.AppendText([]byte{'{'}, "name", rawjson.Text(rawjson.Get(function, "name")))
			if words := rawjson.Get(function, "description"); rawjson.Present(words) {
				tool = rawjson.AppendMember(tool, "description", words)
			}
			schema := dialect.ObjectSchema(nil)
			if parameters := rawjson.Get(function, "parameters"); rawjson.Kind(parameters) == '{' {
				schema = dialect.ObjectSchema(parameters)
			}
			tool = append(rawjson.AppendMember(tool, "input_schema", schema), '}')
		}
		if !own[toolName(tool)] {
			dst = rawjson.AppendRaw(dst, tool)
		}
	}
	return append(dst, ']')
}

// uniteTools appends the request's tools, and behind them what only the preset has.
func uniteTools(dst, preset, request []byte) []byte {
	dst = rawjson.AppendName(dst, "tools")
	if rawjson.Kind(request) != '[' {
		return append(dst, request...) // for Parse to refuse
	}
	own := map[string]bool{}
	dst = append(dst, '[')
	for c := rawjson.Walk(request); c.Next(); {
		own[toolName(c.Value)] = true
		dst = rawjson.AppendRaw(dst, c.Value)
	}
	return appendTools(dst, preset, own)
}

// toolName tells tools apart: the client's own and most of the vendor's have a name.
func toolName(tool []byte) string {
	if name := rawjson.Text(rawjson.Get(tool, "name")); name != "" {
		return name
	}
	return rawjson.Text(rawjson.Get(tool, "type"))
}
