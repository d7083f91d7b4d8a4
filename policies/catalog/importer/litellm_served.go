package importer

import (
	"fmt"
	"slices"
)

// output is what an entry makes instead of text, or "".
func (e *entry) output() string {
	switch e.Mode {
	case "embedding":
		return "embeddings"
	case "rerank":
		return "rerank"
	case "image_generation":
		return "image"
	case "audio_speech":
		return "speech"
	case "audio_transcription":
		return "transcription"
	}
	return ""
}

// mediaPaths are the API endpoints for images and sound.
var mediaPaths = map[string]string{
	"image": "/v1/images/generations", "speech": "/v1/audio/speech", "transcription": "/v1/audio/transcriptions",
}

// notServed is why no API endpoint of the gateway is for an entry, or "".
func (e *entry) notServed(vendor vendor, known bool) string {
	switch conversations := slices.Contains(e.Endpoints, "/v1/chat/completions"); {
	case e.AliasOf != "":
		return "an alias of another entry"
	case e.output() != "":
		if known && vendor.Tasks[e.output()] == "" {
			return fmt.Sprintf("provider %s is not known for %s; name it in litellm.yaml", e.Provider, e.output())
		}
		if path := mediaPaths[e.output()]; path != "" && len(e.Endpoints) > 0 && !slices.Contains(e.Endpoints, path) {
			return "not served at " + path
		}
	case e.Mode != "chat" && e.Mode != "responses":
		return fmt.Sprintf("mode %q is not served", e.Mode)
	case e.Mode == "responses" && !conversations,
		len(e.Endpoints) > 0 && !conversations && !slices.Contains(e.Endpoints, "/v1/messages"):
		return "not served by Chat Completions"
	}
	return ""
}

// conversational is the reason that is none for entries that make something else.
const conversational = "it does not converse"
