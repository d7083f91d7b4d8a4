package anthropic

import (
	"encoding/base64"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// mediaSource says where an image or a document is to be had.
func mediaSource(part *dialect.Part) (*source, error) {
	media := part.Media
	image := part.Kind == dialect.PartImage
	what := "a document"
	if image {
		what = "an image"
	}
	switch {
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
