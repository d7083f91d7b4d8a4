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
		return nil, notFetched("'" + part.Kind.Field() + "'")
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

func notFetched(field string) error {
	return dialect.Invalid("%s: this model's provider fetches no URL and keeps no files; send the data itself with base64.", field)
}

// FetchedForHosts reports whether a part is of a kind that clouds take as bytes alone.
func FetchedForHosts(part *dialect.Part) bool {
	return part.Kind == dialect.PartImage || part.Kind == dialect.PartFile
}

// RemoteIn lists the images and documents that a request of the Messages API names by
// URL, for clouds, which fetch none.
func RemoteIn(client *dialect.Request) []dialect.Remote {
	var remote []dialect.Remote
	_ = eachSource(client.Raw, func(_ string, kind dialect.PartKind, source []byte) error {
		if url := sourceURL(source); url != "" {
			remote = append(remote, dialect.Remote{Kind: kind, URL: url})
		}
		return nil
	})
	return remote
}

// sourceURL is where a source of type "url" points, or "".
func sourceURL(source []byte) string {
	if rawjson.Text(rawjson.Get(source, "type")) != "url" {
		return ""
	}
	return rawjson.Text(rawjson.Get(source, "url"))
}

// checkMedia refuses a request whose images or documents a cloud would have to fetch.
// The cloud refuses it too, but blames a field that the client did not send.
func checkMedia(body []byte) error {
	return eachSource(body, func(path string, _ dialect.PartKind, source []byte) error {
		switch rawjson.Text(rawjson.Get(source, "type")) {
		case "url", "file":
			return notFetched("'" + path + "'")
		}
		return nil
	})
}

// eachSource visits the sources of images and documents in a request's messages, with
// the path that the API itself would call each by, until one is an error.
func eachSource(body []byte, visit func(path string, kind dialect.PartKind, source []byte) error) error {
	i := 0
	for c := rawjson.Walk(rawjson.Get(body, "messages")); c.Next(); i++ {
		if err := sourcesIn(fmt.Sprintf("messages.%d.content", i), rawjson.Get(c.Value, "content"), 0, visit); err != nil {
			return err
		}
	}
	return nil
}

// sourcesIn looks into the results of tools too, and into documents made of blocks.
func sourcesIn(path string, content []byte, depth int, visit func(string, dialect.PartKind, []byte) error) error {
	if rawjson.Kind(content) != '[' || depth == deepest {
		return nil
	}
	i := 0
	for c := rawjson.Walk(content); c.Next(); i++ {
		at, source := fmt.Sprintf("%s.%d", path, i), rawjson.Get(c.Value, "source")
		var err error
		switch rawjson.Text(rawjson.Get(c.Value, "type")) {
		case "tool_result":
			err = sourcesIn(at+".content", rawjson.Get(c.Value, "content"), depth+1, visit)
		case "image":
			err = visit(at+".source", dialect.PartImage, source)
		case "document":
			if err = visit(at+".source", dialect.PartFile, source); err == nil {
				err = sourcesIn(at+".source.content", rawjson.Get(source, "content"), depth+1, visit)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
