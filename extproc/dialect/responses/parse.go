package responses

import (
	"slices"
	"sync"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Parse checks a request, strictly as JSON, and notes what policy reads. The
// conversation itself is read for providers that speak another dialect, once for all.
func (Client) Parse(body []byte) (*dialect.Request, error) {
	document, err := dialect.Document(body)
	if err != nil {
		return nil, err
	}
	text := document.Text
	r := newReader(text)
	r.light = true
	if err := r.read(document); err != nil {
		return nil, err
	}
	r.parsed.reasoning = r.chat.Reasoning
	if r.foreign {
		if r.request.Raw, err = native(text); err != nil {
			return nil, err
		}
		r.parsed.plain, r.parsed.members = false, nil
		for c := rawjson.Walk(r.request.Raw); c.Next(); {
			if rawjson.Present(c.Value) {
				r.parsed.members = append(r.parsed.members, c)
			}
		}
	}
	r.request.Parsed = &r.parsed
	r.request.Chat = sync.OnceValues(func() (*dialect.Chat, error) {
		whole := newReader(text)
		err := whole.read(document)
		return whole.chat, err
	})
	return r.request, nil
}

func newReader(text []byte) *reader {
	return &reader{request: &dialect.Request{Dialect: Name, Raw: text}, chat: &dialect.Chat{}, parsed: parsed{plain: true}}
}

func (r *reader) read(document *rawjson.Document) error {
	for c := document.Walk(); c.Open(); {
		var err error
		if string(c.Name) == "input" && rawjson.Kind(c.Value) == '[' {
			err = r.items(&c)
		} else if c.Close() && rawjson.Present(c.Value) {
			err = r.member(string(c.Name), c.Value)
		}
		if err != nil {
			return err
		}
		if rawjson.Present(c.Value) {
			r.parsed.members = append(r.parsed.members, c)
		}
	}
	return r.complete()
}

// parsed is what Parse keeps for a provider of the same dialect.
type parsed struct {
	// members are those of the request that are not null, each as it was found.
	members []rawjson.Cursor
	// plain: the input holds nothing that any provider would refuse, and can be copied as
	// it stands.
	plain     bool
	reasoning *dialect.Reasoning
}

// reader collects the conversation, and what policy reads of it.
type reader struct {
	request *dialect.Request
	chat    *dialect.Chat
	parsed  parsed
	// light: all is checked and noted, but no text is copied, and chat has no messages.
	light  bool
	spoken bool // there is a message
	given  bool // there is input
	// instructions go in front of the input, wherever the client puts them.
	instructions []byte
	cacheKey     string // prompt_cache_key
	opening      dialect.Opening
	// allowed are the tools that tool_choice leaves; nil leaves all.
	allowed  map[string]bool
	foreign  bool // something is in another API's words, see foreign.go
	web      bool // the answer may be searched for
	thoughts int  // items of reasoning, each a detail of its own
	// Since the user's last message there were calls, and sealed reasoning.
	called, sealed bool
}

// member reads one member of the request that is not null.
func (r *reader) member(name string, value []byte) error {
	request := r.request
	switch name {
	case "input":
		r.given = true
		return r.text(value)
	case "instructions":
		if rawjson.Kind(value) != '"' {
			return dialect.Invalid("'instructions' must be a string.")
		}
		r.instructions = value
		request.PromptBytes += rawjson.Size(value)
		return nil
	case "stream":
		return dialect.ReadBoolean(&request.Stream, name, value)
	case "store", "previous_response_id", "conversation", "prompt", "background":
		return stateless(name, value)
	}
	if known, err := dialect.ReadRouting(request, name, value); known {
		return err
	}
	return r.setting(name, value)
}

// stateless refuses what needs a memory of earlier requests (spec row 135).
func stateless(name string, value []byte) error {
	switch {
	case name != "store" && name != "background":
		return dialect.Invalid("'%s' is not supported: this API keeps no state. Leave it out and send the whole conversation in 'input'.", name)
	case rawjson.True(value):
		return dialect.Invalid("'%s' must be false: this API keeps no state.", name)
	}
	return nil
}

func (r *reader) complete() error {
	request, chat := r.request, r.chat
	switch {
	case !r.given:
		return dialect.Invalid("Input required: specify \"input\".")
	case !r.spoken && r.instructions == nil:
		return dialect.Invalid("Input must have at least 1 token.")
	}
	if r.instructions != nil {
		if !r.light {
			said := dialect.Message{Role: dialect.RoleSystem, Parts: r.said(r.instructions)}
			chat.Messages = slices.Insert(chat.Messages, 0, said)
		}
		r.opening.Instructions = dialect.Beginning{}
		r.opening.Instructions.See(r.instructions)
	}
	if r.allowed != nil {
		chat.Allow(r.allowed)
	}
	dialect.TakeCacheKey(request, r.cacheKey)
	if r.web {
		request.Plugins = dialect.WithWebPlugin(request.Plugins)
	}
	request.Tools = len(chat.Tools) > 0
	if request.Tools {
		request.ToolName = chat.Tools[0].Name
	}
	request.BoundReasoning = r.called && r.sealed
	request.Conversation = r.opening.Hash()
	slices.Sort(request.Parameters)
	slices.Sort(request.InputModalities)
	return nil
}
