package dialect

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Request is a client's request, read once. It is immutable: attempts share it.
type Request struct {
	// Dialect is the name of the dialect that Raw is in.
	Dialect string
	// Raw is the body as the client sent it.
	Raw []byte

	// Parsed is what the client's dialect noted in Raw for a provider of the same
	// dialect; others have no use for it.
	Parsed any

	// Rewritten: Chat says something else than Raw, and the request is translated, for
	// providers of its own dialect too. See [Request.WithChat].
	Rewritten bool

	// Foreign: some of it came in another API's words, and Raw has them in the dialect's
	// own. Its client need not know the rules of that dialect.
	Foreign bool

	// Fetched is what was fetched for a provider that fetches nothing itself; Chat has it
	// in its place. See [OwnInliner].
	Fetched map[Remote]Media

	// What policy reads:

	// Model and Models are the ids asked for, in the client's words.
	Model  string
	Models []string
	Stream bool
	// MaxTokens bounds the answer; zero if the client set no bound.
	MaxTokens int64
	// Choices is how many answers are asked for, each of up to MaxTokens; zero is one.
	Choices int64
	// Parameters names the fields that count as request parameters
	// (spec section 7, supported_parameters), sorted.
	Parameters []string
	// Tools: the request offers at least one tool.
	Tools bool
	// OutputModality is what the request's endpoint of the API makes: "embeddings",
	// "rerank", "image", "speech", "transcription", or "" for text.
	OutputModality string
	// InputModalities besides text, sorted: "audio", "file", "image", "video".
	InputModalities []string
	// FilesAsText reports whether the files are all PDFs, which the gateway reads for models
	// that read none; nil for no. It looks through the whole body the first time.
	// ParseFiles: the gateway reads PDFs for any model.
	FilesAsText func() bool
	ParseFiles  bool
	// Images is the number of images among the messages, and ImageBytes how much of Raw
	// they take: those that are in it, not at a URL.
	Images, ImageBytes int64
	// ReadsMore: the provider reads more than the request holds: what tools of its own
	// find, or what it has kept of earlier requests. Nobody knows before how much.
	ReadsMore bool
	// Reread is how many bytes of Raw the provider reads again: a reranker reads the query
	// with each document.
	Reread int64
	// Searches is how often the request has the provider search, at most; zero if it asks
	// for none in its own words. Plugins and variants of models may ask besides.
	Searches int64
	// Effort is how much the model is asked to think: a level as [Reasoning.Level] has
	// it, "none" for not at all, or "" if the model is to decide.
	Effort string
	// HideReasoning keeps reasoning out of the answer; it is billed all the same
	// (spec row 99).
	HideReasoning bool
	// Provider, Plugins and Transforms are what the request says of who shall answer and
	// how (spec sections 2 and 4.9), as the client wrote it; nil if not given. Package
	// routing reads them.
	Provider, Plugins, Transforms jsontext.Value
	// Route, Preset and ServiceTier are the members of these names, "" if not given.
	Route, Preset, ServiceTier string
	// ResponseFormat is the type of the answer's form: "json_object", "json_schema",
	// or "" for text.
	ResponseFormat string
	// ToolChoice is "auto", "none", "required", "function" for one tool, or "" if
	// not given; ToolName is the name of the first tool.
	ToolChoice, ToolName string
	// LastModel is the model that the latest assistant message names, or "".
	LastModel string
	// Conversation tells conversations apart: a hash of the first system message
	// and of the first other message (spec section 4.7).
	Conversation [16]byte
	// BoundReasoning: the request goes on with a tool loop, and carries reasoning in
	// it that only the provider which made it can read or verify.
	BoundReasoning bool
	// SessionID ties a conversation together (at most 256 characters), or "".
	SessionID string
	// User is the client's name for its end user, or "".
	User string
	// EchoUpstream: the client wants to see what providers are sent. Streams alone have
	// a place for it.
	EchoUpstream bool
	// PromptBytes is the size of all text in the prompt, without the escapes of JSON, and of
	// what tools are called with and answer as JSON. It is for estimates.
	PromptBytes int64

	// Chat is the neutral form of the conversation. Call it only when the
	// provider speaks another dialect: it reads the whole body. A request for
	// something else than text has none, and its error is an *Error.
	Chat func() (*Chat, error)
	// Task is the neutral form of a request for something else than text, nil for a
	// conversation. Call it only when the provider speaks another dialect. Its error,
	// of what only its own dialect can say, is an *Error.
	Task func() (*Task, error)

	// Tokenizer counts what no provider did, CountPrompt the prompt; nil guesses by length.
	// See [Request.WithTokenizer].
	Tokenizer   Tokenizer
	CountPrompt func() int64

	// ToolNames are the client's names of tools by those that the provider gets. See
	// [Request.WithToolNames].
	ToolNames map[string]string
}

// WithChat is the request with another conversation in its place. The request itself stays
// as it is.
func (r *Request) WithChat(chat *Chat) *Request {
	rewritten := *r
	rewritten.Rewritten = true
	rewritten.Chat = func() (*Chat, error) { return chat, nil }
	return &rewritten
}

// passesTo reports whether a provider gets the request's own bytes, edited.
func (r *Request) passesTo(provider Provider) bool {
	return r.Dialect == provider.Name() && !r.Rewritten
}

// Hold notes that a message holds something besides text, of a modality. It is for the
// client's dialect alone, while it reads the request.
func (r *Request) Hold(modality string) {
	if modality == "image" {
		r.Images++
	}
	if !slices.Contains(r.InputModalities, modality) {
		r.InputModalities = append(r.InputModalities, modality)
	}
}

// HoldImage is Hold of an image, of which so many bytes of Raw are the data.
func (r *Request) HoldImage(size int64) {
	r.Hold("image")
	r.ImageBytes += size
}

// InlineSize is how many bytes of a request a data URL takes, a JSON string, or zero for
// another one.
func InlineSize(url []byte) int64 {
	if !bytes.HasPrefix(url, []byte(`"data:`)) {
		return 0
	}
	return int64(len(url))
}

// EndUser is what a provider gets to know of a client's end user: always the same
// for the same user, and never the name, which is often an address (spec section
// 1.1.1, user).
func EndUser(name string) string {
	sum := sha256.Sum256([]byte("switchyard end user\x00" + name))
	return hex.EncodeToString(sum[:16])
}
