package gemini

import (
	"net/url"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Vertex AI embeds by a method of its own, predict
// (cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api).

// predictEmbeddings writes inputs, which are text alone, for predict.
func predictEmbeddings(task *dialect.Embedding, target dialect.Target) (dialect.Upstream, error) {
	settings, dropped := embeddingSettings(task, target)
	object := append(append([]byte{'{'}, strings.TrimPrefix(string(settings), ",")...), '}')
	body := []byte(`{"instances":[`)
	for i, parts := range task.Inputs {
		var said strings.Builder
		for j := range parts {
			if parts[j].Kind != dialect.PartText {
				return dialect.Upstream{}, invalid("'input.%d': this model's provider embeds text alone.", i)
			}
			said.WriteString(parts[j].Text)
		}
		body = rawjson.AppendText(append(rawjson.Comma(body), '{'), "content", said.String())
		for _, name := range [][2]string{{"taskType", "task_type"}, {"title", "title"}} {
			if value := rawjson.Get(object, name[0]); value != nil {
				body = rawjson.AppendMember(body, name[1], value)
			}
		}
		body = append(body, '}')
	}
	body = append(body, ']')
	if size := rawjson.Get(object, "outputDimensionality"); size != nil {
		body = append(rawjson.AppendMember(append(rawjson.AppendName(body, "parameters"), '{'), "outputDimensionality", size), '}')
	}
	_, name, found := strings.Cut(target.Model, "/")
	if !found {
		name = target.Model
	}
	return dialect.NewUpstream("/models/"+url.PathEscape(name)+":predict", dialect.JSON, append(body, '}'), dropped), nil
}

// readPredictions reads the vectors of an answer of predict, and the tokens of each input.
func (d *decoder) readPredictions(list []byte) {
	index, tokens, counted := 0, int64(0), false
	for c := rawjson.Walk(list); c.Next(); index++ {
		vector := rawjson.Get(c.Value, "embeddings")
		d.emit(dialect.Event{Kind: dialect.EventVector, Index: index, Raw: rawjson.Get(vector, "values")})
		if n, ok := rawjson.Float(rawjson.Get(rawjson.Get(vector, "statistics"), "token_count")); ok && n >= 0 && n < 1<<40 {
			tokens, counted = tokens+int64(n), true
		}
	}
	if counted {
		d.events = dialect.AppendUsage(d.events, dialect.Usage{Prompt: tokens}, "")
	}
	d.emit(dialect.Event{Kind: dialect.EventDone})
}
