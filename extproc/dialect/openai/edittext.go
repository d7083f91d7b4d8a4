package openai

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// EditText edits the content of each choice that stopped.
func (Client) EditText(dst, answer []byte, edit func(text string) string) []byte {
	return rawjson.AppendReplaced(dst, answer, "choices", func(dst, choices []byte) []byte {
		return rawjson.AppendEdited(dst, choices, func(dst []byte, choice *rawjson.Cursor) []byte {
			if rawjson.Text(rawjson.Get(choice.Value, "finish_reason")) != "stop" {
				return append(dst, choice.Value...)
			}
			return rawjson.AppendReplaced(dst, choice.Value, "message", func(dst, message []byte) []byte {
				return rawjson.AppendReplaced(dst, message, "content", func(dst, content []byte) []byte {
					return dialect.EditText(dst, content, edit)
				})
			})
		})
	})
}
