package ollama

import (
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// embed writes a request of /embed, which takes texts only.
func embed(task *dialect.Embedding, target dialect.Target) (dialect.Upstream, error) {
	texts, all := task.Texts()
	if !all {
		return dialect.Upstream{}, dialect.Invalid("'input' must be text for this model's provider. Send strings.")
	}
	body := rawjson.AppendText([]byte{'{'}, "model", target.Model)
	body = append(rawjson.AppendName(body, "input"), '[')
	for _, text := range texts {
		body = rawjson.AppendQuoted(rawjson.Comma(body), text)
	}
	body = append(body, ']')
	if task.Dimensions > 0 {
		body = rawjson.AppendInt(body, "dimensions", task.Dimensions)
	}
	var dropped []string
	for _, field := range task.Extra {
		switch field.Name {
		case "truncate", "keep_alive", "options":
			if !slices.Contains(target.Refused, field.Name) {
				body = rawjson.AppendMember(body, field.Name, field.Value)
				continue
			}
		}
		dropped = append(dropped, field.Name)
	}
	if task.User != "" {
		dropped = append(dropped, "user")
	}
	return dialect.NewUpstream("/embed", dialect.JSON, append(body, '}'), dropped), nil
}
