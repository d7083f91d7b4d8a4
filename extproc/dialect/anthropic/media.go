package anthropic

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// mediaSource says where an image or a document is to be had.
func (b *builder) mediaSource(part *dialect.Part) (*source, error) {
	media := part.Media
	image := part.Kind == dialect.PartImage
	what := "a document"
	if image {
		what = "an image"
	}
	switch {
	case b.hosted && (media.FileID != "" || strings.HasPrefix(media.URL, "http")):
		return nil, notFetched(what)
	case media.FileID != "":
		return &source{Type: "file", FileID: media.FileID}, nil
	case strings.HasPrefix(media.URL, "https://") || strings.HasPrefix(media.URL, "http://"):
		return &source{Type: "url", URL: media.URL}, nil
	case media.URL != "" && !image && !strings.Contains(media.URL, ":"):
		// Base64 without a data URL around it, as OpenAI takes it too.
		return &source{Type: "base64", MediaType: "application/pdf", Data: media.URL}, nil
	case media.Data == "":
		return nil, dialect.Invalid("The URL of %s must be http, https, or data with base64.", what)
	}
	switch kind := media.Type; {
	case image && kind == "image/jpg":
		return &source{Type: "base64", MediaType: "image/jpeg", Data: media.Data}, nil
	case image && strings.HasPrefix(kind, "image/"), kind == "application/pdf":
		return &source{Type: "base64", MediaType: kind, Data: media.Data}, nil
	case !image && strings.HasPrefix(kind, "text/"):
		text, err := base64.StdEncoding.DecodeString(media.Data)
		if err != nil {
			return nil, dialect.Invalid("The data of %s is not valid base64.", what)
		}
		return &source{Type: "text", MediaType: "text/plain", Data: string(text)}, nil
	default:
		return nil, dialect.Invalid("This model's provider does not take %s of type %q.", what, kind)
	}
}

func notFetched(what string) error {
	return dialect.Invalid("This model's provider does not fetch %s itself: send the data, with base64.", what)
}

// checkMedia refuses a request whose images or documents a cloud would have to fetch.
// The cloud refuses it too, but blames a field that the client did not send.
func checkMedia(client *dialect.Request) error {
	if len(client.InputModalities) == 0 {
		return nil
	}
	messages := rawjson.Get(client.Raw, "messages")
	i := 0
	for c := rawjson.Walk(messages); c.Next(); i++ {
		if err := checkSources(fmt.Sprintf("messages.%d.content", i), rawjson.Get(c.Value, "content")); err != nil {
			return err
		}
	}
	return nil
}

// checkSources looks into the results of tools too.
func checkSources(path string, content []byte) error {
	if rawjson.Kind(content) != '[' {
		return nil
	}
	i := 0
	for c := rawjson.Walk(content); c.Next(); i++ {
		switch kind := rawjson.Text(rawjson.Get(c.Value, "type")); kind {
		case "tool_result":
			if err := checkSources(fmt.Sprintf("%s.%d.content", path, i), rawjson.Get(c.Value, "content")); err != nil {
				return err
			}
		case "image", "document":
			switch rawjson.Text(rawjson.Get(rawjson.Get(c.Value, "source"), "type")) {
			case "url", "file":
				return notFetched(fmt.Sprintf("'%s.%d.source'", path, i))
			}
		}
	}
	return nil
}
