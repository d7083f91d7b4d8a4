package gemini

import (
	"net/url"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// requestEmbeddings writes inputs for batchEmbedContents, one request each: also a
// single one, so that all answers have one form. The API embeds text and, with newer
// models, media that come with the request.
func requestEmbeddings(task *dialect.Embedding, target dialect.Target) (dialect.Upstream, error) {
	settings, dropped := embeddingSettings(task, target)
	body := []byte(`{"requests":[`)
	for i, parts := range task.Inputs {
		body = rawjson.AppendText(append(rawjson.Comma(body), '{'), "model", modelOf(target))
		body = append(body, `,"content":{"parts":[`...)
		for j := range parts {
			part := &parts[j]
			switch {
			case part.Kind == dialect.PartText:
				body = append(rawjson.AppendText(append(rawjson.Comma(body), '{'), "text", part.Text), '}')
			case part.Media != nil && part.Media.Data != "":
				body = append(rawjson.Comma(body), `{"inlineData":{`...)
				body = append(rawjson.AppendText(rawjson.AppendText(body, "mimeType", mediaType(part)), "data", part.Media.Data), "}}"...)
			default:
				return dialect.Upstream{}, invalid("'input.%d': %s must be data with base64; this model's provider fetches nothing to embed.", i, part.Kind.Field())
			}
		}
		body = append(append(append(body, "]}"...), settings...), '}')
	}
	return batch(target, append(body, "]}"...), dropped), nil
}

// passEmbeddings copies the requests of a client of the API, of which one alone becomes a
// batch of one. Only what the gateway must change is changed.
func passEmbeddings(work *embedding, target dialect.Target) dialect.Upstream {
	var dropped []string
	body := []byte(`{"requests":[`)
	for _, request := range work.requests {
		body = rawjson.AppendText(append(rawjson.Comma(body), '{'), "model", modelOf(target))
		for c := rawjson.Walk(request); c.Next(); {
			switch name := camel(c.Name); {
			case !rawjson.Present(c.Value), forGateway(string(c.Name)):
			case slices.Contains(target.Refused, name):
				dropped = append(dropped, name)
			default:
				body = rawjson.AppendRaw(body, c.Member)
			}
		}
		body = append(body, '}')
	}
	return batch(target, append(body, "]}"...), dropped)
}

func batch(target dialect.Target, body []byte, dropped []string) dialect.Upstream {
	collection, name, _ := strings.Cut(modelOf(target), "/")
	return dialect.NewUpstream("/"+url.PathEscape(collection)+"/"+url.PathEscape(name)+":batchEmbedContents", dialect.JSON, body, dropped)
}

// modelOf is the resource name of a model. A tuned one has a collection of its own.
func modelOf(target dialect.Target) string {
	if strings.Contains(target.Model, "/") {
		return target.Model
	}
	return "models/" + target.Model
}

// embeddingSettings are the members that each input gets, and what has none.
func embeddingSettings(task *dialect.Embedding, target dialect.Target) (members []byte, dropped []string) {
	if task.Dimensions > 0 {
		members = rawjson.AppendInt(members, "outputDimensionality", task.Dimensions)
	}
	typed := false
	for _, extra := range task.Extra {
		kind := ""
		switch extra.Name {
		case "task_type":
			kind = rawjson.Text(extra.Value)
		case "input_type":
			kind = taskType(rawjson.Text(extra.Value))
		case "title":
			if rawjson.Kind(extra.Value) == '"' && !slices.Contains(target.Refused, extra.Name) {
				members = rawjson.AppendMember(members, "title", extra.Value)
				continue
			}
		}
		if kind == "" || typed || slices.Contains(target.Refused, extra.Name) {
			dropped = append(dropped, extra.Name)
			continue
		}
		members, typed = rawjson.AppendText(members, "taskType", kind), true
	}
	if task.User != "" {
		dropped = append(dropped, "user")
	}
	return members, dropped
}

// taskType puts what vectors are for, in the words of Cohere and Voyage, into Google's.
func taskType(inputType string) string {
	switch inputType {
	case "search_query", "query":
		return "RETRIEVAL_QUERY"
	case "search_document", "document":
		return "RETRIEVAL_DOCUMENT"
	case "classification":
		return "CLASSIFICATION"
	case "clustering":
		return "CLUSTERING"
	}
	return ""
}

// readEmbeddings reads the vectors of an answer, of one input or of several, and what
// they cost where the API tells.
func (d *decoder) readEmbeddings(body, list []byte) {
	index := 0
	for c := rawjson.Walk(list); c.Next(); index++ {
		d.emit(dialect.Event{Kind: dialect.EventVector, Index: index, Raw: rawjson.Get(c.Value, "values")})
	}
	d.count(rawjson.Get(body, "usageMetadata"))
	d.emit(dialect.Event{Kind: dialect.EventDone})
}
