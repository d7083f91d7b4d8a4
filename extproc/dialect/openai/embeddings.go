package openai

import (
	"fmt"
	"sync"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Embeddings is the dialect as clients speak it that want vectors of texts (spec
// section 1.1.6). Its errors are those of conversations.
type Embeddings struct{ Client }

var (
	_ dialect.Client    = Embeddings{}
	_ dialect.Presetter = Embeddings{}
)

// embeddings is a request for vectors.
type embeddings struct {
	members []member
	// inputs is how many vectors are wanted.
	inputs int
	// base64: the client wants them as base64 of little-endian 32-bit floats, else as
	// numbers.
	base64 bool
}

// Parse checks what the gateway relies on: there is something to embed, and it is
// plain how many vectors are wanted and in which form.
func (Embeddings) Parse(body []byte) (*dialect.Request, error) {
	work := &embeddings{}
	var input []byte
	request, members, err := newTask(body, "embeddings", func(name string, value []byte) error {
		switch name {
		case "input":
			input = value
		case "dimensions":
			return checkShape(name, wholeWithin(1, mostTokens), value)
		case "encoding_format":
			switch rawjson.Text(value) {
			case "float":
			case "base64":
				work.base64 = true
			default:
				return dialect.Invalid(`'encoding_format' must be "float" or "base64".`)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if input == nil {
		return nil, dialect.Invalid(`Input required: specify "input".`)
	}
	if err := work.readInput(request, input); err != nil {
		return nil, err
	}
	work.members, request.Parsed, request.Conversation = members, work, hashOf(input)
	request.Task = sync.OnceValues(work.task)
	return request, nil
}

// readInput counts the inputs: a text, a list of texts, of token ids, of lists of
// token ids, or of objects with parts of several modalities.
func (w *embeddings) readInput(request *dialect.Request, input []byte) error {
	switch rawjson.Kind(input) {
	case '"':
		w.inputs = 1
		request.PromptBytes = rawjson.Size(input)
		if len(input) == 2 {
			return errNoInput
		}
		return nil
	case '[':
	default:
		return dialect.Invalid("'input' must be a string or an array.")
	}
	var kind byte
	count := 0
	for c := rawjson.Walk(input); c.Next(); count++ {
		if count == 0 {
			kind = rawjson.Kind(c.Value)
		}
		if rawjson.Kind(c.Value) != kind {
			return dialect.Invalid("'input.%d' must be of the same kind as 'input.0'.", count)
		}
		if err := readInputElement(request, fmt.Sprintf("input.%d", count), kind, c.Value); err != nil {
			return err
		}
	}
	w.inputs = count
	if kind == '0' { // the tokens of one text
		w.inputs = 1
	}
	if count == 0 {
		return errNoInput
	}
	return nil
}

// errNoInput is in the words of spec section 5.4.
var errNoInput = dialect.Invalid("Input must have at least 1 token.")

func readInputElement(request *dialect.Request, path string, kind byte, value []byte) error {
	switch kind {
	case '"':
		request.PromptBytes += rawjson.Size(value)
		return nil
	case '0':
		return readTokenID(request, path, value)
	case '[':
		empty := true
		for c := rawjson.Walk(value); c.Next(); empty = false {
			if err := readTokenID(request, path, c.Value); err != nil {
				return err
			}
		}
		if empty {
			return errNoInput
		}
		return nil
	case '{':
		return readInputParts(request, path, value)
	}
	return dialect.Invalid("'%s' must be a string, a token, an array of tokens, or an object with 'content'.", path)
}

func readTokenID(request *dialect.Request, path string, value []byte) error {
	if token, ok := rawjson.Int(value); !ok || token < 0 {
		return dialect.Invalid("'%s' must be a token, a whole number.", path)
	}
	request.PromptBytes += bytesOfToken
	return nil
}

// bytesOfToken is what a token counts for in [dialect.Request.PromptBytes].
const bytesOfToken = 4

// readInputParts notes the modalities of one input that is more than text.
func readInputParts(request *dialect.Request, path string, value []byte) error {
	content := rawjson.Get(value, "content")
	if rawjson.Kind(content) != '[' {
		return dialect.Invalid("'%s.content' must be an array of parts.", path)
	}
	p := parser{request: request}
	for part := rawjson.Walk(content); part.Next(); {
		switch rawjson.Text(rawjson.Get(part.Value, "type")) {
		case "text":
			request.PromptBytes += rawjson.Size(rawjson.Get(part.Value, "text"))
		case "image_url":
			p.modality("image")
		case "input_audio":
			p.modality("audio")
		case "file":
			p.modality("file")
		case "video_url", "input_video":
			p.modality("video")
		default:
			return dialect.Invalid("'%s.content' has a part whose type is unknown.", path)
		}
	}
	return nil
}

// WithPreset takes from a preset who shall answer: the rest is for conversations.
func (Embeddings) WithPreset(body []byte, preset dialect.Preset) ([]byte, error) {
	return Client{}.WithPreset(body, dialect.Preset{Config: routingOf(preset.Config)})
}

func (w *embeddings) upstream(target dialect.Target, _ *dialect.Request) dialect.Upstream {
	body, dropped := rewriteTask(w.members, target, []string{"input", "dimensions", "encoding_format", "user"},
		func(dst []byte, _ member) ([]byte, bool) { return dst, false })
	return dialect.Upstream{Path: "/embeddings", Headers: taskHeaders(), Body: body, Dropped: dropped}
}

func (w *embeddings) pipe(request *dialect.Request, meta dialect.Meta) dialect.Pipe {
	return &embeddingsPipe{taskPipe: taskPipe{request: request, taskAnswer: taskAnswer{meta}}, work: w}
}
