package gemini

import (
	"cmp"
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// passRequest copies a client's request, of which only what the gateway must change is
// changed: caching at the provider depends on the bytes.
func passRequest(client *dialect.Request, own *parsed, target dialect.Target) dialect.Upstream {
	e := editor{
		builder: builder{target: target, client: client, generation: generation(target.Model), vertex: isVertex(target.Base)},
		plain:   own.plain,
	}
	e.nameless = e.vertex && e.generation < newest
	dst := append(make([]byte, 0, len(client.Raw)+128), '{')
	for i := range own.members {
		dst = e.member(dst, &own.members[i])
	}
	if target.WebSearch && !e.searching {
		if e.tooled {
			e.drop("web_search_options") // the API refuses it beside functions
		} else {
			dst = append(dst, `,"tools":[{"googleSearch":{}}]`...)
		}
	}
	switch {
	case target.ServiceTier != "" && e.vertex: // a header asks for it
	case target.ServiceTier != "":
		dst = rawjson.AppendText(dst, "serviceTier", target.ServiceTier)
	case client.ServiceTier != "" && client.ServiceTier != "default":
		e.drop("service_tier")
	}
	slices.Sort(e.dropped)
	return upstream(target, append(dst, '}'), client.Stream, slices.Compact(e.dropped))
}

// editor decides on each member of one request.
type editor struct {
	builder
	plain     bool
	nameless  bool           // calls and results must have no ids, see forgetIDs
	order     map[string]int // of the calls so far, by the ids that they had
	tooled    bool           // the request has tools
	searching bool           // one of them searches the web
}

func (e *editor) member(dst []byte, c *rawjson.Cursor) []byte {
	name := camel(c.Name)
	switch name {
	case "serviceTier":
		return dst // written anew
	case "contents":
		if !e.plain || e.nameless {
			return e.contents(dst, c.Value)
		}
	case "generationConfig":
		return e.config(dst, c)
	case "tools":
		if !e.target.Takes("tools") && e.client.Tools {
			e.drop(name)
			return dst
		}
		e.tooled = rawjson.Kind(c.Value) == '[' && !empty(c.Value)
		for t := rawjson.Walk(c.Value); t.Next(); {
			for m := rawjson.Walk(t.Value); m.Next(); {
				e.searching = e.searching || isSearch(camel(m.Name))
			}
		}
	case "toolConfig":
		forced := e.client.ToolChoice == "required" || e.client.ToolChoice == "function"
		if !e.target.Takes("tools") && e.client.Tools || forced && !e.target.Takes("tool_choice") {
			e.drop(name)
			return dst
		}
	}
	if forGateway(string(c.Name)) {
		return dst
	}
	if slices.Contains(e.target.Refused, name) || e.target.Strict && !e.defined(name) {
		e.drop(name)
		return dst
	}
	return rawjson.AppendRaw(dst, c.Member)
}

// config keeps of generationConfig what the target takes.
func (e *editor) config(dst []byte, c *rawjson.Cursor) []byte {
	start, dropped := len(dst), len(e.dropped)
	dst = append(append(rawjson.Comma(dst), c.Member[:len(c.Member)-len(c.Value)]...), '{')
	kept := false
	for m := rawjson.Walk(c.Value); m.Next(); {
		field := camel(m.Name)
		if !rawjson.Present(m.Value) {
			continue
		}
		if !e.takes(field) {
			e.drop("generationConfig." + field)
			continue
		}
		dst, kept = rawjson.AppendRaw(dst, m.Member), true
	}
	switch {
	case len(e.dropped) == dropped:
		return rawjson.AppendRaw(dst[:start], c.Member)
	case !kept:
		return dst[:start]
	}
	return append(dst, '}')
}

// takes reports whether the target takes a field of generationConfig.
func (e *editor) takes(field string) bool {
	if slices.Contains(e.target.Refused, "generationConfig."+field) {
		return false
	}
	switch parameter := parameterName(field); parameter {
	case "", "max_tokens":
		return true
	case "reasoning":
		return e.target.Takes("reasoning", "reasoning_effort")
	case "response_format":
		return e.target.Takes("response_format", "structured_outputs")
	default:
		return e.target.Takes(parameter)
	}
}

// defined reports whether the API has a member by this name.
func (e *editor) defined(name string) bool {
	switch name {
	case "labels":
		return e.vertex
	case "contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "generationConfig", "cachedContent", "store":
		return true
	}
	return false
}

// contents appends the turns without what the API would refuse: parts that say nothing,
// what other makers have proved, and turns of the model's in a row, which are joined.
func (e *editor) contents(dst, turns []byte) []byte {
	dst = append(rawjson.AppendName(dst, "contents"), '[')
	open, called := false, false // of the model's turn at the end
	for turn := rawjson.Walk(turns); turn.Next(); {
		if rawjson.Text(get(turn.Value, "role")) != "model" {
			if open {
				dst, open = append(dst, "]}"...), false
			}
			if e.nameless {
				dst = e.results(dst, turn.Value)
				continue
			}
			dst = rawjson.AppendRaw(dst, turn.Value)
			continue
		}
		for part := rawjson.Walk(get(turn.Value, "parts")); part.Next(); {
			if e.leavesOut(part.Value) {
				continue
			}
			if !open {
				dst = append(rawjson.Comma(dst), `{"role":"model","parts":[`...)
				open, called = true, false
			}
			dst = e.part(dst, part.Value, &called)
		}
	}
	if open {
		dst = append(dst, "]}"...)
	}
	return append(dst, ']')
}

func (e *editor) leavesOut(part []byte) bool {
	return silent(part) || rawjson.True(get(part, "thought")) && isSealed(rawjson.Unquote(get(part, "thoughtSignature")))
}

// part appends a part. A call of another maker's gets the signature that the API takes
// for any, where it refuses one without.
func (e *editor) part(dst, part []byte, called *bool) []byte {
	call := get(part, "functionCall") != nil
	first := call && !*called
	*called = *called || call
	signature := get(part, "thoughtSignature")
	refused := first && e.generation >= newest && signature == nil
	if call && e.nameless {
		part = e.forget(part, "functionCall")
	}
	if !refused && !isSealed(rawjson.Unquote(signature)) {
		return rawjson.AppendRaw(dst, part)
	}
	dst = append(rawjson.Comma(dst), '{')
	for c := rawjson.Walk(part); c.Next(); {
		if camel(c.Name) != "thoughtSignature" {
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	if first && e.generation >= newest {
		dst = rawjson.AppendText(dst, "thoughtSignature", unsigned)
	}
	return append(dst, '}')
}

// forget is a part without the id that its call or result has. A call's place is noted.
func (e *editor) forget(part []byte, kind string) []byte {
	dst := []byte{'{'}
	for c := rawjson.Walk(part); c.Next(); {
		if camel(c.Name) != kind || rawjson.Kind(c.Value) != '{' {
			dst = rawjson.AppendRaw(dst, c.Member)
			continue
		}
		dst = append(rawjson.AppendName(dst, kind), '{')
		for m := rawjson.Walk(c.Value); m.Next(); {
			if string(m.Name) != "id" {
				dst = rawjson.AppendRaw(dst, m.Member)
			} else if kind == "functionCall" {
				if e.order == nil {
					e.order = map[string]int{}
				}
				e.order[rawjson.Text(m.Value)] = len(e.order)
			}
		}
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// results appends a turn of the user's. Results in it lose their ids, and stand in the
// order of their calls if there is nothing else in the turn.
func (e *editor) results(dst, turn []byte) []byte {
	type result struct {
		part  []byte
		order int
	}
	var parts []result
	alone := true
	for c := rawjson.Walk(get(turn, "parts")); c.Next(); {
		given := get(c.Value, "functionResponse")
		if given == nil {
			alone = false
			parts = append(parts, result{part: c.Value})
			continue
		}
		parts = append(parts, result{e.forget(c.Value, "functionResponse"), e.order[rawjson.Text(rawjson.Get(given, "id"))]})
	}
	if alone {
		slices.SortStableFunc(parts, func(x, y result) int { return cmp.Compare(x.order, y.order) })
	}
	dst = append(rawjson.Comma(dst), '{')
	for c := rawjson.Walk(turn); c.Next(); {
		if string(c.Name) != "parts" {
			dst = rawjson.AppendRaw(dst, c.Member)
			continue
		}
		dst = append(rawjson.AppendName(dst, "parts"), '[')
		for _, part := range parts {
			dst = rawjson.AppendRaw(dst, part.part)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}
