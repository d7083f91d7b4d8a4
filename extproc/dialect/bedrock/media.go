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
	made := &media{}
	switch {
	case m.FileID != "":
		return nil, dialect.Invalid("'messages.%d': this model's provider keeps no files; send %s as a data URL with base64.", i, field(part.Kind))
	case strings.HasPrefix(m.URL, "s3://"):
		made.Source.S3Location = &s3Location{URI: m.URL}
		kind = typeOfName(m.URL)
	case part.Kind == dialect.PartFile && m.URL != "" && !strings.Contains(m.URL, ":"):
		// Base64 without a data URL around it, as OpenAI takes it too.
		data, kind = m.URL, "application/pdf"
	case m.URL != "" || data == "":
		return nil, dialect.Invalid("'messages.%d': this model's provider fetches no URL; send %s as a data URL with base64.", i, field(part.Kind))
	}
	made.Source.Bytes = data
	known := formats[part.Kind]
	format, ok := known[kind]
	if !ok {
		format, ok = known[typeOfName(m.Name)]
	}
	if !ok && part.Kind == dialect.PartFile && strings.HasPrefix(kind, "text/") {
		format, ok = "txt", true
	}
	if !ok {
		return nil, dialect.Invalid("'messages.%d': this model's provider does not take %s of type %q.", i, field(part.Kind), kind)
	}
	made.Format = format
	return made, nil
}

// typeOfName is the media type that the ending of a name stands for, or "".
func typeOfName(name string) string {
	ending := strings.TrimPrefix(strings.ToLower(path.Ext(name)), ".")
	if ending == "" {
		return ""
	}
	for _, known := range formats {
		for kind, format := range known {
			if format == ending || ending == "jpg" && format == "jpeg" {
				return kind
			}
		}
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

// field is where a client says what a part holds.
func field(kind dialect.PartKind) string {
	switch kind {
	case dialect.PartImage:
		return "image_url.url"
	case dialect.PartAudio:
		return "input_audio.data"
	case dialect.PartVideo:
		return "video_url.url"
	}
	return "file.file_data"
}
