package openai

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// requestEmbeddings writes a request for vectors that came in another dialect.
func requestEmbeddings(request *dialect.Request, target dialect.Target) (dialect.Upstream, error) {
	task, err := request.Task()
	if err != nil {
		return dialect.Upstream{}, err
	}
	wanted := task.Embedding
	w := writer{dst: []byte{'{'}}
	w.list("input", func() {
		texts, all := wanted.Texts()
		for _, text := range texts {
			w.dst = rawjson.AppendQuoted(rawjson.Comma(w.dst), text)
		}
		for i := 0; !all && i < len(wanted.Inputs); i++ {
			w.element(func() {
				w.list("content", func() {
					for j := range wanted.Inputs[i] {
						w.part(&wanted.Inputs[i][j])
					}
				})
			})
		}
	})
	if wanted.Dimensions > 0 {
		w.whole("dimensions", &wanted.Dimensions)
	}
	w.text("user", wanted.User)
	for _, field := range wanted.Extra {
		w.raw(field.Name, field.Value)
	}
	work := embeddings{members: readMembers(append(w.dst, '}'))}
	return work.upstream(target, request), nil
}

// vectors reads an answer to a request for vectors.
func (d *decoder) vectors(answer []byte) ([]dialect.Event, error) {
	place := 0
	for c := rawjson.Walk(rawjson.Get(answer, "data")); c.Next(); place++ {
		index, vector := readVector(c.Value, place)
		if rawjson.Kind(vector) == '"' {
			numbers, ok := appendNumberVector(nil, vector)
			if !ok {
				return nil, errNoVector
			}
			vector = numbers
		}
		d.emit(dialect.Event{Kind: dialect.EventVector, Index: int(index), Raw: vector})
	}
	if usage, counted := readTaskUsage(rawjson.Get(answer, "usage")); counted {
		d.emit(dialect.Event{Kind: dialect.EventUsage, Usage: usage})
	}
	d.emit(dialect.Event{Kind: dialect.EventDone})
	return d.events, nil
}
