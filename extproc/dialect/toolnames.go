package dialect

// ToolNamer is a provider dialect whose providers refuse some names of tools, such as
// those of MCP servers, which may have dots and be long.
type ToolNamer interface {
	// ToolName is a name that providers take. One that they take stays as it is, and
	// different names stay different. It must be a pure function.
	ToolName(name string) string
}

// WithToolNames is the request with names of tools that provider takes. What a
// translation makes of the answer has the client's own names again. A request in the
// provider's dialect keeps its names, as its client has to know that dialect's rules;
// one that was put into it from another API's words is translated, if names have to change.
func (r *Request) WithToolNames(provider Provider) *Request {
	namer, restricts := provider.(ToolNamer)
	passes := r.passesTo(provider)
	if !restricts || passes && !r.Foreign || r.OutputModality != "" {
		return r
	}
	chat, err := r.Chat()
	if err != nil {
		return r // the provider's dialect will say so
	}
	named := make(map[string]string) // by the client's name
	note := func(name string) {
		if other := namer.ToolName(name); name != "" && other != name {
			named[name] = other
		}
	}
	for i := range chat.Tools {
		note(chat.Tools[i].Name)
	}
	for i := range chat.Messages {
		for j := range chat.Messages[i].Parts {
			if call := chat.Messages[i].Parts[j].Call; call != nil {
				note(call.Name)
			}
		}
	}
	if len(named) == 0 {
		return r
	}
	renamed := *r
	renamed.Rewritten = r.Rewritten || passes
	renamed.ToolNames = make(map[string]string, len(named))
	for own, other := range named {
		renamed.ToolNames[other] = own
	}
	changed := renameTools(chat, named)
	renamed.Chat = func() (*Chat, error) { return changed, nil }
	return &renamed
}

// renameTools is a copy of a chat, of which nothing is written to.
func renameTools(chat *Chat, named map[string]string) *Chat {
	changed := *chat
	changed.Tools = append([]Tool(nil), chat.Tools...)
	for i := range changed.Tools {
		if other, ok := named[changed.Tools[i].Name]; ok {
			changed.Tools[i].Name = other
		}
	}
	if other, ok := named[changed.ToolChoice.Name]; ok {
		changed.ToolChoice.Name = other
	}
	changed.Messages = append([]Message(nil), chat.Messages...)
	for i := range changed.Messages {
		message := &changed.Messages[i]
		message.Parts = append([]Part(nil), message.Parts...)
		if other, ok := named[message.Name]; ok && message.Role == RoleTool {
			message.Name = other
		}
		for j := range message.Parts {
			if call := message.Parts[j].Call; call != nil {
				if other, ok := named[call.Name]; ok {
					call := *call
					call.Name = other
					message.Parts[j].Call = &call
				}
			}
		}
	}
	return &changed
}

// restoreTools puts the client's names into events.
func (r *Request) restoreTools(events []Event) {
	if len(r.ToolNames) == 0 {
		return
	}
	for i := range events {
		r.restoreTool(&events[i])
	}
}

func (r *Request) restoreTool(event *Event) {
	if own, ok := r.ToolNames[event.Text]; ok && event.Kind == EventToolCall {
		event.Text = own
	}
}
