package gemini

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// EditText edits the text of each candidate that stopped. Thoughts are parts of their own.
func (Client) EditText(dst, answer []byte, edit func(text string) string) []byte {
	return rawjson.AppendReplaced(dst, answer, "candidates", func(dst, candidates []byte) []byte {
		return rawjson.AppendEdited(dst, candidates, func(dst []byte, candidate *rawjson.Cursor) []byte {
			if rawjson.Text(rawjson.Get(candidate.Value, "finishReason")) != "STOP" {
				return append(dst, candidate.Value...)
			}
			return rawjson.AppendReplaced(dst, candidate.Value, "content", func(dst, content []byte) []byte {
				return rawjson.AppendReplaced(dst, content, "parts", func(dst, parts []byte) []byte {
					return dialect.EditOnlyText(dst, parts, func(part []byte) bool {
						return rawjson.Present(rawjson.Get(part, "text")) && !rawjson.True(rawjson.Get(part, "thought"))
					}, edit)
				})
			})
		})
	})
}
