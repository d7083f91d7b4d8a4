package bedrock

import (
	"fmt"
	"path"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// The formats that Converse has, by media type.
var formats = map[dialect.PartKind]map[string]string{
	dialect.PartImage: {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"},
	dialect.PartVideo: {
		"video/mp4": "mp4", "video/quicktime": "mov", "video/webm": "webm", "video/x-matroska": "mkv", "video/x-flv": "flv",
		"video/mpeg": "mpeg", "video/x-ms-wmv": "wmv", "video/3gpp": "three_gp",
	},
	dialect.PartAudio: {
		"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav", "audio/aac": "aac", "audio/flac": "flac",
		"audio/ogg": "ogg", "audio/opus": "opus", "audio/mp4": "mp4", "audio/m4a": "m4a", "audio/webm": "webm", "audio/pcm16": "pcm", "audio/pcm": "pcm",
	},
	dialect.PartFile: {
		"application/pdf": "pdf", "text/csv": "csv", "text/html": "html", "text/plain": "txt", "text/markdown": "md",
		"application/msword": "doc", "application/vnd.ms-excel": "xls",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":       "xlsx",
	},
}

// media writes an image, a sound, a film or a document of message i into a block.
func (b *builder) media(i int, part *dialect.Part, into *block) error {
	if refused := b.family.refuses(part.Kind); refused != "" {
		return dialect.Invalid("'messages.%d': this model takes no %s input.", i, refused)
	}
	made, err := mediaOf(i, part)
	if err != nil {
		return err
	}
	switch part.Kind {
	case dialect.PartImage:
		into.Image = made
	case dialect.PartAudio:
		into.Audio = made
	case dialect.PartVideo:
		into.Video = made
	default:
		made.Name = b.documentName(part.Media.Name)
		into.Document = made
	}
	return nil
}

func mediaOf(i int, part *dialect.Part) (*media, error) {
	m := part.Media
	data, kind := m.Data, m.Type
	if part.Kind == dialect.PartAudio && !strings.Contains(kind, "/") {
		kind = "audio/" + kind // the client gave the format's name
	}
	switch {
	case m.FileID != "":
		return nil, dialect.Invalid("'messages.%d': this model's provider keeps no files; send %s as a data URL with base64.", i, part.Kind.Field())
	case part.Kind == dialect.PartFile && m.URL != "" && !strings.Contains(m.URL, ":"):
		// Base64 without a data URL around it, as OpenAI takes it too.
		data, kind = m.URL, "application/pdf"
	case m.URL != "" || data == "":
		// The API would read an s3:// URL with the gateway's own rights, which clients
		// do not have.
		return nil, dialect.Invalid("'messages.%d': this model's provider fetches no URL; send %s as a data URL with base64.", i, part.Kind.Field())
	}
	made := &media{Source: source{Bytes: data}}
	if made.Format = formatOf(part.Kind, kind, m.Name); made.Format == "" {
		return nil, dialect.Invalid("'messages.%d': this model's provider does not take %s of type %q.", i, part.Kind.Field(), kind)
	}
	return made, nil
}

// formatOf is the format of a part by its media type, or else by the ending of its
// name; "" for one that there is no word for.
func formatOf(kind dialect.PartKind, mediaType, name string) string {
	known := formats[kind]
	if format, ok := known[mediaType]; ok {
		return format
	}
	ending := strings.TrimPrefix(strings.ToLower(path.Ext(name)), ".")
	for _, format := range known {
		if format == ending || ending == "jpg" && format == "jpeg" {
			return format
		}
	}
	if kind == dialect.PartFile && strings.HasPrefix(mediaType, "text/") {
		return "txt"
	}
	return ""
}

// longestName bounds a document's name, in bytes.
const longestName = 200

// documentName puts a name into the characters that a document's may have: ASCII
// letters and digits, hyphens, parentheses, square brackets, and one space at a time.
// Its ending goes, and no two documents of a request have the same name.
func (b *builder) documentName(name string) string {
	name = strings.TrimSuffix(name, path.Ext(name))
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-()[]", r) {
			return r
		}
		return ' '
	}, name)
	const room = len(" 9999")
	clean = strings.Join(strings.Fields(clean), " ")
	clean = strings.TrimSpace(clean[:min(len(clean), longestName-room)])
	if clean == "" {
		clean = "document"
	}
	unique := clean
	for n := 2; b.names[strings.ToLower(unique)]; n++ {
		unique = fmt.Sprintf("%s %d", clean, n)
	}
	b.names[strings.ToLower(unique)] = true
	return unique
}
