package anthropic

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// EditText edits the text of a message whose turn ended.
func (Client) EditText(dst, answer []byte, edit func(text string) string) []byte {
	if rawjson.Text(rawjson.Get(answer, "stop_reason")) != "end_turn" {
		return append(dst, answer...)
	}
	return rawjson.AppendReplaced(dst, answer, "content", func(dst, content []byte) []byte {
		return dialect.EditOnlyText(dst, content, func(block []byte) bool {
			return rawjson.Text(rawjson.Get(block, "type")) == "text"
		}, edit)
	})
}
