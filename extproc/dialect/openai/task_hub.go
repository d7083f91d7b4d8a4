package openai

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// task reads a request for vectors for providers of other dialects.
func (w *embeddings) task() (*dialect.Task, error) {
	embedding := &dialect.Embedding{}
	for _, m := range w.members {
		if !rawjson.Present(m.value) {
			continue
		}
		switch m.name {
		case "model", "encoding_format": // which the answer is turned into
		case "input":
			if err := readInputs(embedding, m.value); err != nil {
				return nil, err
			}
		case "dimensions":
			embedding.Dimensions, _ = rawjson.Int(m.value)
		case "user":
			embedding.User = rawjson.Text(m.value)
		default:
			embedding.Extra = appendExtraField(embedding.Extra, m)
		}
	}
	return &dialect.Task{Embedding: embedding}, nil
}

// errTokens is of inputs that one provider's tokenizer made, and no other can read.
var errTokens = dialect.Invalid("'input' must be text for this model's provider, which takes no tokens. Send strings.")

func readInputs(embedding *dialect.Embedding, value []byte) error {
	if rawjson.Kind(value) == '"' {
		embedding.Inputs = [][]dialect.Part{{{Kind: dialect.PartText, Text: rawjson.Text(value)}}}
		return nil
	}
	for c := rawjson.Walk(value); c.Next(); {
		i := len(embedding.Inputs)
		var parts []dialect.Part
		switch rawjson.Kind(c.Value) {
		case '"':
			parts = []dialect.Part{{Kind: dialect.PartText, Text: rawjson.Text(c.Value)}}
		case '{':
			for content := rawjson.Walk(rawjson.Get(c.Value, "content")); content.Next(); {
				part, err := readPart(content.Value)
				if err != nil {
					return dialect.Invalid("'input.%d.content.%d': %v.", i, len(parts), err)
				}
				parts = append(parts, part)
			}
		default:
			return errTokens
		}
		embedding.Inputs = append(embedding.Inputs, parts)
	}
	return nil
}

// task reads a request for an order for providers of other dialects.
func (w *rerank) task() (*dialect.Task, error) {
	ranking := &dialect.Rerank{Most: w.most}
	for _, document := range w.documents {
		ranking.Documents = append(ranking.Documents, document)
	}
	for _, m := range w.members {
		if !rawjson.Present(m.value) {
			continue
		}
		switch m.name {
		case "model", "documents", "top_n", "return_documents":
		case "query":
			ranking.Query = rawjson.Text(m.value)
		default:
			ranking.Extra = appendExtraField(ranking.Extra, m)
		}
	}
	return &dialect.Task{Rerank: ranking}, nil
}

func appendExtraField(extra []dialect.Field, m member) []dialect.Field {
	if forGateway(m.name) {
		return extra
	}
	return append(extra, dialect.Field{Name: m.name, Value: jsontext.Value(m.value)})
}

// Encoder writes vectors that came in another dialect.
func (Embeddings) Encoder(meta dialect.Meta) dialect.Encoder {
	return &taskEncoder{taskAnswer: taskAnswer{meta}}
}

// Encoder writes an order that came in another dialect.
func (Rerank) Encoder(meta dialect.Meta) dialect.Encoder {
	return &taskEncoder{taskAnswer: taskAnswer{meta}}
}

// taskEncoder writes whole answers: tasks have no streams.
type taskEncoder struct{ taskAnswer }

func (e *taskEncoder) Event(dst []byte, _ dialect.Event) []byte { return dst }

func (e *taskEncoder) Finish(dst []byte, _ dialect.Usage) []byte { return dst }

func (e *taskEncoder) Fail(dst []byte, failure *dialect.Error) []byte {
	return append(dst, Client{}.Error(failure)...)
}

// Whole writes what the hub has checked.
func (e *taskEncoder) Whole(dst []byte, events []dialect.Event, usage dialect.Usage) []byte {
	switch work := e.meta.Request.Parsed.(type) {
	case *embeddings:
		dst = rawjson.AppendText(e.open(dst), "object", "list")
		dst = append(rawjson.AppendName(dst, "data"), '[')
		for i := range events {
			if events[i].Kind == dialect.EventVector {
				dst = work.appendVector(dst, &events[i])
			}
		}
		return e.finish(e.appendEmbeddingsUsage(append(dst, ']'), usage))
	case *rerank:
		dst = append(rawjson.AppendName(e.open(dst), "results"), '[')
		ranks := slices.DeleteFunc(events, func(event dialect.Event) bool { return event.Kind != dialect.EventRank })
		for i := range ranks[:min(int64(len(ranks)), work.most)] {
			dst = work.appendResult(dst, int64(ranks[i].Index), ranks[i].Raw)
		}
		return e.finish(e.appendRerankUsage(append(dst, ']'), usage))
	}
	return dst
}

func (w *embeddings) appendVector(dst []byte, event *dialect.Event) []byte {
	dst = appendEmbedding(dst, int64(event.Index))
	if w.base64 {
		dst = appendBase64Vector(dst, event.Raw)
	} else {
		dst = append(dst, event.Raw...)
	}
	return append(dst, '}')
}
