package dialect

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Embedding is a request for vectors (spec section 1.1.6): what any dialect's words
// for it have in common.
type Embedding struct {
	// Inputs are what is to be embedded, at least one. Each is made of parts: texts,
	// images, sounds, films or files.
	Inputs [][]Part
	// Dimensions is the length of the vectors, zero for the model's own.
	Dimensions int64
	// User is the client's name for its end user, or "".
	User string
	// Extra are members without a place of their own, such as input_type.
	Extra []Field
}

// Texts are the inputs if each is one text.
func (e *Embedding) Texts() ([]string, bool) {
	texts := make([]string, 0, len(e.Inputs))
	for _, parts := range e.Inputs {
		if len(parts) != 1 || parts[0].Kind != PartText {
			return nil, false
		}
		texts = append(texts, parts[0].Text)
	}
	return texts, true
}

// Rerank is a request to put documents into the order of their relevance to a query
// (spec section 1.1.7).
type Rerank struct {
	Query string
	// Documents are strings, or objects that may have a `text` or an `image`.
	Documents []jsontext.Value
	// Most is how many results are wanted: one to all.
	Most int64
	// Extra are members without a place of their own, such as max_tokens_per_doc.
	Extra []Field
}

// Task is what a request asks for that is no conversation. One of its members is set.
type Task struct {
	Embedding *Embedding
	Rerank    *Rerank
}

// check finds what makes events no answer to a task. Vectors are told apart by their
// place alone: too few of them would be taken for those of other texts.
func (t *Task) check(events []Event) error {
	vectors, ranks := 0, 0
	for i := range events {
		event := &events[i]
		switch event.Kind {
		case EventVector:
			if rawjson.Kind(event.Raw) != '[' || len(event.Raw) <= len("[]") {
				return fmt.Errorf("the provider's answer has no vector for input %d", vectors)
			}
			vectors++
		case EventRank:
			if t.Rerank != nil && (event.Index < 0 || event.Index >= len(t.Rerank.Documents)) {
				return fmt.Errorf("the provider's answer ranks document %d of %d", event.Index, len(t.Rerank.Documents))
			}
			if rawjson.Kind(event.Raw) != '0' {
				return fmt.Errorf("the provider's answer has a result without a score")
			}
			ranks++
		}
	}
	switch {
	case t.Embedding != nil && vectors != len(t.Embedding.Inputs):
		return fmt.Errorf("the provider's answer has %d embeddings for %d inputs", vectors, len(t.Embedding.Inputs))
	case t.Rerank != nil && ranks == 0:
		return fmt.Errorf("the provider's answer has no results")
	}
	return nil
}
