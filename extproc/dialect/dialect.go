// Package dialect is the seam between wire formats and the data path.
//
// A client speaks one dialect and a provider another. Between them stands a
// neutral superset of what either can say, so that C client dialects and P
// provider dialects cost C+P translators and not C×P. When both sides speak the
// same dialect nothing is translated: the client's bytes travel, and only what
// the gateway must change is edited in place.
//
// Nothing here knows of Envoy, of policy or of the network. A [Request] may be
// read by several attempts at once and is never written to. A [Pipe] belongs to
// one attempt and is not safe for concurrent use.
package dialect

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/sse"
)

// Client is a wire format that clients of the gateway speak.
type Client interface {
	// Name is the dialect's name, for example "openai".
	Name() string
	// Parse reads a request body. It keeps body, which must not change
	// afterwards. The error is an *Error fit to be shown to the client.
	Parse(body []byte) (*Request, error)
	// Encoder writes one answer.
	Encoder(Meta) Encoder
	// Error renders a failure as a whole response body.
	Error(*Error) []byte
}

// Provider is a wire format that providers speak.
type Provider interface {
	// Name is the dialect's name, for example "anthropic". Clouds that serve a vendor's
	// dialect at addresses of their own have the vendor's.
	Name() string
	// Request writes the request that target gets. It starts from the client's
	// bytes each time, so that nothing of one attempt leaks into the next. The
	// error is an *Error fit to be shown to the client.
	Request(*Request, Target) (Upstream, error)
	// Bound is the bound on an answer's tokens that the client gives, as Request tells it
	// to target; zero if target is told of none.
	Bound(*Request, Target) int64
	// Credential returns the headers that carry a provider's key.
	Credential(key string) []Header
	// Decoder reads one answer.
	Decoder() Decoder
	// Failure reads the body of an answer whose status is not 2xx.
	Failure(status int, body []byte) ProviderFailure
}

// Passer is a provider dialect that can carry the answers of its own dialect
// without translating them.
type Passer interface {
	Passthrough(*Request, Meta) Pipe
}

// HeaderFailer is a provider dialect whose errors say in a header what they are.
type HeaderFailer interface {
	// FailureWith is Failure of an answer with headers. Names are lower-case.
	FailureWith(header func(name string) string, status int, body []byte) ProviderFailure
}

// Target is the endpoint that a request is written for.
type Target struct {
	// Model is the model's name at the provider.
	Model string
	// Endpoint names the endpoint as [Meta.Endpoint] does: what another one alone can
	// read is not for it.
	Endpoint string
	// Base is the path of the provider's base URL, such as "/v1". Vendors serve one
	// dialect under several, and not all alike.
	Base string
	// APIVersion is the version of the API that the provider is asked for, "" for the
	// dialect's own choice.
	APIVersion string
	// Supported are the request parameters that the endpoint takes; nil means
	// all that the dialect can say.
	Supported []string
	// Refused are fields that the provider refuses, whatever its dialect says. A
	// dot leads into a field: "thinking.budget_tokens".
	Refused []string
	// Strict says that the provider refuses fields that its dialect does not
	// define. Where it is unset, fields that the gateway does not know pass.
	Strict bool
	// Quirks are how the provider's Chat Completions differ from OpenAI's; nil for none.
	Quirks *Quirks
	// MaxCompletionTokens bounds the answer; zero if unknown. Dialects that
	// demand a bound use it when the client gives none.
	MaxCompletionTokens int64
	// ServiceTier is the tier that the provider is asked for, "" for its default.
	ServiceTier string
	// WebSearch: the provider is to search the web with its own means.
	WebSearch bool
}

// Takes reports whether the endpoint takes a request parameter, which may go by
// several names.
func (t *Target) Takes(names ...string) bool {
	for _, name := range names {
		if slices.Contains(t.Refused, name) {
			return false
		}
	}
	return t.Supported == nil || slices.ContainsFunc(names, func(name string) bool {
		return slices.Contains(t.Supported, name)
	})
}

// Thinks reports whether the target's model thinks before it answers. OpenAI refuses to
// ask others for it; where the catalog does not tell, the model's name does, of those
// that are OpenAI's.
func (t *Target) Thinks() bool {
	if !t.Takes("reasoning", "reasoning_effort") {
		return false
	}
	if t.Supported != nil {
		return true
	}
	name := t.Model[strings.LastIndexByte(t.Model, '/')+1:]
	name = strings.TrimPrefix(name, "ft:")
	return !slices.ContainsFunc([]string{"gpt-3", "gpt-4", "chatgpt-", "gpt-5-chat"}, func(prefix string) bool {
		return strings.HasPrefix(name, prefix)
	})
}

// Tier is the service tier to ask the provider for, "" for none. A client's wish for
// another one was for another endpoint; words for no tier in particular are the
// provider's to understand.
func (t *Target) Tier(wish string) string {
	switch {
	case t.ServiceTier != "":
		return t.ServiceTier
	case wish == "flex", wish == "priority", wish == "fast":
		return ""
	}
	return wish
}

// Header is one HTTP header. Names are lower-case.
type Header struct{ Name, Value string }

// Upstream is a request that is ready for a provider.
type Upstream struct {
	// Path follows the provider's base URL, for example "/chat/completions". It may end
	// in a query.
	Path string
	// Headers are those that the dialect itself asks for; not the credential.
	Headers []Header
	Body    []byte
	// Dropped names the client's fields that the provider does not get, or not in full.
	Dropped []string
}

// Meta is what an answer says about itself, whichever provider made it.
type Meta struct {
	// ID is the generation id, "gen-<unix seconds>-<20 alphanumerics>".
	ID string
	// Model is the id of the model that serves the request.
	Model string
	// Provider is the display name of the provider.
	Provider string
	// Created is a Unix time in seconds.
	Created int64
	// Completed tells the Unix time in seconds at which the answer ends. Nil stands
	// for Created.
	Completed func() int64
	// Price turns usage into money. It is called at most once for each answer.
	Price func(Usage) Cost
	// RouterMetadata is the answer's `openrouter_metadata`, an object (spec section
	// 4.13), or nil if the client did not ask for it.
	RouterMetadata jsontext.Value
	// ServiceTier is what the answer says of the tier that served it where the
	// provider says nothing: "flex", "priority", or "".
	ServiceTier string
	// Preceding is how many events stand before those of the encoder; see [Echoer].
	Preceding int64
	// Files are what the gateway read in the request's files, for dialects that can say
	// so in an answer.
	Files []FileAnnotation
	// Request is what is answered; some dialects repeat its settings. [NewPipe]
	// sets it.
	Request *Request
	// Endpoint names the endpoint that answers, for what only it can read: the
	// model's id and the provider's slug, "m/x|openai".
	Endpoint string
}

// Usage counts tokens by class. Prompt includes CacheRead, CacheWrite (for five
// minutes) and CacheWrite1h, which do not overlap, and Completion includes
// Reasoning, as in Chat Completions. Dialects that count them apart add them up
// (known-failures 2: both readings in one field double the charge).
type Usage struct {
	Prompt, Completion                     int64
	CacheRead, CacheWrite, CacheWrite1h    int64
	Reasoning                              int64
	AudioPrompt, AudioCompletion, Images   int64
	AcceptedPrediction, RejectedPrediction int64
	// ImagePrompt counts the tokens of images in the prompt, a part of Prompt.
	ImagePrompt int64
	// GeneratedImages is the number of images in an answer that consists of images.
	GeneratedImages int64
	// Characters is how much text was spoken, in Unicode code points, and Seconds how
	// much sound was transcribed, rounded up.
	Characters, Seconds int64
	// SearchUnits is how often a reranking provider charges its price of a request;
	// zero where it does not say, which is once.
	SearchUnits int64
	// WebSearches is how many searches the provider made.
	WebSearches int64
	// Estimated says that the provider reported nothing and the counts are the
	// gateway's own guess.
	Estimated bool
}

// Cost is exact US dollars in decimal notation, fit to be a JSON number.
type Cost struct {
	// Total is what the client is charged, Prompt and Completion the provider's prices.
	Total, Prompt, Completion string
	// OwnKey: the provider bills a key of the client's own, by the list price Upstream.
	OwnKey   bool
	Upstream string
}

// Inference is what the provider bills.
func (c *Cost) Inference() string {
	if c.OwnKey {
		return c.Upstream
	}
	return c.Total
}

// IsBYOK is OpenRouter's word for [Cost.OwnKey], as JSON.
func (c *Cost) IsBYOK() []byte { return strconv.AppendBool(nil, c.OwnKey) }

// Pipe carries one provider's answer to one client.
type Pipe interface {
	// Event takes one server-sent event of the provider and appends to dst what
	// the client gets. An error inside the stream is returned as a
	// *ProviderFailure; any other error means that the event cannot be read.
	Event(dst []byte, event sse.Event) ([]byte, error)
	// Whole takes the provider's whole answer and appends to dst what the client
	// gets, terminated. It is called instead of Event, also when the client
	// asked for a stream and the provider gave none.
	Whole(dst []byte, body []byte) ([]byte, error)
	// Finish ends a stream whose provider has said all: usage with its cost, and
	// the dialect's last event.
	Finish(dst []byte) []byte
	// Fail ends a stream, some of which the client may have, with an error.
	Fail(dst []byte, failure *Error) []byte
	// Comment appends a keep-alive comment.
	Comment(dst []byte, text string) []byte
	// Progress tells what has passed so far.
	Progress() Progress
	// Counted is Progress, but tokens that nobody reported are counted by the request's
	// tokenizer, and not guessed. It may then take some milliseconds: it is for the end.
	Counted() Progress
}

// Progress is how far an answer has come.
type Progress struct {
	// Started: something that a reader of the answer would see has come (text,
	// reasoning, a tool call, a refusal, ...). Until then the request can still
	// move to another provider.
	Started bool
	// Ending: the provider said all but, perhaps, what it charges. A stream is not worth
	// waiting for any longer than that takes.
	Ending bool
	// Steps counts the pieces of the answer so far. It grows with whatever the provider
	// says of the answer, also with what the client does not get, or gets later; keep-alives
	// and what was said before are no steps.
	Steps int64
	// Done: the provider said its dialect's last word, and the rest of its bytes
	// do not matter. A stream that ends without it was broken off.
	Done bool
	// Empty: the answer ended with nothing in it and nothing billed.
	Empty bool
	// FinishReason is normalised (spec row 4), Native is the provider's own.
	FinishReason, NativeFinishReason string
	// Usage as reported, or so far as it can be told; HasUsage says which.
	Usage    Usage
	HasUsage bool
	// OutputBytes counts the text of the answer, Transcript is the text itself, for
	// estimates; nil of an answer that said nothing.
	OutputBytes int64
	Transcript  *Transcript
	// UpstreamID is the provider's own id of the answer.
	UpstreamID string
	// ServiceTier is the tier that the provider says has served: "default", "flex" or
	// "priority", or "" if it says nothing.
	ServiceTier string
	// BoundReasoning: the client got reasoning that only its provider can read or
	// verify, so that the conversation's next turn should go there.
	BoundReasoning bool
	// ToolCalls are the calls of functions so far, in the order in which they began. A
	// call is whole once the answer is done. At most 64 are kept, and 64 KiB of them.
	ToolCalls []FunctionCall
}

// Opaque is a [Pipe] whose answers may be something else than JSON.
type Opaque interface {
	Pipe
	// Open is told the media type of an answer that is no stream of events, before
	// anything of it, and returns the one that the client is told. Where asItComes is
	// set the answer goes through Bytes, else all at once through Whole.
	Open(mediaType string) (forClient string, asItComes bool)
	// Bytes takes the next bytes of such an answer and appends what the client gets.
	// last says that no more come.
	Bytes(dst, piece []byte, last bool) ([]byte, error)
}

// NewPipe joins a client's dialect to a provider's for one answer.
func NewPipe(client Client, provider Provider, request *Request, meta Meta) Pipe {
	meta.Request = request
	if passer, same := provider.(Passer); same && client.Name() == provider.Name() && !request.Rewritten {
		return passer.Passthrough(request, meta)
	}
	decoder := provider.Decoder()
	if namer, ok := decoder.(CallNamer); ok {
		namer.NameCalls(meta.ID)
	}
	return NewTranslation(decoder, client.Encoder(meta), request)
}
