package responses

import (
	"slices"
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// builder writes a conversation from a client of another dialect as one request.
type builder struct {
	chat    *dialect.Chat
	client  *dialect.Request
	target  dialect.Target
	dst     []byte
	dropped []string

	calls    map[string]bool // the ids of the calls so far
	thoughts []thought       // that wait for the item which they led to
	search   []byte          // the tool that searches the web, nil for none
	include  []string
}

func (b *builder) build() error {
	b.dst = rawjson.AppendText(append(b.dst, '{'), "model", b.target.Model)
	if err := b.conversation(); err != nil {
		return err
	}
	if b.target.WebSearch {
		b.search = []byte(webSearch)
	}
	b.extra()
	b.tools()
	b.reasoning()
	b.text()
	b.sampling()
	b.others()
	b.includes()
	b.drop(dialect.Gaps{CacheControl: true, TakesThought: b.takesThought}.Dropped(b.chat)...)
	b.raw("store", []byte("false"))
	if b.client.Stream {
		b.raw("stream", []byte("true"))
	}
	b.dst = append(b.dst, '}')
	slices.Sort(b.dropped)
	b.dropped = slices.Compact(b.dropped)
	return nil
}

func (b *builder) drop(names ...string) { b.dropped = append(b.dropped, names...) }

func (b *builder) raw(name string, value []byte) { b.dst = rawjson.AppendMember(b.dst, name, value) }

// text says what form the answer is to have.
func (b *builder) text() {
	wanted, verbosity := b.chat.Format, b.chat.Verbosity
	if wanted != nil && wanted.Type == "text" {
		wanted = nil // which is what a model writes anyway
	}
	if wanted != nil && !takesEither(&b.target, "response_format", "structured_outputs") {
		b.drop("response_format")
		wanted = nil
	}
	if verbosity != "" && !b.target.Takes("verbosity") {
		b.drop("verbosity")
		verbosity = ""
	}
	if wanted == nil && verbosity == "" {
		return
	}
	dst := append(rawjson.AppendName(b.dst, "text"), '{')
	if wanted != nil {
		dst = appendFormat(rawjson.AppendName(dst, "format"), wanted)
	}
	if verbosity != "" {
		dst = rawjson.AppendText(dst, "verbosity", verbosity)
	}
	b.dst = append(dst, '}')
}

func appendFormat(dst []byte, format *dialect.Format) []byte {
	dst = rawjson.AppendText(append(dst, '{'), "type", format.Type)
	if format.Type == "json_schema" {
		name := format.Name
		if name == "" {
			name = "answer" // one is demanded
		}
		dst = rawjson.AppendText(dst, "name", name)
		if format.Description != "" {
			dst = rawjson.AppendText(dst, "description", format.Description)
		}
		dst = rawjson.AppendMember(dst, "schema", format.Schema)
		if format.Strict != nil {
			dst = strconv.AppendBool(rawjson.AppendName(dst, "strict"), *format.Strict)
		}
	}
	return append(dst, '}')
}

// reasoning says how much to think. A summary is asked for where the client wants to
// see any of it: without, the API shows nothing.
func (b *builder) reasoning() {
	asked := b.chat.Reasoning
	tell := (asked != nil || slices.Contains(b.client.Parameters, "include_reasoning")) && !b.client.HideReasoning
	level := asked.NearestEffort()
	if level == "" && !tell {
		return
	}
	if !b.target.Thinks() {
		if asked != nil {
			b.drop("reasoning")
		}
		return
	}
	dst := append(rawjson.AppendName(b.dst, "reasoning"), '{')
	if level != "" {
		dst = rawjson.AppendText(dst, "effort", level)
	}
	if tell && level != "none" {
		summary := "auto"
		if asked != nil && asked.Summary != "" {
			summary = asked.Summary
		}
		dst = rawjson.AppendText(dst, "summary", summary)
	}
	b.dst = append(dst, '}')
}

func (b *builder) sampling() {
	c := b.chat
	if c.MaxTokens > 0 {
		if bound := (Provider{}).Bound(b.client, b.target); bound > 0 {
			b.raw("max_output_tokens", strconv.AppendInt(nil, bound, 10))
		} else {
			b.drop("max_tokens")
		}
	}
	number := func(name string, n *float64) {
		switch {
		case n == nil:
		case takesMember(&b.target, name):
			b.raw(name, strconv.AppendFloat(nil, *n, 'g', -1, 64))
		default:
			b.drop(name)
		}
	}
	number("temperature", c.Temperature)
	number("top_p", c.TopP)
	if !c.Logprobs {
		return
	}
	if !takesEither(&b.target, "logprobs", "top_logprobs") {
		b.drop("logprobs")
		return
	}
	b.include = append(b.include, tokenLogprobs)
	if c.TopLogprobs != nil {
		b.raw("top_logprobs", strconv.AppendInt(nil, *c.TopLogprobs, 10))
	}
}

// extra takes the fields that this API has by the same name. All others are dropped:
// the API refuses a field that it does not know.
func (b *builder) extra() {
	for _, field := range b.chat.Extra {
		switch field.Name {
		case "metadata", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "truncation":
			if takesMember(&b.target, field.Name) {
				b.raw(field.Name, field.Value)
				continue
			}
		case "web_search_options":
			b.search = appendSearch(nil, field.Value)
			continue
		case "store":
			if !rawjson.True(field.Value) {
				continue // nothing is, ever
			}
		}
		b.drop(field.Name)
	}
}

// appendSearch puts Chat Completions' options of a search into the tool.
func appendSearch(dst, options []byte) []byte {
	dst = append(dst, `{"type":"web_search"`...)
	if size := rawjson.Get(options, "search_context_size"); rawjson.Kind(size) == '"' {
		dst = rawjson.AppendMember(dst, "search_context_size", size)
	}
	place := rawjson.Get(rawjson.Get(options, "user_location"), "approximate")
	if rawjson.Kind(place) == '{' {
		dst = append(rawjson.AppendName(dst, "user_location"), `{"type":"approximate"`...)
		for c := rawjson.Walk(place); c.Next(); {
			dst = rawjson.AppendRaw(dst, c.Member)
		}
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

func (b *builder) others() {
	c := b.chat
	for name, given := range map[string]bool{
		"stop":              len(c.Stop) > 0,
		"seed":              c.Seed != nil,
		"top_k":             c.TopK != nil,
		"frequency_penalty": c.FrequencyPenalty != nil,
		"presence_penalty":  c.PresencePenalty != nil,
		"n":                 c.Choices > 1,
		"cache_control":     c.CacheControl != nil, // the API caches on its own
	} {
		if given {
			b.drop(name)
		}
	}
	if tier := b.target.Tier(c.ServiceTier); tier != "" {
		b.dst = rawjson.AppendText(b.dst, "service_tier", tier)
	} else if c.ServiceTier != "" {
		b.drop("service_tier")
	}
	switch {
	case c.User == "":
	case takesMember(&b.target, "user"):
		b.dst = rawjson.AppendText(b.dst, "user", dialect.EndUser(c.User))
	default:
		b.drop("user")
	}
}

func (b *builder) includes() {
	if b.target.Thinks() {
		b.include = append(b.include, encryptedReasoning)
	}
	if len(b.include) == 0 {
		return
	}
	dst := append(rawjson.AppendName(b.dst, "include"), '[')
	for _, name := range b.include {
		dst = rawjson.AppendQuoted(rawjson.Comma(dst), name)
	}
	b.dst = append(dst, ']')
}
