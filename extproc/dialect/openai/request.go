package openai

import (
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Request writes the request for target. From a Chat Completions client it copies
// the body with a few members changed: order, numbers and unknown fields stay as
// they are.
//
// What becomes of a field: those meant for the gateway go. Request parameters
// that the target does not support go (spec row 18). Fields that OpenAI defines
// stay. Others stay unless the target is strict: OpenAI itself answers 400 to a
// field it does not know, while self-hosted servers take options of their own
// that way. A field given as null counts as not given. Nothing is added but the
// demand for usage and what the target itself asks for (rows 16 and 17). Fields, roles
// and content become what the target's quirks say.
func (Provider) Request(request *dialect.Request, target dialect.Target) (dialect.Upstream, error) {
	if work, ok := request.Parsed.(task); ok {
		return work.upstream(target, request), nil
	}
	if request.OutputModality == "embeddings" {
		return requestEmbeddings(request, target)
	}
	e := editor{target: target, stream: request.Stream}
	size := len(request.Raw)
	if own, ok := request.Parsed.(*parsed); ok && !request.Rewritten {
		e.members, e.plain = own.members, own.plain
	} else if request.Dialect == Name && !request.Rewritten {
		e.members = readMembers(request.Raw)
	} else {
		chat, err := request.Portable()
		if err != nil {
			return dialect.Upstream{}, err
		}
		body := writeChat(chat, request.Stream)
		e.members, size = readMembers(body), len(body)
		e.dropped = append(e.dropped, chat.Unsaid...)
	}
	e.survey()
	accept := "application/json"
	if request.Stream {
		accept = "text/event-stream"
	}
	return dialect.Upstream{
		Path: "/chat/completions",
		Headers: []dialect.Header{
			{Name: "content-type", Value: "application/json"},
			{Name: "accept", Value: accept},
		},
		Body:    e.rewrite(make([]byte, 0, size+128)),
		Dropped: e.names(),
	}, nil
}

// Bound is the client's, if target takes it by either of its names.
func (Provider) Bound(request *dialect.Request, target dialect.Target) int64 {
	e := editor{target: target}
	if e.boundName("max_completion_tokens", "max_tokens") == "" {
		return 0
	}
	return request.MaxTokens
}

// editor rewrites one request for one target.
type editor struct {
	target  dialect.Target
	stream  bool
	members []member
	plain   bool
	dropped []string

	tools    bool   // the target gets tools
	bound    string // the name under which the target takes the bound on tokens
	bounded  bool   // it has been written
	effort   string // the reasoning effort to ask for
	reasoned bool   // it has been written
	tier     string // the service tier to ask for
}

// survey finds what the editing of one member needs to know of the others.
func (e *editor) survey() {
	first := rawjson.Walk(find(e.members, "tools"))
	e.tools = first.Next() && e.takes("tools")

	newer, older := "max_completion_tokens", "max_tokens"
	if find(e.members, newer) == nil {
		newer, older = older, newer // the client's own name first
	}
	e.bound = e.boundName(newer, older)

	e.tier = e.target.Tier(rawjson.Text(find(e.members, "service_tier")))
	e.effort = rawjson.Text(find(e.members, "reasoning_effort"))
	if reasoning := find(e.members, "reasoning"); e.effort == "" && reasoning != nil {
		e.effort = readReasoning(reasoning).NearestEffort()
	}
	if e.effort == "max" && e.target.Strict {
		e.effort = "xhigh"
	}
}

// boundName is the first of two names of the bound on tokens that the target takes, "" if
// it takes neither.
func (e *editor) boundName(first, second string) string {
	switch {
	case e.takes(first):
		return first
	case e.takes(second):
		return second
	}
	return ""
}

func (e *editor) rewrite(dst []byte) []byte {
	dst = append(dst, '{')
	if find(e.members, "model") == nil {
		// The client left the choice to the gateway (row 14).
		dst = rawjson.AppendText(dst, "model", e.target.Model)
	}
	for _, m := range e.members {
		if !rawjson.Present(m.value) || forGateway(m.name) || m.name == "stream_options" {
			continue
		}
		switch m.name {
		case "reasoning", "reasoning_effort":
			dst = e.reasoning(dst, m)
			continue
		case "max_tokens", "max_completion_tokens":
			dst = e.appendBound(dst, m.name)
			continue
		}
		if !e.takes(m.name) || m.name == "service_tier" && e.tier == "" {
			e.drop(m.name)
			continue
		}
		dst = e.member(dst, m)
	}
	if e.tier != "" && find(e.members, "service_tier") == nil && e.takes("service_tier") {
		dst = rawjson.AppendText(dst, "service_tier", e.tier)
	}
	if e.target.WebSearch && find(e.members, "web_search_options") == nil && e.takes("web_search_options") {
		dst = rawjson.AppendMember(dst, "web_search_options", []byte("{}"))
	}
	if e.stream && !slices.Contains(e.target.Refused, "stream_options") {
		dst = append(rawjson.AppendName(dst, "stream_options"), '{')
		for c := rawjson.Walk(find(e.members, "stream_options")); c.Next(); {
			if string(c.Name) != "include_usage" && rawjson.Present(c.Value) {
				dst = rawjson.AppendRaw(dst, c.Member)
			}
		}
		dst = append(rawjson.AppendMember(dst, "include_usage", []byte("true")), '}')
	}
	return append(dst, '}')
}

// names are those of what was dropped, sorted and each once.
func (e *editor) names() []string {
	slices.Sort(e.dropped)
	return slices.Compact(e.dropped)
}

func (e *editor) drop(name string) { e.dropped = append(e.dropped, name) }

// appendBound writes the bound on tokens once, under the name that the target
// takes; max_completion_tokens wins where the client gave both.
func (e *editor) appendBound(dst []byte, name string) []byte {
	if e.bound == "" {
		e.drop(name)
		return dst
	}
	if e.bounded {
		return dst
	}
	e.bounded = true
	value := find(e.members, "max_completion_tokens")
	if value == nil {
		value = find(e.members, "max_tokens")
	}
	return rawjson.AppendMember(dst, e.target.Quirks.Name(e.bound), value)
}

// member writes a member that the target takes.
func (e *editor) member(dst []byte, m member) []byte {
	switch m.name {
	case "model":
		return rawjson.AppendText(dst, m.name, e.target.Model)
	case "messages":
		if !e.plain || e.target.Quirks.EditsMessages() {
			return e.messages(dst, m.value)
		}
	case "tools":
		if !e.tools {
			return dst
		}
		return e.toolList(dst, m.value)
	case "tool_choice", "parallel_tool_calls":
		// Providers refuse these without tools, and empty tools.
		if !e.tools {
			return dst
		}
	case "user":
		return rawjson.AppendText(dst, m.name, dialect.EndUser(rawjson.Text(m.value)))
	case "service_tier":
		return rawjson.AppendText(dst, m.name, e.tier)
	}
	return e.own(dst, m)
}
