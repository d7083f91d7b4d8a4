package gemini

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// embedding is what Parse keeps of a request for vectors
// (https://ai.google.dev/api/embeddings).
type embedding struct {
	// requests are those of a batch, or the whole body of a single one.
	requests [][]byte
	// single: the client called embedContent, and gets its vector alone.
	single bool
}

// parseEmbeddings checks a request of embedContent or batchEmbedContents.
func (c Client) parseEmbeddings(body []byte) (*dialect.Request, error) {
	text, err := dialect.Object(body)
	if err != nil {
		return nil, err
	}
	work := &embedding{single: c.method == embedContent}
	p := parser{request: &dialect.Request{
		Dialect: Name, Raw: text, Model: c.model, OutputModality: "embeddings", Parsed: work,
		Chat: func() (*dialect.Chat, error) { return nil, errNoConversation },
	}}
	if work.single {
		work.requests = [][]byte{text}
	}
	for m := rawjson.Walk(text); m.Next(); {
		switch name := string(m.Name); {
		case !rawjson.Present(m.Value), name == "model" && p.request.Model != "":
		case name == "requests" && !work.single && rawjson.Kind(m.Value) == '[':
			for each := rawjson.Walk(m.Value); each.Next(); {
				work.requests = append(work.requests, each.Value)
			}
		case name == "user":
			err = dialect.ReadName(&p.request.User, name, m.Value)
		default:
			_, err = dialect.ReadRouting(p.request, name, m.Value)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(work.requests) == 0 {
		return nil, dialect.Invalid("'requests' must be an array with at least one item.")
	}
	for i, each := range work.requests {
		p.turnPath = work.path(i)
		if parts := rawjson.Walk(get(get(each, "content"), "parts")); !parts.Next() {
			return nil, dialect.Invalid("'%s.parts' must be an array with at least one item.", p.turnPath)
		}
		for c := rawjson.Walk(each); c.Open(); {
			if camel(c.Name) != "content" {
				c.Close()
			} else if err := p.readContent(i, &c); err != nil {
				return nil, err
			}
		}
	}
	p.request.Conversation = p.opening.Hash()
	slices.Sort(p.request.InputModalities)
	p.request.Task = sync.OnceValues(work.task)
	return p.request, nil
}

var errNoConversation = &dialect.Error{
	Status: http.StatusBadRequest, Type: "invalid_request",
	Message: "The model's provider speaks a dialect that has conversations only. Choose another model.",
}

// path is where the content of a request is.
func (w *embedding) path(i int) string {
	if w.single {
		return "content"
	}
	return fmt.Sprintf("requests.%d.content", i)
}

// count is a task of as many inputs.
func (w *embedding) count() (*dialect.Task, error) {
	return &dialect.Task{Embedding: &dialect.Embedding{Inputs: make([][]dialect.Part, len(w.requests))}}, nil
}

// task reads the request for providers of other dialects, which have one wish for all
// vectors.
func (w *embedding) task() (*dialect.Task, error) {
	made := &dialect.Embedding{}
	var wishes []byte
	for i, each := range w.requests {
		parts, err := w.input(i, get(get(each, "content"), "parts"))
		if err != nil {
			return nil, err
		}
		made.Inputs = append(made.Inputs, parts)
		own := []byte{'{'}
		for c := rawjson.Walk(each); c.Next(); {
			if name := camel(c.Name); name != "content" && rawjson.Present(c.Value) && !forGateway(name) {
				own = rawjson.AppendMember(own, name, c.Value)
			}
		}
		own = append(own, '}')
		if i > 0 && string(own) != string(wishes) {
			return nil, dialect.Invalid("'requests.%d' differs from 'requests.0' in more than its content, and this model's provider takes one taskType, title and outputDimensionality for all. Send two requests.", i)
		}
		wishes = own
	}
	for c := rawjson.Walk(wishes); c.Next(); {
		wish(made, string(c.Name), c.Value)
	}
	return &dialect.Task{Embedding: made}, nil
}

// wish reads a member that says what the vectors are to be like, in other APIs' words
// where they have some.
func wish(made *dialect.Embedding, name string, value []byte) {
	switch name {
	case "outputDimensionality":
		made.Dimensions, _ = rawjson.Int(value)
		return
	case "taskType":
		name = "task_type"
		if kind := inputType(rawjson.Text(value)); kind != "" {
			name, value = "input_type", rawjson.AppendQuoted(nil, kind)
		}
	}
	made.Extra = append(made.Extra, dialect.Field{Name: name, Value: jsontext.Value(value)})
}

// inputType is what vectors are for in the words of Cohere, "" where it has none.
func inputType(taskType string) string {
	switch taskType {
	case "RETRIEVAL_QUERY", "QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY":
		return "search_query"
	case "RETRIEVAL_DOCUMENT":
		return "search_document"
	case "CLASSIFICATION":
		return "classification"
	case "CLUSTERING":
		return "clustering"
	}
	return ""
}

// input reads one content. The API embeds all text of it as one, and most others know
// one text for a vector.
func (w *embedding) input(i int, list []byte) ([]dialect.Part, error) {
	var parts []dialect.Part
	r := reader{chat: &dialect.Chat{}}
	for c := rawjson.Walk(list); c.Next(); {
		if get(c.Value, "fileData") != nil {
			return nil, dialect.Invalid("'%s' has fileData, which this model's provider does not fetch to embed; send the data itself as inlineData.", w.path(i))
		}
		part, err := r.part(i, len(parts), c.Value)
		if err == nil {
			err = r.chat.Unsayable
		}
		if err != nil {
			return nil, err
		}
		if part == nil {
			continue
		}
		if last := len(parts) - 1; last >= 0 && part.Kind == dialect.PartText && parts[last].Kind == dialect.PartText {
			parts[last].Text = strings.Join([]string{parts[last].Text, part.Text}, "\n")
			continue
		}
		parts = append(parts, *part)
	}
	if len(parts) == 0 {
		return nil, dialect.Invalid("'%s' must have a part with text or data.", w.path(i))
	}
	return parts, nil
}
