package gemini

import (
	"net/url"
	"path"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// types are the media types that the API fetches by URL, by the ending of the URL's
// path. It asks to be told the type and does not find it out.
var types = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".bmp": "image/bmp",
	".pdf": "application/pdf", ".json": "application/json",
	".txt": "text/plain", ".csv": "text/csv", ".html": "text/html", ".css": "text/css", ".xml": "text/xml",
	".mp4": "video/mp4", ".mpeg": "video/mpeg", ".mov": "video/quicktime", ".webm": "video/webm",
}

// NeedsBytes: the API fetches over https, and has to be told the type, which the URL's
// ending tells or nothing. The models of Gemini 2.0 get only what was uploaded to the
// API and YouTube's films (https://ai.google.dev/gemini-api/docs/file-input-methods).
func (Provider) NeedsBytes(part *dialect.Part, target dialect.Target) bool {
	location, err := url.Parse(part.Media.URL)
	if err != nil || selfDescribing(location) {
		return false
	}
	_, known := types[strings.ToLower(path.Ext(location.Path))]
	return !known || !strings.EqualFold(location.Scheme, "https") || strings.Contains(target.Model, "gemini-2.0")
}

// media writes an image, a sound, a film or a file of message i.
func (b *builder) media(i int, said *dialect.Part) (part, error) {
	m := said.Media
	switch {
	case b.vertex && m.FileID != "":
		return stored(i, said.Kind, m.FileID)
	case strings.HasPrefix(m.FileID, "https://"):
		return part{FileData: &fileData{FileURI: m.FileID}}, nil
	case m.FileID != "":
		return part{}, invalid("'messages.%d': file.file_id must be the URI of a file that was uploaded to the Gemini API.", i)
	case m.Data != "":
		return part{InlineData: &inlineData{MIMEType: mediaType(said), Data: m.Data}}, nil
	case said.Kind == dialect.PartFile && m.URL != "" && !strings.Contains(m.URL, ":"):
		// Base64 without a data URL around it, as OpenAI takes it too.
		return part{InlineData: &inlineData{MIMEType: "application/pdf", Data: m.URL}}, nil
	}
	location, err := url.Parse(m.URL)
	if err != nil || location.Scheme != "https" && location.Scheme != "gs" {
		return part{}, invalid("'messages.%d': %s must be https, or data with base64.", i, said.Kind.Field())
	}
	if b.vertex {
		return stored(i, said.Kind, m.URL)
	}
	kind, known := types[strings.ToLower(path.Ext(location.Path))]
	if !known && !selfDescribing(location) {
		return part{}, invalid("'messages.%d': %s must end in the type of what it points to, such as .png, for this model's provider to fetch it. "+
			"Send the data itself with base64 instead.", i, said.Kind.Field())
	}
	return part{FileData: &fileData{MIMEType: kind, FileURI: m.URL}}, nil
}

// selfDescribing reports whether the API knows the type of what is at a URL: a film of
// YouTube's, or a file that was uploaded to the API.
func selfDescribing(location *url.URL) bool {
	return isFilm(location) || strings.HasPrefix(location.Path, "/v1beta/files/")
}

func isFilm(location *url.URL) bool {
	switch location.Hostname() {
	case "youtu.be", "www.youtube.com", "youtube.com":
		return true
	}
	return false
}

func mediaType(said *dialect.Part) string {
	kind := said.Media.Type
	switch {
	case said.Kind == dialect.PartAudio && !strings.Contains(kind, "/"):
		return "audio/" + kind // the client gave the format's name
	case kind == "image/jpg":
		return "image/jpeg"
	}
	return kind
}
