package gemini

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// WithPreset merges a preset into a body (spec section 3.6, rows 126 to 128): what the
// request says wins, setting by setting, and tools are united by name. The preset's
// system prompt goes in front of the request's own instructions. Presets are mostly
// made of chats; what this API has no word for is left out.
func (c Client) WithPreset(body []byte, preset dialect.Preset) ([]byte, error) {
	text, err := dialect.Object(body)
	if err != nil {
		return nil, err
	}
	m := merger{prompt: preset.SystemPrompt}
	if c.embeds() { // what else a preset says is for conversations
		m.prompt = ""
		preset.Config = routingOf(preset.Config)
	}
	for given := rawjson.Walk(preset.Config); given.Next(); {
		if rawjson.Present(given.Value) {
			m.take(string(given.Name), given.Value)
		}
	}
	dst := append(make([]byte, 0, len(text)+len(preset.Config)+len(preset.SystemPrompt)+64), '{')
	for own := rawjson.Walk(text); own.Next(); {
		if rawjson.Present(own.Value) { // null counts as not given
			dst = m.member(dst, &own)
		}
	}
	return append(m.rest(dst, c.model == ""), '}'), nil
}

// routingOf is what of a preset says who shall answer.
func routingOf(config []byte) []byte {
	dst := []byte{'{'}
	for c := rawjson.Walk(config); c.Next(); {
		switch string(c.Name) {
		case "model", "models", "provider", "route":
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return append(dst, '}')
}

// configured is a member that a preset gives.
type configured struct {
	name  string
	value []byte
}

// merger holds what is not written yet of a preset.
type merger struct {
	prompt   string
	members  []configured // beside generationConfig and tools
	settings []configured // of generationConfig
	tools    []byte       // function declarations, each behind a comma
	model    []byte
}

// take puts a member of a preset into the words of this API. A preset is for many
// conversations, and brings none of its own.
func (m *merger) take(name string, value []byte) {
	set := func(field string, value []byte) { m.settings = append(m.settings, configured{field, value}) }
	switch name {
	case "model":
		m.model = value
	case "temperature", "seed":
		set(name, value)
	case "top_p", "top_k", "presence_penalty", "frequency_penalty":
		set(camel([]byte(name)), value)
	case "max_tokens", "max_completion_tokens":
		set("maxOutputTokens", value)
	case "stop":
		if rawjson.Kind(value) == '"' {
			value = append(append([]byte{'['}, value...), ']')
		}
		set("stopSequences", value)
	case "response_format":
		if rawjson.Text(rawjson.Get(value, "type")) != "text" {
			set("responseMimeType", []byte(`"application/json"`))
		}
		if schema := rawjson.Get(rawjson.Get(value, "json_schema"), "schema"); rawjson.Kind(schema) == '{' {
			set("responseJsonSchema", schema)
		}
	case "reasoning":
		if config := thinkingOf(value); config != nil {
			set("thinkingConfig", config)
		}
	case "generationConfig", "generation_config":
		for c := rawjson.Walk(value); c.Next(); {
			set(camel(c.Name), c.Value)
		}
	case "tools":
		for c := rawjson.Walk(value); c.Next(); {
			m.declare(c.Value)
		}
	case "safetySettings", "safety_settings":
		m.members = append(m.members, configured{"safetySettings", value})
	case "service_tier", "serviceTier":
		m.members = append(m.members, configured{"serviceTier", value})
	case "preset":
	default:
		if forGateway(name) {
			m.members = append(m.members, configured{name, value})
		}
	}
}

// declare takes a tool of a preset's: one of a chat's, or a list of declarations.
func (m *merger) declare(tool []byte) {
	if function := rawjson.Get(tool, "function"); rawjson.Kind(function) == '{' {
		read := dialect.ReadFunction(function)
		declared := rawjson.AppendText([]byte{'{'}, "name", read.Name)
		if read.Description != "" {
			declared = rawjson.AppendText(declared, "description", read.Description)
		}
		if read.Parameters != nil {
			declared = rawjson.AppendMember(declared, "parametersJsonSchema", read.Parameters)
		}
		m.tools = append(append(m.tools, ','), append(declared, '}')...)
	}
	for c := rawjson.Walk(get(tool, "functionDeclarations")); c.Next(); {
		m.tools = append(append(m.tools, ','), c.Value...)
	}
}

// thinkingOf is the API's form of a chat's `reasoning`, or nil if that says nothing.
func thinkingOf(reasoning []byte) []byte {
	config := []byte{'{'}
	if budget := rawjson.Get(reasoning, "max_tokens"); rawjson.Present(budget) {
		config = rawjson.AppendMember(config, "thinkingBudget", budget)
	}
	switch level := rawjson.Text(rawjson.Get(reasoning, "effort")); level {
	case "":
	case "none":
		config = append(rawjson.AppendName(config, "thinkingBudget"), '0')
	case "max":
		config = rawjson.AppendText(config, "thinkingLevel", "XHIGH")
	default:
		config = rawjson.AppendText(config, "thinkingLevel", level)
	}
	if rawjson.True(rawjson.Get(reasoning, "exclude")) {
		config = append(rawjson.AppendName(config, "includeThoughts"), "false"...)
	}
	if len(config) == 1 {
		return nil
	}
	return append(config, '}')
}

// member appends what becomes of a member of the request, and takes what it replaces
// out of the preset.
func (m *merger) member(dst []byte, own *rawjson.Cursor) []byte {
	name := camel(own.Name)
	switch {
	case name == "systemInstruction" && m.prompt != "" && rawjson.Kind(get(own.Value, "parts")) == '[':
		dst = m.prompted(rawjson.AppendName(dst, name))
		for c := rawjson.Walk(get(own.Value, "parts")); c.Next(); {
			dst = rawjson.AppendRaw(dst, c.Value)
		}
		return append(dst, "]}"...)
	case name == "generationConfig" && rawjson.Kind(own.Value) == '{':
		dst = append(rawjson.AppendName(dst, name), '{')
		for c := rawjson.Walk(own.Value); c.Next(); {
			if rawjson.Present(c.Value) {
				m.settings = without(m.settings, camel(c.Name))
				dst = rawjson.AppendRaw(dst, c.Member)
			}
		}
		return append(m.appendSettings(dst), '}')
	case name == "tools" && rawjson.Kind(own.Value) == '[':
		return m.unite(dst, own.Value)
	case string(own.Name) == "preset":
		return dst // merged
	}
	m.members = without(without(m.members, name), string(own.Name))
	return rawjson.AppendRaw(dst, own.Member)
}

func without(members []configured, name string) []configured {
	kept := members[:0]
	for _, given := range members {
		if given.name != name {
			kept = append(kept, given)
		}
	}
	return kept
}

// prompted appends the instructions, left open, with the preset's in front.
func (m *merger) prompted(dst []byte) []byte {
	dst = append(rawjson.AppendQuoted(append(dst, `{"parts":[{"text":`...), m.prompt), '}')
	m.prompt = ""
	return dst
}

func (m *merger) appendSettings(dst []byte) []byte {
	seen := map[string]bool{}
	for _, given := range m.settings {
		if !seen[given.name] { // a repeated name is not written twice
			seen[given.name] = true
			dst = rawjson.AppendMember(dst, given.name, given.value)
		}
	}
	m.settings = nil
	return dst
}

// unite appends the request's tools, and behind them what only the preset has.
func (m *merger) unite(dst, own []byte) []byte {
	names := map[string]bool{}
	dst = append(rawjson.AppendName(dst, "tools"), '[')
	for c := rawjson.Walk(own); c.Next(); {
		for f := rawjson.Walk(get(c.Value, "functionDeclarations")); f.Next(); {
			names[rawjson.Text(get(f.Value, "name"))] = true
		}
		dst = rawjson.AppendRaw(dst, c.Value)
	}
	return append(m.declarations(dst, names), ']')
}

// declarations appends the preset's functions as one tool, but for those that own has
// by the same name.
func (m *merger) declarations(dst []byte, own map[string]bool) []byte {
	start := len(dst)
	dst = append(rawjson.Comma(dst), `{"functionDeclarations":[`...)
	some := false
	if len(m.tools) > 0 {
		m.tools[0] = '['
		for c := rawjson.Walk(append(m.tools, ']')); c.Next(); {
			if !own[rawjson.Text(get(c.Value, "name"))] {
				dst, some = rawjson.AppendRaw(dst, c.Value), true
			}
		}
		m.tools = nil
	}
	if !some {
		return dst[:start]
	}
	return append(dst, "]}"...)
}

// rest appends what only the preset says; its model is asked for where the path names
// none.
func (m *merger) rest(dst []byte, model bool) []byte {
	if m.prompt != "" {
		dst = append(m.prompted(rawjson.AppendName(dst, "systemInstruction")), "]}"...)
	}
	if len(m.settings) > 0 {
		dst = append(m.appendSettings(append(rawjson.AppendName(dst, "generationConfig"), '{')), '}')
	}
	if len(m.tools) > 0 {
		dst = append(m.declarations(append(rawjson.AppendName(dst, "tools"), '['), nil), ']')
	}
	seen := map[string]bool{}
	for _, given := range m.members {
		if !seen[given.name] {
			seen[given.name] = true
			dst = rawjson.AppendMember(dst, given.name, given.value)
		}
	}
	if model && m.model != nil {
		dst = rawjson.AppendMember(dst, "model", m.model)
	}
	return dst
}
