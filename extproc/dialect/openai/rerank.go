package openai

import (
	"sync"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Rerank is the dialect as clients speak it that want documents in the order of their
// relevance (spec section 1.1.7). OpenAI has none of it: providers take it at /rerank
// in the form that Cohere gave it, beside what they take of OpenAI's.
type Rerank struct{ Client }

var (
	_ dialect.Client    = Rerank{}
	_ dialect.Presetter = Rerank{}
)

// rerank is a request to put documents into an order.
type rerank struct {
	members []member
	// documents are strings, or objects that may have a `text` or an `image`.
	documents [][]byte
	// most is how many results the client wants.
	most int64
}

// Parse checks what the gateway relies on to fill in the documents of the answer.
func (Rerank) Parse(body []byte) (*dialect.Request, error) {
	work := &rerank{}
	var query, documents []byte
	request, members, err := newTask(body, "rerank", func(name string, value []byte) error {
		switch name {
		case "query":
			if rawjson.Kind(value) != '"' {
				return dialect.Invalid("'query' must be a string.")
			}
			query = value
		case "documents":
			documents = value
		case "top_n":
			if err := checkShape(name, wholeWithin(1, mostTokens), value); err != nil {
				return err
			}
			work.most, _ = rawjson.Int(value)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case len(query) <= 2:
		return nil, dialect.Invalid(`Input required: specify "query".`)
	}
	if err := work.readDocuments(request, documents); err != nil {
		return nil, err
	}
	request.PromptBytes += rawjson.Size(query)
	request.Reread = int64(len(query)) * int64(len(work.documents)-1)
	work.members, request.Parsed, request.Conversation = members, work, hashOf(query)
	request.Task = sync.OnceValues(work.task)
	return request, nil
}

func (w *rerank) readDocuments(request *dialect.Request, documents []byte) error {
	if rawjson.Kind(documents) != '[' {
		return dialect.Invalid("'documents' must be an array of strings or objects.")
	}
	p := parser{request: request}
	for c := rawjson.Walk(documents); c.Next(); {
		text := c.Value
		switch rawjson.Kind(c.Value) {
		case '"':
		case '{':
			text = rawjson.Get(c.Value, "text")
			if rawjson.Present(rawjson.Get(c.Value, "image")) {
				p.modality("image")
			}
		default:
			return dialect.Invalid("'documents.%d' must be a string or an object.", len(w.documents))
		}
		request.PromptBytes += rawjson.Size(text)
		w.documents = append(w.documents, c.Value)
	}
	if len(w.documents) == 0 {
		return dialect.Invalid("'documents' must have at least one item.")
	}
	if w.most == 0 || w.most > int64(len(w.documents)) {
		w.most = int64(len(w.documents))
	}
	return nil
}

// WithPreset takes from a preset who shall answer: the rest is for conversations.
func (Rerank) WithPreset(body []byte, preset dialect.Preset) ([]byte, error) {
	return Client{}.WithPreset(body, dialect.Preset{Config: routingOf(preset.Config)})
}

func (w *rerank) upstream(target dialect.Target, _ *dialect.Request) dialect.Upstream {
	body, dropped := rewriteTask(w.members, target, []string{"query", "documents", "top_n", "max_tokens_per_doc", "priority"},
		func(dst []byte, m member) ([]byte, bool) {
			switch m.name {
			case "documents":
				return w.appendDocuments(dst), true
			case "return_documents":
				// The gateway has them: to and fro they would only cost time.
				return dst, true
			}
			return dst, false
		})
	return dialect.Upstream{Path: "/rerank", Headers: taskHeaders(), Body: body, Dropped: dropped}
}

// appendDocuments appends the documents as strings, which all providers take, but for
// those that are more than a text.
func (w *rerank) appendDocuments(dst []byte) []byte {
	dst = append(rawjson.AppendName(dst, "documents"), '[')
	for _, document := range w.documents {
		text := rawjson.Get(document, "text")
		if rawjson.Kind(text) == '"' && !rawjson.Present(rawjson.Get(document, "image")) {
			document = text
		}
		dst = rawjson.AppendRaw(dst, document)
	}
	return append(dst, ']')
}

func (w *rerank) pipe(request *dialect.Request, meta dialect.Meta) dialect.Pipe {
	return &rerankPipe{taskPipe: taskPipe{request: request, taskAnswer: taskAnswer{meta}}, work: w}
}
