package cohere

import (
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// Request writes a conversation for /chat, and tasks for /embed and /rerank.
func (Provider) Request(client *dialect.Request, target dialect.Target) (dialect.Upstream, error) {
	if client.Task != nil {
		return requestTask(client, target)
	}
	chat, err := client.Portable()
	if err != nil {
		return dialect.Upstream{}, err
	}
	b := builder{chat: chat, target: target, request: request{Model: target.Model, Stream: client.Stream}}
	if err := b.build(); err != nil {
		return dialect.Upstream{}, err
	}
	body, err := json.Marshal(&b.request)
	if err != nil {
		return dialect.Upstream{}, dialect.Invalid("The request cannot be written for this provider: %v.", err)
	}
	return dialect.NewUpstream("/chat", dialect.Accepts(client.Stream, streamType), body, b.dropped), nil
}

// Bound is the client's.
func (Provider) Bound(client *dialect.Request, _ dialect.Target) int64 { return client.MaxTokens }

// streamType is what the API streams.
const streamType = "text/event-stream"

// builder makes one request of a conversation.
type builder struct {
	chat    *dialect.Chat
	target  dialect.Target
	request request
	shown   []part // images that tools gave, not yet written
	dropped []string
}

func (b *builder) build() error {
	if err := b.conversation(); err != nil {
		return err
	}
	b.tools()
	b.sampling()
	b.format()
	b.reasoning()
	b.extra()
	b.others()
	b.drop(dialect.Gaps{CacheControl: true, TakesThought: b.takesThought}.Dropped(b.chat)...)
	if asked := slices.ContainsFunc(b.chat.Tools, func(t dialect.Tool) bool { return t.Strict != nil && *t.Strict }); asked && !b.request.StrictTools {
		b.drop("tools.strict") // one switch for all
	}
	return nil
}

func (b *builder) drop(names ...string) { b.dropped = append(b.dropped, names...) }

// keep reports whether a parameter is to be written; one that was given and is not is
// named as dropped.
func (b *builder) keep(given, fits bool, name string) bool {
	if given && !(fits && b.target.Takes(name)) {
		b.drop(name)
		return false
	}
	return given
}
