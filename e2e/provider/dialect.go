package provider

import (
	"net/http"

	"github.com/go-json-experiment/json"
)

// dialect separates what the vendors' APIs share (HTTP, scripts, records) from
// what they do not: the words of a request, an answer and an error.
type dialect interface {
	// locate reads a request's target below [Config.Base], and reports false for
	// one that the API does not serve.
	locate(target string) (address, bool)
	// admit checks credentials and the vendor's own headers.
	admit(header http.Header, key string) *refusal
	// judge checks a decoded body and extracts what the answer depends on.
	judge(at address, body map[string]any, header http.Header) (request, *refusal)
	// mistake words an error in a body's structure as the vendor does.
	mistake(mistake) refusal
	// unknownModel is the vendor's answer to a model name it does not serve.
	unknownModel(model string) refusal
	// errorType is the vendor's word for the errors of an HTTP status.
	errorType(status int) string

	// headers are those the vendor adds to each answer for its own purposes;
	// a gateway must not pass them on.
	headers() http.Header
	// errorBody is the body of an error answer.
	errorBody(refusal) []byte
	// errorEvent is an error inside an event stream.
	errorEvent(refusal) event
	// decode reads a body as its endpoint wants it.
	decode(at address, header http.Header, body []byte) (map[string]any, *refusal)
	// wholeType is the media type of an answer that is not streamed.
	wholeType(request) string
	// whole is the body of an answer that is not streamed.
	whole(request, Answer) []byte
	// events are those of a streamed answer, from the first to the last.
	events(request, Answer) []event
}

// framer is a dialect whose streams are no server-sent events.
type framer interface {
	// streamType is the content type of its streams.
	streamType() string
	// frame renders one event.
	frame(event) []byte
}

// address is what a request's target says of it: everything, with Gemini, and what is
// asked for, with vendors of several endpoints.
type address struct {
	model  string
	stream bool
	path   string // of [Media], which serves several
	task   string // "embed", "rerank", or "" for a conversation
}

// request is what an answer depends on.
type request struct {
	model        string
	stream       bool
	includeUsage bool // OpenAI's stream_options.include_usage
	logprobs     bool
	encrypted    bool   // reasoning is wanted encrypted, Responses only
	summary      bool   // a summary of the reasoning is wanted, Responses only
	tier         string // OpenAI's service_tier, empty if not given
	question     string // the text of the last message, for [Echo]
	inputs       int    // how many texts are to be embedded or ranked
	base64       bool   // vectors are wanted as base64
	results      int    // how many documents are wanted of those ranked
	path         string // of [Media]
	format       string // its response_format
	images       int    // how many images are wanted
	partial      int    // and how many drafts of them
	task         string // as in [address]
}

// refusal is an error answer before a dialect words it.
type refusal struct {
	status  int
	kind    string // the vendor's error type; empty takes the status's own
	message string
	param   string // OpenAI: the field at fault
	code    string // OpenAI: the machine-readable code
	wait    string // Gemini: seconds until another try may succeed
}

// typedErrors is a dialect whose errors have their type in a header.
type typedErrors interface {
	errorHeader(refusal) http.Header
}

// questionOf is the text of a body's last message, in OpenAI's dialect and in
// Anthropic's.
func questionOf(body map[string]any) string {
	messages := body["messages"].([]any)
	return lastText(messages[len(messages)-1].(map[string]any)["content"])
}

// lastText is a content that is text, or the text of its last part.
func lastText(content any) string {
	switch content := content.(type) {
	case string:
		return content
	case []any:
		part, _ := content[len(content)-1].(map[string]any)
		text, _ := part["text"].(string)
		return text
	default:
		return ""
	}
}

// event is one server-sent event.
type event struct {
	name  string // the event: line, empty for none
	data  string
	piece bool // carries a piece of the answer, what the scripts count as a token
}

// encode marshals an answer that this package built itself: it cannot fail but
// by a mistake here.
func encode(value any) string {
	text, err := json.Marshal(value, json.Deterministic(true))
	if err != nil {
		panic(err)
	}
	return string(text)
}

// jsonOnly is of dialects whose bodies are all JSON.
type jsonOnly struct{}

func (jsonOnly) decode(_ address, header http.Header, body []byte) (map[string]any, *refusal) {
	if given := header.Get("Content-Type"); given != "application/json" {
		return nil, &refusal{
			status:  http.StatusBadRequest,
			message: "Invalid Content-Type header (" + given + "), expecting application/json",
		}
	}
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return nil, &refusal{
			status:  http.StatusBadRequest,
			message: "We could not parse the JSON body of your request.",
		}
	}
	return members, nil
}

func (jsonOnly) wholeType(request) string { return "application/json" }
