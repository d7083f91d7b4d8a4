package gemini

import (
	"cmp"
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// embeddingEncoder writes whole answers: vectors have no streams.
type embeddingEncoder struct {
	envelope envelope
	single   bool
}

func (e *embeddingEncoder) Event(dst []byte, _ dialect.Event) []byte { return dst }

func (e *embeddingEncoder) Finish(dst []byte, _ dialect.Usage) []byte { return dst }

func (e *embeddingEncoder) Fail(dst []byte, failure *dialect.Error) []byte {
	return append(dst, Client{}.Error(failure)...)
}

// Whole writes what the hub has checked: one vector of each input.
func (e *embeddingEncoder) Whole(dst []byte, events []dialect.Event, usage dialect.Usage) []byte {
	vectors := slices.DeleteFunc(events, func(event dialect.Event) bool { return event.Kind != dialect.EventVector })
	slices.SortStableFunc(vectors, func(a, b dialect.Event) int { return cmp.Compare(a.Index, b.Index) })
	dst = append(dst, '{')
	if e.single {
		dst = append(rawjson.AppendMember(append(dst, `"embedding":{`...), "values", vectors[0].Raw), '}')
	} else {
		dst = append(dst, `"embeddings":[`...)
		for i := range vectors {
			dst = append(rawjson.AppendMember(append(rawjson.Comma(dst), '{'), "values", vectors[i].Raw), '}')
		}
		dst = append(dst, ']')
	}
	dst = append(rawjson.AppendName(dst, "usageMetadata"), '{')
	dst = rawjson.AppendInt(dst, "promptTokenCount", usage.Prompt)
	dst = rawjson.AppendInt(dst, "totalTokenCount", usage.Prompt)
	dst = append(dialect.AppendCost(dst, &e.envelope.meta, usage), '}')
	return append(e.envelope.routed(e.envelope.identity(dst)), '}')
}
