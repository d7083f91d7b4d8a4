package responses

import (
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Parse checks a request, strictly as JSON, and reads all of it. It costs a walk of
// the body and a copy of its texts, which every attempt then shares.
func (Client) Parse(body []byte) (*dialect.Request, error) {
	text, err := dialect.Object(body)
	if err != nil {
		return nil, err
	}
	r := reader{request: &dialect.Request{Dialect: Name, Raw: text}, chat: &dialect.Chat{}}
	var members []rawjson.Cursor
	for c := rawjson.Walk(text); c.Open(); {
		var err error
		if string(c.Name) == "input" && rawjson.Kind(c.Value) == '[' {
			err = r.items(&c)
		} else if c.Close() && rawjson.Present(c.Value) {
			err = r.member(string(c.Name), c.Value)
		}
		if err != nil {
			return nil, err
		}
		if rawjson.Present(c.Value) {
			members = append(members, c)
		}
	}
	if err := r.complete(); err != nil {
		return nil, err
	}
	if r.foreign {
		if r.request.Raw, err = native(text); err != nil {
			return nil, err
		}
		members = nil
		for c := rawjson.Walk(r.request.Raw); c.Next(); {
			if rawjson.Present(c.Value) {
				members = append(members, c)
			}
		}
	}
	r.request.Parsed = &parsed{members}
	chat := r.chat
	r.request.Chat = func() (*dialect.Chat, error) { return chat, nil }
	return r.request, nil
}

// parsed is what Parse keeps for a provider of the same dialect: the request's members
// that are not null, each as it was found.
type parsed struct{ members []rawjson.Cursor }

// reader collects the conversation, and what policy reads of it.
type reader struct {
	request *dialect.Request
	chat    *dialect.Chat
	given   bool // there is input
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
		request.PromptBytes += int64(len(value) - 2)
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
	case len(chat.Messages) == 0 && r.instructions == nil:
		return dialect.Invalid("Input must have at least 1 token.")
	}
	if r.instructions != nil {
		said := []dialect.Part{{Kind: dialect.PartText, Text: rawjson.Text(r.instructions)}}
		chat.Messages = slices.Insert(chat.Messages, 0, dialect.Message{Role: dialect.RoleSystem, Parts: said})
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
