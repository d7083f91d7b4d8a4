package dialect

import "strings"

// MediaAt is what stands at a URL. A data URL (RFC 2397) is taken apart; any other
// stays as it is.
func MediaAt(url string) Media {
	rest, found := strings.CutPrefix(url, "data:")
	if !found {
		return Media{URL: url}
	}
	head, data, found := strings.Cut(rest, ",")
	kind, encoded := strings.CutSuffix(head, ";base64")
	if !found || !encoded {
		return Media{URL: url}
	}
	kind, _, _ = strings.Cut(kind, ";")
	return Media{Data: data, Type: strings.ToLower(kind)}
}

// IsEmpty reports whether what a client sends as data, in base64 or as a data URL, holds
// none.
func IsEmpty[T ~string | ~[]byte](data T) bool {
	return len(data) == 0 || strings.HasPrefix(string(data[:min(len(data), 5)]), "data:") && data[len(data)-1] == ','
}

// Field is where a client of Chat Completions says what a part of this kind holds.
func (k PartKind) Field() string {
	switch k {
	case PartImage:
		return "image_url.url"
	case PartAudio:
		return "input_audio.data"
	case PartVideo:
		return "video_url.url"
	}
	return "file.file_data"
}
