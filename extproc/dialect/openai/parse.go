package openai

import (
	"sync"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Parse checks a request once, strictly as JSON and as far as the gateway itself
// relies on it; what is beyond that is between the client and the provider.
func (Client) Parse(body []byte) (*dialect.Request, error) {
	document, err := dialect.Document(body)
	if err != nil {
		return nil, err
	}
	text := document.Text
	p, err := parse(document)
	foreign := err == nil && p.foreign
	if foreign {
		var own []byte
		if own, err = native(text, false); err == nil {
			p, err = parse(&rawjson.Document{Text: own})
		}
	}
	if err != nil {
		return nil, err
	}
	request := p.request
	request.Parsed, request.Foreign = &p.parsed, foreign
	request.Chat = sync.OnceValues(func() (*dialect.Chat, error) {
		if !foreign {
			return readChat(text)
		}
		// Other APIs take from a tool what this one has no place for there.
		whole, err := native(text, true)
		if err != nil {
			return nil, err
		}
		return readChat(whole)
	})
	return request, nil
}

func parse(document *rawjson.Document) (*parser, error) {
	p := &parser{
		request: &dialect.Request{Dialect: Name, Raw: document.Text},
		parsed:  parsed{members: make([]member, 0, 16), plain: true},
	}
	for c := document.Walk(); c.Open(); {
		name := string(c.Name)
		var err error
		if name == "messages" && rawjson.Kind(c.Value) == '[' {
			err = p.readMessages(&c)
		} else if c.Close() {
			err = p.member(name, c.Value)
		}
		if err != nil {
			return nil, err
		}
		p.parsed.members = append(p.parsed.members, member{name: name, value: c.Value, raw: c.Member})
	}
	return p, p.complete()
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
