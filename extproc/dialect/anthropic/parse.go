package anthropic

import (
	"slices"
	"sync"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// mostFallbacks is of `fallbacks` (spec row 141).
const mostFallbacks = 3

// Parse checks a request once, strictly as JSON and as far as the gateway itself
// relies on it; what is beyond that is between the client and the provider.
func (c Client) Parse(body []byte) (*dialect.Request, error) {
	document, err := dialect.Document(body)
	if err != nil {
		return nil, err
	}
	text := document.Text
	p := parser{request: &dialect.Request{Dialect: Name, Raw: text}, parsed: parsed{plain: true, head: c.head}}
	for m := document.Walk(); m.Open(); {
		var err error
		if string(m.Name) == "messages" && rawjson.Kind(m.Value) == '[' {
			err = p.readMessages(&m)
		} else if m.Close() && rawjson.Present(m.Value) {
			err = p.member(string(m.Name), m.Value)
		}
		if err != nil {
			return nil, err
		}
		if rawjson.Present(m.Value) {
			p.parsed.members = append(p.parsed.members, m)
		}
	}
	if err := p.complete(); err != nil {
		return nil, err
	}
	p.request.Parsed = &p.parsed
	p.request.Chat = sync.OnceValues(func() (*dialect.Chat, error) { return readChat(text), nil })
	return p.request, nil
}

// parsed is what Parse keeps for a provider of the same dialect.
type parsed struct {
	// plain: the messages hold nothing that the API itself would refuse, and can be
	// copied as they stand.
	plain bool
	head  head
	// members are those of the request that are not null, each as it was found.
	members []rawjson.Cursor
}

// parser collects what policy reads.
type parser struct {
	request        *dialect.Request
	parsed         parsed
	messages       bool
	fast           bool
	fallbackModels []string
	fallbacks      bool   // given, if only as an empty list
	user           string // metadata.user_id
	thinks, output []byte // thinking and output_config
	opening        dialect.Opening
}

func (p *parser) member(name string, value []byte) error {
	if parameter := parameterName(name); parameter != "" {
		if err := checkParameter(name, value); err != nil {
			return err
		}
		p.parameter(parameter)
	}
	r := p.request
	switch name {
	case "messages":
		return dialect.Invalid("'messages' must be an array.")
	case "system":
		return p.system(value)
	case "models":
		// An item that is no string is named before the items are counted.
		if err := dialect.EachText(name, value); err != nil {
			return err
		}
	case "fallbacks":
		return p.readFallbacks(value)
	case "stream":
		return dialect.ReadBoolean(&r.Stream, name, value)
	case "max_tokens":
		r.MaxTokens, _ = rawjson.Int(value)
	case "tools":
		return p.tools(value)
	case "mcp_servers":
		r.ReadsMore = r.ReadsMore || string(value) != "[]"
	case "container": // with the files that are in it
		r.ReadsMore = true
	case "tool_choice":
		return p.toolChoice(value)
	case "thinking":
		p.thinks = value
		return p.thinking(value)
	case "output_config":
		p.output = value
		return p.outputConfig(value)
	case "service_tier":
		return p.serviceTier(value)
	case "speed":
		p.fast = rawjson.Text(value) == "fast"
	case "user":
		return dialect.ReadName(&r.User, name, value)
	case "metadata":
		p.user = rawjson.Text(rawjson.Get(value, "user_id"))
	}
	_, err := dialect.ReadRouting(r, name, value)
	return err
}

func (p *parser) complete() error {
	r := p.request
	switch {
	case !p.messages:
		return dialect.Invalid(`Input required: specify "messages".`)
	case p.fallbacks && r.Models != nil:
		return dialect.Invalid("'fallbacks' and 'models' exclude each other; send one of them.")
	case p.fallbacks:
		r.Models = p.fallbackModels
	}
	if r.User == "" {
		r.User = p.user
	}
	r.Effort = effortOf(p.thinks, p.output)
	if p.fast && r.ServiceTier == "" {
		r.ServiceTier = "priority"
	}
	r.Conversation = p.opening.Hash()
	slices.Sort(r.Parameters)
	r.Parameters = slices.Compact(r.Parameters)
	slices.Sort(r.InputModalities)
	return nil
}

// parameter notes a request parameter by its name in the catalog.
func (p *parser) parameter(name string) { p.request.Parameters = append(p.request.Parameters, name) }
