package bedrock

import (
	"math"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Request writes a conversation for Converse or ConverseStream.
func (Provider) Request(client *dialect.Request, target dialect.Target) (dialect.Upstream, error) {
	chat, err := client.Portable()
	if err != nil {
		return dialect.Upstream{}, err
	}
	b := builder{chat: chat, target: target, family: familyOf(target.Model), names: map[string]bool{}}
	if err := b.build(); err != nil {
		return dialect.Upstream{}, err
	}
	body, err := json.Marshal(&b.request)
	if err != nil {
		return dialect.Upstream{}, dialect.Invalid("The request cannot be written for this provider: %v.", err)
	}
	operation := "converse"
	if client.Stream {
		operation = "converse-stream"
	}
	return upstream(target.Model, operation, client.Stream, body, b.dropped), nil
}

// Bound is the client's.
func (Provider) Bound(client *dialect.Request, _ dialect.Target) int64 {
	return min(client.MaxTokens, math.MaxInt32)
}

// gaps are what the API has no words for.
var gaps = dialect.Gaps{ImageDetail: true, TakesThought: func(detail *dialect.ReasoningDetail) bool {
	return thought(detail) != nil
}}

// builder makes one request of a conversation.
type builder struct {
	chat    *dialect.Chat
	target  dialect.Target
	family  family
	request request
	names   map[string]bool  // of documents
	markers []jsontext.Value // the cache markers of the tools that are offered
	thinks  bool             // Claude is to think
	dropped []string
}

func (b *builder) build() error {
	if err := b.conversation(); err != nil {
		return err
	}
	b.tools()
	b.reasoning()
	b.sampling()
	b.format()
	b.others()
	b.cachePoints()
	b.drop(gaps.Dropped(b.chat)...)
	slices.Sort(b.dropped)
	b.dropped = slices.Compact(b.dropped)
	return nil
}

func (b *builder) drop(names ...string) { b.dropped = append(b.dropped, names...) }

// modelField says something in the words of the model. The name must need no escapes.
func (b *builder) modelField(name, value string) {
	fields := []byte(b.request.ModelFields)
	if fields == nil {
		fields = []byte("{}")
	}
	fields = rawjson.AppendMember(fields[:len(fields)-1], name, []byte(value))
	b.request.ModelFields = append(fields, '}')
}
