package cohere

import (
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

func requestTask(client *dialect.Request, target dialect.Target) (dialect.Upstream, error) {
	task, err := client.Task()
	if err != nil {
		return dialect.Upstream{}, err
	}
	if task.Rerank != nil {
		return rerank(task.Rerank, target)
	}
	return embed(task.Embedding, target)
}

// embed writes a request of /embed. What the vectors are for, the API must be told;
// clients of OpenAI's have no word for it and mostly fill an index, so that documents
// are meant unless the request's own input_type says otherwise.
func embed(task *dialect.Embedding, target dialect.Target) (dialect.Upstream, error) {
	body := rawjson.AppendText([]byte{'{'}, "model", target.Model)
	var dropped []string
	kind, form := []byte(`"search_document"`), []byte(`["float"]`)
	for _, field := range task.Extra {
		switch {
		case slices.Contains(target.Refused, field.Name):
			dropped = append(dropped, field.Name)
		case field.Name == "input_type" && rawjson.Kind(field.Value) == '"':
			kind = field.Value
		case field.Name == "embedding_types":
			if err := checkForm(field.Value); err != nil {
				return dialect.Upstream{}, err
			}
			form = field.Value
		case field.Name == "truncate", field.Name == "max_tokens", field.Name == "priority":
			body = rawjson.AppendMember(body, field.Name, field.Value)
		default:
			dropped = append(dropped, field.Name)
		}
	}
	body = rawjson.AppendMember(body, "input_type", kind)
	body = rawjson.AppendMember(body, "embedding_types", form)
	if task.Dimensions > 0 {
		body = rawjson.AppendInt(body, "output_dimension", task.Dimensions)
	}
	if task.User != "" {
		dropped = append(dropped, "user")
	}
	body, err := appendInputs(body, task)
	if err != nil {
		return dialect.Upstream{}, err
	}
	return dialect.NewUpstream("/embed", dialect.JSON, append(body, '}'), dropped), nil
}

// checkForm holds the vectors to one form, and one that is an array of numbers: clients
// have a place for one, and turn it into base64 themselves.
func checkForm(value []byte) error {
	count := 0
	for c := rawjson.Walk(value); c.Next(); count++ {
		if !slices.Contains(forms, rawjson.Text(c.Value)) {
			count = len(forms)
		}
	}
	if count != 1 {
		return dialect.Invalid("'embedding_types' must be a list of one of float, int8, uint8, binary and ubinary.")
	}
	return nil
}

// forms are the kinds of numbers that the API makes vectors of.
var forms = []string{"float", "int8", "uint8", "binary", "ubinary"}

// appendInputs writes texts as such, which all models take, and what has images in it
// as parts, which takes a model of the fourth generation.
func appendInputs(dst []byte, task *dialect.Embedding) ([]byte, error) {
	if texts, all := task.Texts(); all {
		dst = append(rawjson.AppendName(dst, "texts"), '[')
		for _, text := range texts {
			dst = rawjson.AppendQuoted(rawjson.Comma(dst), text)
		}
		return append(dst, ']'), nil
	}
	dst = append(rawjson.AppendName(dst, "inputs"), '[')
	for i, parts := range task.Inputs {
		dst = append(rawjson.Comma(dst), `{"content":[`...)
		for j := range parts {
			part := &parts[j]
			switch {
			case part.Kind == dialect.PartText:
				dst = append(rawjson.AppendText(append(rawjson.Comma(dst), `{"type":"text"`...), "text", part.Text), '}')
			case part.Kind == dialect.PartImage && part.Media.Data != "":
				dst = append(rawjson.Comma(dst), `{"type":"image_url","image_url":{`...)
				dst = append(rawjson.AppendText(dst, "url", dataURL(part.Media)), "}}"...)
			case part.Kind == dialect.PartImage:
				return nil, dialect.Invalid("'input.%d': image_url.url must be data with base64; this model's provider fetches no images to embed.", i)
			default:
				return nil, dialect.Invalid("'input.%d' holds audio, video or a file; this model's provider embeds text and images only.", i)
			}
		}
		dst = append(dst, "]}"...)
	}
	return append(dst, ']'), nil
}

// rerank writes a request of /rerank, which takes documents as strings only.
func rerank(task *dialect.Rerank, target dialect.Target) (dialect.Upstream, error) {
	body := rawjson.AppendText([]byte{'{'}, "model", target.Model)
	body = rawjson.AppendText(body, "query", task.Query)
	body = append(rawjson.AppendName(body, "documents"), '[')
	for i, document := range task.Documents {
		text := document
		if rawjson.Kind(document) == '{' {
			text = rawjson.Get(document, "text")
		}
		if rawjson.Kind(text) != '"' {
			return dialect.Upstream{}, dialect.Invalid("'documents.%d' must be a string, or an object with a text, for this model's provider.", i)
		}
		body = rawjson.AppendRaw(body, text)
	}
	body = rawjson.AppendInt(append(body, ']'), "top_n", task.Most)
	var dropped []string
	for _, field := range task.Extra {
		switch {
		case slices.Contains(target.Refused, field.Name):
			dropped = append(dropped, field.Name)
		case field.Name == "max_tokens_per_doc", field.Name == "priority":
			body = rawjson.AppendMember(body, field.Name, field.Value)
		default:
			dropped = append(dropped, field.Name)
		}
	}
	return dialect.NewUpstream("/rerank", dialect.JSON, append(body, '}'), dropped), nil
}
