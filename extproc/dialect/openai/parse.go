package openai

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Parse checks a request once, strictly as JSON and as far as the gateway itself
// relies on it; what is beyond that is between the client and the provider.
func (Client) Parse(body []byte) (*dialect.Request, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, invalid("The request body is empty; send a JSON object with \"model\" and \"messages\".")
	}
	if err := rawjson.Validate(body); err != nil {
		return nil, malformed(err, len(body))
	}
	text := bytes.TrimSpace(body)
	if rawjson.Kind(text) != '{' {
		return nil, invalid("The request body must be a JSON object.")
	}
	request := &dialect.Request{Dialect: Name, Raw: text}
	p := parser{request: request, parsed: parsed{members: readMembers(text), plain: true}}
	for _, m := range p.parsed.members {
		if err := p.member(m.name, m.value); err != nil {
			return nil, err
		}
	}
	if err := p.complete(); err != nil {
		return nil, err
	}
	request.Parsed = &p.parsed
	request.Chat = sync.OnceValues(func() (*dialect.Chat, error) { return readChat(text) })
	return request, nil
}

// malformed names the place where a body stops being JSON (spec row 13).
func malformed(err error, size int) *dialect.Error {
	offset, reason := int64(size), "it ends too early"
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		offset = syntax.ByteOffset
		reason = syntax.Err.Error()
		if errors.Is(err, jsontext.ErrDuplicateName) && syntax.JSONPointer != "" {
			reason = fmt.Sprintf("duplicate member %q", syntax.JSONPointer.LastToken())
		}
	}
	failure := invalid(fmt.Sprintf("The request body is not valid JSON: %s at byte offset %d.", reason, offset))
	failure.Metadata = map[string]any{"offset": offset}
	return failure
}

// parsed is what Parse keeps for Request, which would else walk the body again.
type parsed struct {
	members []member
	// plain: the messages hold nothing that any provider would refuse, and can be
	// copied as they stand.
	plain bool
}

// member is a member of the request's object.
type member struct {
	name       string
	value, raw []byte
}

func readMembers(object []byte) []member {
	members := make([]member, 0, 16)
	for c := rawjson.Walk(object); c.Next(); {
		members = append(members, member{name: string(c.Name), value: c.Value, raw: c.Member})
	}
	return members
}

// find is the value of a member that is not null, or nil.
func find(members []member, name string) []byte {
	for _, m := range members {
		if m.name == name && rawjson.Present(m.value) {
			return m.value
		}
	}
	return nil
}

// parser collects what policy reads.
type parser struct {
	request   *dialect.Request
	parsed    parsed
	messages  bool
	prompt    bool
	effort    string // of reasoning
	shorthand string // reasoning_effort
	bounds    [2]int64
}

// mostModels is how many fallbacks a request may name (spec section 1.1.1).
const mostModels = 3

// longestSessionID is in characters (spec row 109).
const longestSessionID = 256

func (p *parser) member(name string, value []byte) error {
	if !rawjson.Present(value) {
		return nil
	}
	if isParameter(name) {
		if err := checkParameter(name, value); err != nil {
			return err
		}
		if kind := rawjson.Kind(value); kind != '[' || len(value) > 2 {
			p.request.Parameters = append(p.request.Parameters, name)
		}
	}
	r := p.request
	switch name {
	case "messages":
		p.messages = true
		return p.readMessages(value)
	case "prompt":
		p.prompt = true
	case "model":
		return text(&r.Model, name, value)
	case "models":
		return p.models(value)
	case "stream":
		return boolean(&r.Stream, name, value)
	case "max_tokens":
		p.bounds[1], _ = rawjson.Int(value)
	case "max_completion_tokens":
		p.bounds[0], _ = rawjson.Int(value)
	case "tools":
		return p.tools(value)
	case "session_id":
		if err := text(&r.SessionID, name, value); err != nil {
			return err
		}
		if utf8.RuneCountInString(r.SessionID) > longestSessionID {
			return invalid(fmt.Sprintf("'session_id' must have %d characters or fewer.", longestSessionID))
		}
	case "user":
		return text(&r.User, name, value)
	case "reasoning":
		return p.reasoning(value)
	case "reasoning_effort":
		p.shorthand = rawjson.Text(value)
	case "include_reasoning":
		include := true
		if err := boolean(&include, name, value); err != nil {
			return err
		}
		r.HideReasoning = r.HideReasoning || !include
	}
	return nil
}

func (p *parser) complete() error {
	r := p.request
	switch {
	case !p.messages && p.prompt:
		return invalid(`This endpoint takes "messages"; send "prompt" to /completions.`)
	case !p.messages:
		return invalid(`Input required: specify "prompt" or "messages"`)
	case p.shorthand != "" && p.effort != "" && p.shorthand != p.effort:
		return invalid("'reasoning_effort' conflicts with 'reasoning.effort'; send one of them.")
	}
	r.MaxTokens = p.bounds[0]
	if r.MaxTokens == 0 {
		r.MaxTokens = p.bounds[1]
	}
	slices.Sort(r.Parameters)
	slices.Sort(r.InputModalities)
	return nil
}

func (p *parser) models(value []byte) error {
	if rawjson.Kind(value) != '[' {
		return invalid("'models' must be an array of strings.")
	}
	for c := rawjson.Walk(value); c.Next(); {
		if rawjson.Kind(c.Value) != '"' {
			return invalid(fmt.Sprintf("'models.%d' must be a string.", len(p.request.Models)))
		}
		p.request.Models = append(p.request.Models, rawjson.Text(c.Value))
	}
	if len(p.request.Models) > mostModels {
		return invalid(fmt.Sprintf("'models' array must have %d items or fewer.", mostModels))
	}
	return nil
}

func (p *parser) tools(value []byte) error {
	i := 0
	for c := rawjson.Walk(value); c.Next(); i++ {
		if rawjson.Kind(c.Value) != '{' {
			return invalid(fmt.Sprintf("'tools.%d' must be an object.", i))
		}
		p.request.Tools = true
		p.request.PromptBytes += int64(len(c.Value))
	}
	return nil
}

func (p *parser) reasoning(value []byte) error {
	if rawjson.Kind(value) != '{' {
		return invalid("'reasoning' must be an object.")
	}
	budget := false
	for c := rawjson.Walk(value); c.Next(); {
		if !rawjson.Present(c.Value) {
			continue
		}
		switch string(c.Name) {
		case "effort":
			if err := checkEffort("reasoning.effort", c.Value); err != nil {
				return err
			}
			p.effort = rawjson.Text(c.Value)
		case "max_tokens":
			if n, ok := rawjson.Int(c.Value); !ok || n < 0 {
				return invalid("'reasoning.max_tokens' must be a whole number of tokens.")
			}
			budget = true
		case "exclude":
			exclude := false
			if err := boolean(&exclude, "reasoning.exclude", c.Value); err != nil {
				return err
			}
			p.request.HideReasoning = p.request.HideReasoning || exclude
		case "enabled":
			var enabled bool
			if err := boolean(&enabled, "reasoning.enabled", c.Value); err != nil {
				return err
			}
		}
	}
	if p.effort != "" && budget {
		return invalid("Only one of 'reasoning.effort' and 'reasoning.max_tokens' can be specified.")
	}
	return nil
}

func text(into *string, name string, value []byte) error {
	if rawjson.Kind(value) != '"' {
		return invalid(fmt.Sprintf("'%s' must be a string.", name))
	}
	*into = rawjson.Text(value)
	return nil
}

func boolean(into *bool, name string, value []byte) error {
	if kind := rawjson.Kind(value); kind != 't' && kind != 'f' {
		return invalid(fmt.Sprintf("'%s' must be true or false.", name))
	}
	*into = rawjson.True(value)
	return nil
}
