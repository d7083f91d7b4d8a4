package gemini

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// Bound is the client's.
func (Provider) Bound(client *dialect.Request, target dialect.Target) int64 {
	if _, own := client.Parsed.(*parsed); own && slices.Contains(target.Refused, "generationConfig.maxOutputTokens") {
		return 0
	}
	return min(client.MaxTokens, math.MaxInt32)
}

// Request writes a conversation as a request of generateContent, and inputs to embed as
// one of batchEmbedContents, or of predict.
func (Provider) Request(client *dialect.Request, target dialect.Target) (dialect.Upstream, error) {
	if work, own := client.Parsed.(*embedding); own {
		return passEmbeddings(work, target), nil
	}
	if client.OutputModality == "embeddings" && client.Task != nil {
		task, err := client.Task()
		if err != nil {
			return dialect.Upstream{}, err
		}
		if isVertex(target.Base) {
			return predictEmbeddings(task.Embedding, target)
		}
		return requestEmbeddings(task.Embedding, target)
	}
	if own, same := client.Parsed.(*parsed); same && !client.Rewritten {
		return passRequest(client, own, target), nil
	}
	chat, err := client.Portable()
	if err != nil {
		return dialect.Upstream{}, err
	}
	b := builder{
		chat: chat, client: client, target: target, calls: map[string]string{},
		generation: generation(target.Model), vertex: isVertex(target.Base),
	}
	if err := b.build(); err != nil {
		return dialect.Upstream{}, err
	}
	body, err := json.Marshal(&b.request)
	if err != nil {
		return dialect.Upstream{}, invalid("The request cannot be written for this provider: %v.", err)
	}
	return upstream(target, body, client.Stream, b.dropped), nil
}

func upstream(target dialect.Target, body []byte, stream bool, dropped []string) dialect.Upstream {
	accept := "application/json"
	if stream {
		accept = "text/event-stream"
	}
	headers := []dialect.Header{
		{Name: "content-type", Value: "application/json"},
		{Name: "accept", Value: accept},
	}
	if target.ServiceTier != "" && isVertex(target.Base) {
		headers = append(headers, dialect.Header{Name: vertexTier, Value: target.ServiceTier})
	}
	return dialect.Upstream{Path: resource(target.Model, stream), Headers: headers, Body: body, Dropped: dropped}
}

// resource names the model and the method. A tuned model has a collection of its own,
// as in "tunedModels/x".
func resource(model string, stream bool) string {
	collection, name, found := strings.Cut(model, "/")
	if !found {
		collection, name = "models", model
	}
	name = "/" + url.PathEscape(collection) + "/" + url.PathEscape(name)
	if stream {
		// Without alt=sse the stream would be one JSON array.
		return name + ":streamGenerateContent?alt=sse"
	}
	return name + ":generateContent"
}

// newest is the generation of models whose name tells none, such as
// "gemini-flash-latest".
const newest = 3

// generation is the first number in a model's name: 2 for "gemini-2.5-flash". The
// API is one, but its models take different fields.
func generation(model string) int {
	_, version, found := strings.Cut(model, "gemini-")
	if found && version != "" && version[0] >= '0' && version[0] <= '9' {
		return int(version[0] - '0')
	}
	return newest
}

func invalid(message string, args ...any) *dialect.Error {
	return &dialect.Error{
		Status: http.StatusBadRequest, Type: "invalid_request", Message: fmt.Sprintf(message, args...),
	}
}

// gaps are what the API has no words for. It caches on its own.
var gaps = dialect.Gaps{CacheControl: true, ImageDetail: true, FileNames: true, StrictTools: true, TakesThought: isSigned}

// builder makes one request of a conversation.
type builder struct {
	chat       *dialect.Chat
	client     *dialect.Request
	target     dialect.Target
	generation int
	vertex     bool
	calls      map[string]string // the names of the tools called so far, by the call's id
	request    request
	dropped    []string
}

func (b *builder) build() error {
	if err := b.conversation(); err != nil {
		return err
	}
	if b.vertex && b.generation < 3 {
		b.forgetIDs()
	}
	b.tools()
	if b.target.WebSearch {
		b.search()
	}
	b.sampling()
	b.format()
	b.reasoning()
	b.extra()
	b.others()
	b.drop(gaps.Dropped(b.chat)...)
	slices.Sort(b.dropped)
	b.dropped = slices.Compact(b.dropped)
	return nil
}

func (b *builder) drop(names ...string) { b.dropped = append(b.dropped, names...) }
