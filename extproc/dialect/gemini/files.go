package gemini

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

var _ dialect.FileReplacer = Client{}

// ReplaceFiles replaces parts with data, or a link to it, that is neither text nor an
// image, a sound or a film.
func (Client) ReplaceFiles(body []byte, text func(path string, file *dialect.Media) (string, bool)) []byte {
	inside := func(name string) bool {
		name = camel([]byte(name))
		return name == "parts" || name == "functionResponse"
	}
	return dialect.EditParts(body, "contents", inside, func(path string, object []byte) []byte {
		if get(object, "inlineData") == nil && get(object, "fileData") == nil {
			return nil
		}
		r := reader{chat: &dialect.Chat{}}
		part, err := r.part(0, 0, object)
		if err != nil || part == nil || part.Kind != dialect.PartFile {
			return nil // or the provider's to refuse
		}
		words, found := text(path, part.Media)
		if !found {
			return nil
		}
		return append(rawjson.AppendText([]byte{'{'}, "text", words), '}')
	})
}
