package responses

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

var _ dialect.FileReplacer = Client{}

// ReplaceFiles replaces parts of type input_file, which stand in messages and in what
// tools answered.
func (Client) ReplaceFiles(body []byte, text func(path string, file *dialect.Media) (string, bool)) []byte {
	inside := func(name string) bool { return name == "content" || name == "output" }
	return dialect.EditParts(body, "input", inside, func(path string, object []byte) []byte {
		if rawjson.Text(rawjson.Get(object, "type")) != "input_file" {
			return nil
		}
		file := readFile(object)
		words, found := text(path, &file)
		if !found {
			return nil
		}
		return dialect.TextPart("input_text", words, object)
	})
}

func readFile(object []byte) dialect.Media {
	get := func(name string) string { return rawjson.Text(rawjson.Get(object, name)) }
	media := dialect.MediaAt(get("file_data"))
	if media == (dialect.Media{}) {
		media = dialect.MediaAt(get("file_url"))
	}
	media.FileID, media.Name = get("file_id"), get("filename")
	return media
}
