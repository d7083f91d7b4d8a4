package openai

import (
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Completions is the dialect that Chat Completions came after (spec section 1.1.3), as
// clients still speak it. Its requests become conversations of one user message, so
// that every provider can answer; answers come from the hub.
type Completions struct{ Client }

var (
	_ dialect.Client    = Completions{}
	_ dialect.Presetter = Completions{}
)

// Echo appends nothing: the chunks of a text completion have no place for it, and clients
// take each for one.
func (Completions) Echo(dst []byte, _ dialect.Meta, _ []byte) []byte { return dst }

// Name returns "completions". That is no provider's, so that answers are translated.
func (Completions) Name() string { return "completions" }

// Parse reads a request as the conversation that says the same.
func (Completions) Parse(body []byte) (*dialect.Request, error) {
	conversation, err := asConversation(body)
	if err != nil {
		return nil, err
	}
	return Client{}.Parse(conversation)
}

// WithPreset returns a conversation, as only that has room for a system prompt.
func (Completions) WithPreset(body []byte, preset dialect.Preset) ([]byte, error) {
	conversation, err := asConversation(body)
	if err != nil {
		return nil, err
	}
	return Client{}.WithPreset(conversation, preset)
}

// asConversation rewrites a body for Chat Completions, and leaves one that is written
// for it as it is.
func asConversation(body []byte) ([]byte, error) {
	text, err := dialect.Object(body)
	if err != nil {
		return nil, err
	}
	members := readMembers(text)
	prompt := find(members, "prompt")
	if prompt != nil && find(members, "messages") != nil {
		return nil, dialect.Invalid("Send 'prompt' or 'messages', not both.")
	}
	dst := append(make([]byte, 0, len(text)+64), '{')
	for _, m := range members {
		if !rawjson.Present(m.value) {
			continue
		}
		if err := refuseLegacy(m); err != nil {
			return nil, err
		}
		switch m.name {
		case "best_of", "echo", "suffix":
		case "prompt":
			said, err := readPrompt(m.value)
			if err != nil {
				return nil, err
			}
			dst = append(rawjson.AppendName(dst, "messages"), `[{"role":"user","content":`...)
			dst = append(append(dst, said...), `}]`...)
		case "logprobs":
			dst = appendLogprobsWish(dst, m)
		default:
			dst = rawjson.AppendRaw(dst, m.raw)
		}
	}
	return append(dst, '}'), nil
}

// refuseLegacy refuses what a conversation cannot do. Values that ask for nothing
// pass: SDKs send them.
func refuseLegacy(m member) error {
	asks := false
	switch m.name {
	case "best_of":
		n, ok := rawjson.Int(m.value)
		asks = !ok || n != 1
	case "echo":
		asks = rawjson.Kind(m.value) != 'f'
	case "suffix":
		asks = string(m.value) != `""`
	case "tools", "functions":
		asks = string(m.value) != "[]"
	}
	if asks {
		return dialect.Invalid("'%s' is not supported by this endpoint. Leave it out, or send the request to /chat/completions.", m.name)
	}
	return nil
}

// readPrompt is the text of a prompt, quoted.
func readPrompt(value []byte) ([]byte, error) {
	if rawjson.Kind(value) == '[' {
		list := rawjson.Walk(value)
		if !list.Next() {
			return nil, errNoInput
		}
		value = list.Value
		if kind := rawjson.Kind(value); kind == '0' || kind == '[' {
			return nil, dialect.Invalid("'prompt' must be text: models differ in their tokens, and the gateway cannot read them.")
		}
		if list.Next() {
			// Each would want an answer of its own.
			return nil, dialect.Invalid("'prompt' must be one string. Send a request for each prompt.")
		}
	}
	if rawjson.Kind(value) != '"' {
		return nil, dialect.Invalid("'prompt' must be a string.")
	}
	return value, nil
}

// appendLogprobsWish appends what Chat Completions has two members for: the number of
// alternatives is a wish for log probabilities.
func appendLogprobsWish(dst []byte, m member) []byte {
	alternatives, ok := rawjson.Int(m.value)
	if !ok {
		return rawjson.AppendRaw(dst, m.raw) // of a conversation, or wrong
	}
	dst = rawjson.AppendMember(dst, "logprobs", []byte("true"))
	return strconv.AppendInt(rawjson.AppendName(dst, "top_logprobs"), alternatives, 10)
}
