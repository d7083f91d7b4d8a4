package anthropic

import (
	"slices"
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// passRequest copies a client's request, of which only what the gateway must change
// is changed: caching at the provider depends on the bytes.
func (p Provider) passRequest(client *dialect.Request, own *parsed, target dialect.Target) (dialect.Upstream, error) {
	e := editor{builder: builder{target: target, hosted: p.Hosted != ""}, client: client}
	raw, fetched, err := p.withMedia(client)
	if err != nil {
		return dialect.Upstream{}, err
	}
	members := own.members
	if fetched {
		members = readMembers(raw)
	}
	dst := append(make([]byte, 0, len(raw)+256), '{')
	if e.hosted {
		dst = rawjson.AppendText(dst, "anthropic_version", p.Hosted)
	} else if !slices.ContainsFunc(members, func(c rawjson.Cursor) bool { return string(c.Name) == "model" }) {
		dst = rawjson.AppendText(dst, "model", target.Model)
	}
	for i := range members {
		dst = e.member(dst, &members[i])
	}
	if client.MaxTokens == 0 {
		dst = strconv.AppendInt(rawjson.AppendName(dst, "max_tokens"), e.defaultBound(raw), 10)
	}
	dst = e.tier(e.user(dst))
	slices.Sort(e.dropped)
	return p.upstream(append(dst, '}'), client.Stream, slices.Compact(e.dropped), own.head.headers(e.sampled, e.managed), target), nil
}

// withMedia is the request's body with the images and documents in it that a cloud does
// not fetch, and whether there are any.
func (p Provider) withMedia(client *dialect.Request) (body []byte, fetched bool, err error) {
	if p.Hosted == "" || len(client.InputModalities) == 0 {
		return client.Raw, false, nil
	}
	if body, err = inline(client); err != nil {
		return nil, false, err
	}
	return body, true, checkMedia(body)
}

// readMembers are the members of an object that are not null.
func readMembers(object []byte) []rawjson.Cursor {
	var members []rawjson.Cursor
	for c := rawjson.Walk(object); c.Next(); {
		if rawjson.Present(c.Value) {
			members = append(members, c)
		}
	}
	return members
}

// editor decides on each member of one request.
type editor struct {
	builder
	client  *dialect.Request
	sampled bool // the request has sampling parameters
	managed bool // the request manages its context
	// What is written anew: where the client has it, or else at the end.
	told, tiered bool
}

func (e *editor) user(dst []byte) []byte {
	if e.client.User == "" || e.told {
		return dst
	}
	e.told = true
	dst = append(rawjson.AppendName(dst, "metadata"), '{')
	return append(rawjson.AppendText(dst, "user_id", dialect.EndUser(e.client.User)), '}')
}

func (e *editor) tier(dst []byte) []byte {
	if e.tiered {
		return dst
	}
	e.tiered = true
	tier := e.wireTier(e.client.ServiceTier)
	if tier != "" {
		return rawjson.AppendText(dst, "service_tier", tier)
	}
	if e.client.ServiceTier != "" {
		e.drop("service_tier")
	}
	return dst
}

func (e *editor) member(dst []byte, c *rawjson.Cursor) []byte {
	name := string(c.Name)
	switch name {
	case "model":
		if e.hosted {
			return dst
		}
		return rawjson.AppendText(dst, name, e.target.Model)
	case "metadata":
		return e.user(dst)
	case "service_tier":
		return e.tier(dst)
	case "speed", "anthropic_version":
		return dst // said otherwise
	case "thinking":
		return e.thinking(dst, c)
	case "output_config":
		return e.outputConfig(dst, c)
	case "tool_choice":
		if !e.takes("tools") || !e.takes("tool_choice") && e.client.ToolChoice != "none" && e.client.ToolChoice != "auto" {
			e.drop(name)
			return dst
		}
		return rawjson.AppendRaw(dst, c.Member)
	}
	if forGateway(name) {
		return dst
	}
	refused := slices.Contains(e.target.Refused, name) || e.target.Strict && !defined(name)
	if parameter := parameterName(name); parameter != "" && name != "max_tokens" {
		refused = refused || !e.takes(parameter)
	}
	if name == "tools" {
		refused = refused || !e.takes(name)
	}
	if refused {
		e.drop(name)
		return dst
	}
	switch name {
	case "temperature", "top_p", "top_k":
		e.sampled = true
	case "context_management":
		e.managed = true
	}
	return rawjson.AppendRaw(dst, c.Member)
}

// thinking is left to the model where the target takes no budget.
func (e *editor) thinking(dst []byte, c *rawjson.Cursor) []byte {
	kind := rawjson.Text(rawjson.Get(c.Value, "type"))
	switch {
	case !e.takes("reasoning", "reasoning_effort"):
		if kind != "disabled" {
			e.drop("thinking")
		}
		return dst
	case kind == "enabled" && slices.Contains(e.target.Refused, "thinking.budget_tokens"):
		e.drop("thinking.budget_tokens")
		return rawjson.AppendMember(dst, "thinking", []byte(`{"type":"adaptive"}`))
	}
	return rawjson.AppendRaw(dst, c.Member)
}

// outputConfig keeps of its members those that the target takes.
func (e *editor) outputConfig(dst []byte, c *rawjson.Cursor) []byte {
	start := len(dst)
	dst = append(rawjson.AppendName(dst, "output_config"), '{')
	kept := false
	for m := rawjson.Walk(c.Value); m.Next(); {
		name := string(m.Name)
		switch {
		case name == "effort" && !e.takes("verbosity", "reasoning"),
			name == "format" && !e.takes("response_format", "structured_outputs"):
			e.drop("output_config." + name)
			continue
		}
		dst, kept = rawjson.AppendRaw(dst, m.Member), true
	}
	if !kept {
		return dst[:start]
	}
	return append(dst, '}')
}

// defaultBound leaves room for the thinking that is asked for.
func (e *editor) defaultBound(raw []byte) int64 {
	if e.target.MaxCompletionTokens > 0 {
		return e.target.MaxCompletionTokens
	}
	budget, _ := rawjson.Int(rawjson.Get(rawjson.Get(raw, "thinking"), "budget_tokens"))
	return defaultMaxTokens + min(max(budget, 0), mostBudget)
}

// defined reports whether Anthropic's own API has a field by this name.
func defined(name string) bool {
	switch name {
	case "messages", "max_tokens", "system", "stop_sequences", "stream", "temperature", "top_k", "top_p",
		"tools", "cache_control", "container", "context_management", "mcp_servers", "inference_geo":
		return true
	}
	return false
}
