package openai

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// WithPreset merges a preset into a body (spec section 3.6, rows 126 to 128). A
// member of the request replaces the preset's whole; tools are united. What the
// request says stays byte for byte and in its order, and what only the preset says
// follows it. The preset's system prompt goes in front of the caller's own system
// message, so that the caller may narrow it. The model is left without the preset's
// slug: it is the request's, else the preset's, else there is none.
func (Client) WithPreset(body []byte, preset dialect.Preset) ([]byte, error) {
	text, err := dialect.Object(body)
	if err != nil {
		return nil, err
	}
	m := merger{request: readMembers(text), preset: readMembers(preset.Config), prompt: preset.SystemPrompt}
	dst := make([]byte, 0, len(text)+len(preset.Config)+len(preset.SystemPrompt)+64)
	dst = append(dst, '{')
	for _, own := range m.request {
		dst = m.member(dst, own)
	}
	for _, given := range m.preset {
		if m.adds(given) {
			dst = rawjson.AppendRaw(dst, given.raw)
		}
	}
	return append(dst, '}'), nil
}

type merger struct {
	request, preset []member
	prompt          string
}

// member appends what becomes of a member of the request.
func (m *merger) member(dst []byte, own member) []byte {
	given, has := m.given(own.name)
	switch {
	case own.name == "model" && rawjson.Kind(own.value) == '"':
		return m.model(dst, own)
	case !rawjson.Present(own.value) && has:
		// A field given as null counts as not given.
		return rawjson.AppendRaw(dst, given.raw)
	case own.name == "tools" && has && rawjson.Kind(own.value) == '[':
		return uniteTools(dst, given.value, own.value)
	case own.name == "messages" && m.prompt != "":
		return appendPrompted(dst, own, m.prompt)
	}
	return rawjson.AppendRaw(dst, own.raw)
}

// model appends the model without a preset's slug, and the preset's model where
// nothing else is left.
func (m *merger) model(dst []byte, own member) []byte {
	model, slug := dialect.CutPreset(rawjson.Text(own.value))
	if slug == "" {
		return rawjson.AppendRaw(dst, own.raw)
	}
	if model != "" {
		return rawjson.AppendText(dst, "model", model)
	}
	if given, has := m.given("model"); has {
		return rawjson.AppendRaw(dst, given.raw)
	}
	return dst
}

// given finds what the preset has for a member of the request.
func (m *merger) given(name string) (member, bool) {
	for _, given := range m.preset {
		if given.name == name {
			return given, configures(given)
		}
	}
	return member{}, false
}

// adds reports whether a member of the preset joins those of the request.
func (m *merger) adds(given member) bool {
	if !configures(given) || find(m.request, synonym(given.name)) != nil {
		return false
	}
	for _, own := range m.request {
		if own.name == given.name {
			return false
		}
	}
	return true
}

// routingOf is what a preset says of who shall answer, as an object of its own.
func routingOf(config []byte) []byte {
	dst := []byte{'{'}
	for _, m := range readMembers(config) {
		switch m.name {
		case "model", "models", "provider", "route":
			dst = rawjson.AppendRaw(dst, m.raw)
		}
	}
	return append(dst, '}')
}

// configures reports whether a member says how a request is answered. A preset is
// for many conversations, and brings none of its own; how long answers are cached
// is between it and the gateway.
func configures(given member) bool {
	switch given.name {
	case "messages", "prompt", "input", "stream", "preset", "cache_enabled", "cache_ttl_seconds":
		return false
	}
	return rawjson.Present(given.value)
}

// synonym is another name for the same setting, or "". Under either the request
// wins.
func synonym(name string) string {
	switch name {
	case "max_tokens":
		return "max_completion_tokens"
	case "max_completion_tokens":
		return "max_tokens"
	case "reasoning":
		return "reasoning_effort"
	case "reasoning_effort":
		return "reasoning"
	}
	return ""
}

// appendPrompted appends the messages behind a system message. No messages stay
// none, which is an error of the client's (row 12).
func appendPrompted(dst []byte, messages member, prompt string) []byte {
	if first := rawjson.Walk(messages.value); rawjson.Kind(messages.value) != '[' || !first.Next() {
		return rawjson.AppendRaw(dst, messages.raw)
	}
	dst = append(rawjson.AppendName(dst, "messages"), `[{"role":"system","content":`...)
	dst = append(rawjson.AppendQuoted(dst, prompt), '}', ',')
	return append(dst, messages.value[1:]...)
}

// uniteTools appends the tools of both: the preset's in their order, each replaced
// by the request's of the same identity, and then the request's others.
func uniteTools(dst, preset, request []byte) []byte {
	own, shared := map[string][]byte{}, map[string]bool{}
	for c := rawjson.Walk(request); c.Next(); {
		own[toolIdentity(c.Value)] = c.Value
	}
	dst = append(rawjson.AppendName(dst, "tools"), '[')
	for c := rawjson.Walk(preset); c.Next(); {
		identity := toolIdentity(c.Value)
		shared[identity] = true
		if tool := own[identity]; tool != nil {
			dst = rawjson.AppendRaw(dst, tool)
		} else {
			dst = rawjson.AppendRaw(dst, c.Value)
		}
	}
	for c := rawjson.Walk(request); c.Next(); {
		if !shared[toolIdentity(c.Value)] {
			dst = rawjson.AppendRaw(dst, c.Value)
		}
	}
	return append(dst, ']')
}

// toolIdentity tells tools apart: those that have names by type and name, others,
// which the gateway or the provider runs, by type.
func toolIdentity(tool []byte) string {
	if rawjson.Kind(tool) != '{' {
		return string(tool)
	}
	kind := rawjson.Text(rawjson.Get(tool, "type"))
	holder := kind
	switch kind {
	case "":
		kind, holder = "function", "function"
	case "openrouter:advisor", "openrouter:subagent":
		holder = "parameters"
	}
	return kind + " " + rawjson.Text(rawjson.Get(rawjson.Get(tool, holder), "name"))
}
