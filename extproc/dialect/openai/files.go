package openai

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

var _ dialect.FileReplacer = Client{}

// ReplaceFiles replaces parts of type file.
func (Client) ReplaceFiles(body []byte, text func(path string, file *dialect.Media) (string, bool)) []byte {
	inside := func(name string) bool { return name == "content" }
	return dialect.EditParts(body, "messages", inside, func(path string, object []byte) []byte {
		if rawjson.Text(rawjson.Get(object, "type")) != "file" {
			return nil
		}
		part, err := readPart(object)
		if err != nil {
			return nil // the provider's to refuse
		}
		words, found := text(path, part.Media)
		if !found {
			return nil
		}
		return dialect.TextPart("text", words, object)
	})
}

// FileAnnotations are those that the client sends back in its assistant's messages.
func FileAnnotations(body []byte) []dialect.FileAnnotation {
	var files []dialect.FileAnnotation
	for message := rawjson.Walk(rawjson.Get(body, "messages")); message.Next(); {
		if rawjson.Text(rawjson.Get(message.Value, "role")) != "assistant" {
			continue
		}
		for c := rawjson.Walk(rawjson.Get(message.Value, "annotations")); c.Next(); {
			if file, ok := dialect.ReadFileAnnotation(c.Value); ok {
				files = append(files, file)
			}
		}
	}
	return files
}

// files are the annotations of the files that were read for the request, which the
// first choice's message begins with.
func (e *envelope) files() [][]byte {
	annotations := make([][]byte, 0, len(e.meta.Files))
	for i := range e.meta.Files {
		annotations = append(annotations, e.meta.Files[i].Append(nil))
	}
	return annotations
}
