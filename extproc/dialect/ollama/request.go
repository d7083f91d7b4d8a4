package ollama

import (
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Request writes a conversation for /chat, and texts to embed for /embed.
func (Provider) Request(client *dialect.Request, target dialect.Target) (dialect.Upstream, error) {
	if client.OutputModality == "embeddings" && client.Task != nil {
		task, err := client.Task()
		if err != nil {
			return dialect.Upstream{}, err
		}
		return embed(task.Embedding, target)
	}
	chat, err := client.Portable()
	if err != nil {
		return dialect.Upstream{}, err
	}
	b := builder{chat: chat, target: target, request: request{Model: target.Model, Stream: client.Stream}, calls: map[string]string{}}
	if err := b.build(); err != nil {
		return dialect.Upstream{}, err
	}
	body, err := json.Marshal(&b.request)
	if err != nil {
		return dialect.Upstream{}, dialect.Invalid("The request cannot be written for this provider: %v.", err)
	}
	return dialect.NewUpstream("/chat", dialect.Accepts(client.Stream, streamType), body, b.dropped), nil
}

// Bound is the client's, in Ollama's own options or else by the API's name; there, a
// negative one is none.
func (Provider) Bound(client *dialect.Request, target dialect.Target) int64 {
	chat, err := client.Chat()
	if err != nil {
		return 0 // Request fails too
	}
	for _, field := range chat.Extra {
		if field.Name != "options" || slices.Contains(target.Refused, field.Name) {
			continue
		}
		if own := rawjson.Get(field.Value, "num_predict"); own != nil {
			most, _ := rawjson.Int(own)
			return max(0, most)
		}
	}
	return client.MaxTokens
}

// streamType is what the API streams.
const streamType = "application/x-ndjson"

// gaps are what the API has no words for. Thoughts are plain text here; what is signed
// is another maker's.
var gaps = dialect.Gaps{CacheControl: true, ImageDetail: true, StrictTools: true, TakesThought: isPlain}

func isPlain(thought *dialect.ReasoningDetail) bool {
	return thought.Type == dialect.ReasoningText && thought.Signature == ""
}

// builder makes one request of a conversation.
type builder struct {
	chat    *dialect.Chat
	target  dialect.Target
	calls   map[string]string // the names of the tools called so far, by the call's id
	request request
	shown   []string // images that tools gave, not yet written
	dropped []string
}

func (b *builder) build() error {
	if err := b.conversation(); err != nil {
		return err
	}
	b.tools()
	b.format()
	b.think()
	b.logprobs()
	if err := b.options(); err != nil {
		return err
	}
	b.others()
	b.drop(gaps.Dropped(b.chat)...)
	return nil
}

func (b *builder) drop(names ...string) { b.dropped = append(b.dropped, names...) }
