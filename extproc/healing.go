package extproc

import (
	"fmt"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/heal"
)

// healing is what became of an answer.
type healing struct {
	Texts int `json:"texts_healed"`
}

// heal repairs a whole answer, in the client's dialect, that shall be JSON and nearly is,
// if the client asked for that (row 119). Only the text of the answer changes.
func (a *attempt) heal(answer []byte) []byte {
	editor, edits := a.client.(dialect.TextEditor)
	if !edits || !a.plan.Healing || a.request.Stream || a.request.ResponseFormat == "" {
		return answer
	}
	texts := 0
	healed := editor.EditText(nil, answer, func(text string) string {
		// A schema may be that of an array.
		json, changed := heal.JSON(text, a.request.ResponseFormat == "json_schema")
		if changed {
			texts++
		}
		return json
	})
	if texts == 0 {
		return answer
	}
	a.pipeline = append(a.pipeline, pipelineStage{
		Type: "response_healing", Name: "response-healing",
		Summary: fmt.Sprintf("Texts made JSON: %d.", texts), Data: healing{Texts: texts},
	})
	metadata := a.routerMetadata()
	if metadata == nil {
		return healed
	}
	return rawjson.AppendReplaced(nil, healed, "openrouter_metadata", func(dst, _ []byte) []byte { return append(dst, metadata...) })
}
