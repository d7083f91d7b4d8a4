package anthropic

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

var _ dialect.FileReplacer = Client{}

// ReplaceFiles replaces documents but those of plain text or blocks, which are text to
// any model.
func (Client) ReplaceFiles(body []byte, text func(path string, file *dialect.Media) (string, bool)) []byte {
	inside := func(name string) bool { return name == "content" }
	return dialect.EditParts(body, "messages", inside, func(path string, block []byte) []byte {
		if rawjson.Text(rawjson.Get(block, "type")) != "document" {
			return nil
		}
		r := reader{chat: &dialect.Chat{}}
		parts := r.appendDocument(nil, dialect.Part{}, block, 0)
		if len(parts) != 1 || parts[0].Kind != dialect.PartFile {
			return nil
		}
		words, found := text(path, parts[0].Media)
		if !found {
			return nil
		}
		return dialect.TextPart("text", words, block)
	})
}
