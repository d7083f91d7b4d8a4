package responses

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// EditText edits the text of each message of a response that is complete.
func (Client) EditText(dst, answer []byte, edit func(text string) string) []byte {
	if rawjson.Text(rawjson.Get(answer, "status")) != completed {
		return append(dst, answer...)
	}
	return rawjson.AppendReplaced(dst, answer, "output", func(dst, output []byte) []byte {
		return rawjson.AppendEdited(dst, output, func(dst []byte, item *rawjson.Cursor) []byte {
			if rawjson.Text(rawjson.Get(item.Value, "type")) != "message" {
				return append(dst, item.Value...)
			}
			return rawjson.AppendReplaced(dst, item.Value, "content", func(dst, content []byte) []byte {
				return dialect.EditOnlyText(dst, content, func(part []byte) bool {
					return rawjson.Text(rawjson.Get(part, "type")) == "output_text"
				}, edit)
			})
		})
	})
}
