package anthropic

import (
	"cmp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// defaultMaxTokens bounds an answer where neither the client nor the target does:
// the most that every model of the API grants.
const defaultMaxTokens = 4096

// Request writes a conversation as a request of the Messages API. A request that is
// one already is edited.
func (p Provider) Request(client *dialect.Request, target dialect.Target) (dialect.Upstream, error) {
	var said head
	if own, same := client.Parsed.(*parsed); same {
		said = own.head
		if own.plain && !client.Rewritten {
			return p.passRequest(client, own, target)
		}
	}
	chat, err := client.Chat()
	if err != nil {
		return dialect.Upstream{}, err
	}
	if chat.Unsayable != nil {
		return dialect.Upstream{}, chat.Unsayable
	}
	b := builder{chat: chat, target: target, hosted: p.Hosted != ""}
	b.request.Version, b.request.Stream = p.Hosted, client.Stream
	if !b.hosted {
		b.request.Model = target.Model
	}
	if err := b.build(); err != nil {
		return dialect.Upstream{}, err
	}
	body, err := json.Marshal(&b.request)
	if err != nil {
		return dialect.Upstream{}, dialect.Invalid("The request cannot be written for this provider: %v.", err)
	}
	sampled := b.request.Temperature != nil || b.request.TopP != nil || b.request.TopK != nil
	return p.upstream(body, client.Stream, b.dropped, said.headers(sampled, false), target), nil
}

func (p Provider) upstream(body []byte, stream bool, dropped []string, said []dialect.Header, target dialect.Target) dialect.Upstream {
	accept := "application/json"
	if stream {
		accept = "text/event-stream"
	}
	headers := []dialect.Header{
		{Name: "content-type", Value: "application/json"},
		{Name: "accept", Value: accept},
	}
	for _, h := range said {
		switch {
		case h.Name == betaHeader:
			taken, refused := p.betas(h.Value, target)
			dropped = append(dropped, refused...)
			if h.Value = taken; taken == "" {
				continue
			}
		case p.Hosted != "" && h.Name == versionHeader:
			continue // hosts read the version in the body
		}
		headers = append(headers, h)
	}
	return dialect.Upstream{Path: "/messages", Headers: headers, Body: body, Dropped: dropped}
}

// gaps are what the API has no words for.
var gaps = dialect.Gaps{ImageDetail: true, StrictTools: true, TakesThought: func(detail *dialect.ReasoningDetail) bool {
	_, own, _ := thought(detail)
	return own
}}

// builder makes one request of a conversation.
type builder struct {
	chat    *dialect.Chat
	target  dialect.Target
	hosted  bool
	request request
	dropped []string
}

func (b *builder) build() error {
	if err := b.conversation(); err != nil {
		return err
	}
	b.bound()
	b.tools()
	b.toolChoice()
	b.reasoning()
	b.sampling()
	b.format()
	b.others()
	return nil
}

// takes reports whether the target takes a request parameter.
func (b *builder) takes(names ...string) bool { return b.target.Takes(names...) }

func (b *builder) drop(names ...string) { b.dropped = append(b.dropped, names...) }

// Bound is the client's. The API demands one: where the client has none, [Bound] finds it.
func (Provider) Bound(client *dialect.Request, target dialect.Target) int64 {
	if _, own := client.Parsed.(*parsed); own && slices.Contains(target.Refused, "max_tokens") {
		return 0
	}
	return client.MaxTokens
}

func (b *builder) bound() { b.request.MaxTokens = Bound(b.chat, b.target) }

// Bound is how many tokens an answer may have, thinking included: what the client
// says, else the target.
func Bound(chat *dialect.Chat, target dialect.Target) int64 {
	bound := cmp.Or(chat.MaxTokens, target.MaxCompletionTokens)
	if bound == 0 {
		bound = defaultMaxTokens
		if r := chat.Reasoning; r != nil {
			bound += r.MaxTokens
		}
	}
	return bound
}

// sampling comes after reasoning, which forbids most of it.
func (b *builder) sampling() {
	thinks := b.request.Thinking != nil
	if t := b.chat.Temperature; t != nil {
		if b.takes("temperature") && (!thinks || *t == 1) {
			clamped := min(*t, 1)
			b.request.Temperature = &clamped
		} else {
			b.drop("temperature")
		}
	}
	if p := b.chat.TopP; p != nil {
		// Newer models refuse it beside a temperature.
		if b.takes("top_p") && (!thinks || *p >= 0.95) && b.request.Temperature == nil {
			b.request.TopP = p
		} else {
			b.drop("top_p")
		}
	}
	if k := b.chat.TopK; k != nil && *k > 0 {
		if b.takes("top_k") && !thinks {
			b.request.TopK = k
		} else {
			b.drop("top_k")
		}
	}
	for _, stop := range b.chat.Stop {
		// The API refuses a sequence of nothing but space.
		if b.takes("stop") && strings.TrimSpace(stop) != "" {
			b.request.StopSequences = append(b.request.StopSequences, stop)
		} else if !slices.Contains(b.dropped, "stop") {
			b.drop("stop")
		}
	}
}

func (b *builder) others() {
	c := b.chat
	for name, given := range map[string]bool{
		"frequency_penalty": c.FrequencyPenalty != nil,
		"presence_penalty":  c.PresencePenalty != nil,
		"seed":              c.Seed != nil,
		"logprobs":          c.Logprobs,
		"top_logprobs":      c.TopLogprobs != nil,
		"n":                 c.Choices > 1,
	} {
		if given {
			b.drop(name)
		}
	}
	for _, field := range c.Extra {
		b.drop(field.Name)
	}
	b.drop(gaps.Dropped(c)...)
	if c.User != "" {
		b.request.Metadata = &metadata{UserID: dialect.EndUser(c.User)}
	}
	b.serviceTier()
	b.request.CacheControl = c.CacheControl
	slices.Sort(b.dropped)
	b.dropped = slices.Compact(b.dropped)
}

// serviceTier asks for the target's tier, else for what the client said of none in
// particular. The API's "auto" takes priority capacity where there is some; it has
// no slower tier.
func (b *builder) serviceTier() {
	b.request.ServiceTier = b.wireTier(b.chat.ServiceTier)
	if b.request.ServiceTier == "" && b.chat.ServiceTier != "" {
		b.drop("service_tier")
	}
}

func (b *builder) wireTier(wish string) string {
	switch target := b.target.ServiceTier; {
	case b.hosted:
		return ""
	case target == "priority", target == "" && wish == "auto":
		return "auto"
	case target == "" && wish == "default":
		return "standard_only"
	}
	return ""
}
