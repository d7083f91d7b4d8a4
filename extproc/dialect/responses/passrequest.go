package responses

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// passRequest copies a client's request, of which only what the gateway must change is
// changed: caching at the provider depends on the bytes. A member given as null counts
// as not given. Nothing is ever stored, and reasoning comes back encrypted so that it
// can be sent back all the same.
func passRequest(client *dialect.Request, own *parsed, target dialect.Target) dialect.Upstream {
	e := editor{client: client, target: target, plain: own.plain, asked: own.reasoning}
	dst := append(make([]byte, 0, len(client.Raw)+256), '{')
	if !slices.ContainsFunc(own.members, func(c rawjson.Cursor) bool { return string(c.Name) == "model" }) {
		dst = rawjson.AppendText(dst, "model", target.Model)
	}
	for i := range own.members {
		dst = e.member(dst, &own.members[i])
	}
	if target.WebSearch && !e.offered {
		dst = rawjson.AppendMember(dst, "tools", []byte("["+webSearch+"]"))
	}
	if !e.included && target.Thinks() {
		dst = rawjson.AppendMember(dst, "include", []byte(`["`+encryptedReasoning+`"]`))
	}
	dst = append(e.unstored(e.tier(dst)), '}')
	slices.Sort(e.dropped)
	return upstream(dst, client.Stream, slices.Compact(e.dropped))
}

// editor decides on each member of one request.
type editor struct {
	client   *dialect.Request
	target   dialect.Target
	dropped  []string
	plain    bool // the input can be copied as it stands
	asked    *dialect.Reasoning
	offered  bool // tools have been written
	included bool // include has been written
	// forgotten: reasoning was left out, so that the ids of the items which it led to
	// mean nothing.
	forgotten bool
	// What is written anew: where the client has it, or else at the end.
	tiered, said bool
}

func (e *editor) tier(dst []byte) []byte {
	if e.tiered {
		return dst
	}
	e.tiered = true
	tier := e.target.Tier(e.client.ServiceTier)
	if tier != "" {
		return rawjson.AppendText(dst, "service_tier", tier)
	}
	if e.client.ServiceTier != "" {
		e.drop("service_tier")
	}
	return dst
}

func (e *editor) unstored(dst []byte) []byte {
	if e.said {
		return dst
	}
	e.said = true
	return rawjson.AppendMember(dst, "store", []byte("false"))
}

func (e *editor) drop(name string) { e.dropped = append(e.dropped, name) }

func (e *editor) member(dst []byte, c *rawjson.Cursor) []byte {
	name := string(c.Name)
	switch {
	case name == "model":
		return rawjson.AppendText(dst, name, e.target.Model)
	case name == "service_tier":
		return e.tier(dst)
	case name == "store":
		return e.unstored(dst)
	case forGateway(name), name == "stream_options" && !e.client.Stream:
		return dst
	case !takesMember(&e.target, name):
		e.drop(name)
		return dst
	}
	switch name {
	case "input":
		return e.input(dst, c)
	case "tools":
		return e.tools(dst, c.Value)
	case "tool_choice", "parallel_tool_calls":
		// Refused without tools.
		if !e.client.Tools || !e.target.Takes("tools") {
			return dst
		}
	case "include":
		return e.include(dst, c.Value)
	case "max_output_tokens":
		return strconv.AppendInt(rawjson.AppendName(dst, name), Provider{}.Bound(e.client, e.target), 10)
	case "reasoning":
		return e.reasoning(dst, c)
	case "text":
		return e.text(dst, c.Value)
	case "user":
		return rawjson.AppendText(dst, name, dialect.EndUser(rawjson.Text(c.Value)))
	}
	return rawjson.AppendRaw(dst, c.Member)
}

// include keeps what the client asks for and adds encrypted reasoning.
func (e *editor) include(dst, list []byte) []byte {
	if rawjson.Kind(list) != '[' {
		return dst
	}
	start := len(dst)
	dst = append(rawjson.AppendName(dst, "include"), '[')
	empty, asked := len(dst), false
	for c := rawjson.Walk(list); c.Next(); {
		if rawjson.Text(c.Value) == encryptedReasoning {
			if asked = e.target.Thinks(); !asked {
				continue
			}
		}
		dst = rawjson.AppendRaw(dst, c.Value)
	}
	if !asked && e.target.Thinks() {
		dst = rawjson.AppendQuoted(rawjson.Comma(dst), encryptedReasoning)
	}
	e.included = true
	if len(dst) == empty {
		return dst[:start]
	}
	return append(dst, ']')
}

// reasoning leaves out what only OpenRouter has words for, and says it in the API's.
func (e *editor) reasoning(dst []byte, c *rawjson.Cursor) []byte {
	if !e.target.Thinks() {
		e.drop("reasoning")
		return dst
	}
	if e.asked == nil { // cannot be: it was parsed
		return rawjson.AppendRaw(dst, c.Member)
	}
	start := len(dst)
	dst = append(rawjson.AppendName(dst, "reasoning"), '{')
	empty := len(dst)
	if effort := e.asked.NearestEffort(); effort != "" {
		dst = rawjson.AppendText(dst, "effort", effort)
	}
	for m := rawjson.Walk(c.Value); m.Next(); {
		switch string(m.Name) {
		case "effort", "max_tokens", "enabled", "exclude":
		default:
			if rawjson.Present(m.Value) {
				dst = rawjson.AppendRaw(dst, m.Member)
			}
		}
	}
	if len(dst) == empty {
		return dst[:start]
	}
	return append(dst, '}')
}

// text keeps of its members those that the target takes.
func (e *editor) text(dst, value []byte) []byte {
	start := len(dst)
	dst = append(rawjson.AppendName(dst, "text"), '{')
	empty := len(dst)
	for m := rawjson.Walk(value); m.Next(); {
		if !rawjson.Present(m.Value) {
			continue
		}
		switch name := string(m.Name); {
		case name == "verbosity" && !e.target.Takes(name):
			e.drop("verbosity")
			continue
		case name == "format" && e.client.ResponseFormat != "" && !takesEither(&e.target, "response_format", "structured_outputs"):
			e.drop("text.format")
			continue
		}
		dst = rawjson.AppendRaw(dst, m.Member)
	}
	if len(dst) == empty {
		return dst[:start]
	}
	return append(dst, '}')
}

// tools keeps the client's own search of the web where there is to be one, and adds it
// where somebody else asked for it.
func (e *editor) tools(dst, list []byte) []byte {
	start := len(dst)
	dst = append(rawjson.AppendName(dst, "tools"), '[')
	empty, searches := len(dst), !e.target.WebSearch
	for c := rawjson.Walk(list); c.Next(); {
		kind := rawjson.Text(rawjson.Get(c.Value, "type"))
		switch {
		case !isWebSearch(kind):
			dst = e.tool(dst, c.Value)
		case searches: // one is enough, and none is where it is not to be
		case kind == "openrouter:web_search":
			dst, searches = rawjson.AppendRaw(dst, []byte(webSearch)), true
		default:
			dst, searches = e.tool(dst, c.Value), true
		}
	}
	if !searches {
		dst = rawjson.AppendRaw(dst, []byte(webSearch))
	}
	e.offered = true
	if len(dst) == empty {
		return dst[:start]
	}
	return append(dst, ']')
}

func (e *editor) tool(dst, tool []byte) []byte {
	if !e.stripsCache() || !bytes.Contains(tool, []byte("cache_control")) {
		return rawjson.AppendRaw(dst, tool)
	}
	return appendWithout(dst, tool, "cache_control")
}

// stripsCache reports whether cache markers, which are Anthropic's, would be refused.
func (e *editor) stripsCache() bool {
	return e.target.Strict || slices.Contains(e.target.Refused, "cache_control")
}

// appendWithout appends an object as an element, without members that are null or go by
// a name.
func appendWithout(dst, object []byte, names ...string) []byte {
	dst = append(rawjson.Comma(dst), '{')
	for c := rawjson.Walk(object); c.Next(); {
		if rawjson.Present(c.Value) && !slices.Contains(names, string(c.Name)) {
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return append(dst, '}')
}
