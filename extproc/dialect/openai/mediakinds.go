package openai

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Images returns the dialect of OpenAI's /images/generations.
func Images() Media { return Media{kind: generations} }

// ImageEdits returns the dialect of OpenAI's /images/edits, in JSON or in a form.
func ImageEdits() Media { return Media{kind: edits} }

// ImageVariations returns the dialect of OpenAI's /images/variations.
func ImageVariations() Media { return Media{kind: variations} }

// OpenRouterImages returns the dialect of OpenRouter's /images, whose requests with
// images in them are edits.
func OpenRouterImages() Media { return Media{kind: references} }

// Speech returns the dialect of OpenAI's /audio/speech.
func Speech() Media { return Media{kind: speech} }

// OpenRouterSpeech is Speech as OpenRouter has it: PCM where no format is given.
func OpenRouterSpeech() Media { return Media{kind: pcmSpeech} }

// Transcriptions returns the dialect of /audio/transcriptions: OpenAI's in a form,
// OpenRouter's in JSON.
func Transcriptions() Media { return Media{kind: transcriptions} }

// Translations returns the dialect of /audio/translations, likewise.
func Translations() Media { return Media{kind: translations} }

// The fields are those of OpenAI's API reference, as its SDKs of version 3.54 have them.
var (
	imageFields = []string{"model", "prompt", "background", "complexity", "frame_count", "frame_duration_ms", "n", "output_compression",
		"output_format", "partial_images", "quality", "reasoning", "response_format", "safety_identifier", "size", "stream", "svg", "user"}

	generations = &mediaKind{
		path: "/images/generations", makes: "image", needs: "prompt", pipe: newImagesPipe,
		defined: append([]string{"moderation", "style"}, imageFields...),
	}
	references = &mediaKind{
		path: "/images/generations", makes: "image", needs: "prompt", pipe: newImagesPipe,
		defined: generations.defined, adopt: adoptReferences,
	}
	edits = &mediaKind{
		path: "/images/edits", makes: "image", needs: "prompt", file: "image", pipe: newImagesPipe, adopt: countImages,
		defined: append([]string{"image", "images", "input_fidelity", "markup", "mask", "moderation"}, imageFields...),
	}
	variations = &mediaKind{
		path: "/images/variations", makes: "image", needs: "image", file: "image", pipe: newImagesPipe,
		defined: []string{"image", "model", "n", "response_format", "size", "user"},
	}
	speech = &mediaKind{
		path: "/audio/speech", makes: "speech", needs: "input", pipe: newSpeechPipe,
		defined: []string{"input", "model", "voice", "instructions", "response_format", "speed", "stream_format"},
	}
	pcmSpeech = &mediaKind{
		path: speech.path, makes: speech.makes, needs: speech.needs, pipe: newSpeechPipe, defined: speech.defined,
		adopt: func(m *media, _ *dialect.Request) error {
			if m.format == "" {
				m.added = "pcm"
			}
			return nil
		},
	}
	transcriptions = &mediaKind{
		path: "/audio/transcriptions", makes: "transcription", needs: "input_audio", file: "file", pipe: newTranscriptPipe, adopt: adoptSound,
		defined: []string{"file", "model", "chunking_strategy", "include", "keywords", "known_speaker_names", "known_speaker_references",
			"language", "languages", "prompt", "response_format", "stream", "temperature", "timestamp_granularities"},
	}
	translations = &mediaKind{
		path: "/audio/translations", makes: "transcription", needs: "input_audio", file: "file", pipe: newTranscriptPipe, adopt: adoptSound,
		defined: []string{"file", "model", "prompt", "response_format", "temperature"},
	}
)

// countImages counts the images of an edit in JSON.
func countImages(m *media, request *dialect.Request) error {
	for c := rawjson.Walk(find(m.members, "images")); c.Next(); {
		request.Images++
	}
	request.InputModalities = []string{"image"}
	return nil
}

// adoptReferences turns OpenRouter's request with `input_references` into an edit in a
// form, the only one that all providers of edits take.
func adoptReferences(m *media, request *dialect.Request) error {
	listed := find(m.members, "input_references")
	if listed == nil {
		return nil
	}
	if rawjson.Kind(listed) != '[' {
		return dialect.Invalid("'input_references' must be an array of images.")
	}
	var files []part
	for c := rawjson.Walk(listed); c.Next(); {
		if len(files) == mostParts/2 {
			return dialect.Invalid("'input_references' must have %d items or fewer.", mostParts/2)
		}
		url := rawjson.Text(rawjson.Get(rawjson.Get(c.Value, "image_url"), "url"))
		mediaType, text, found := strings.Cut(strings.TrimPrefix(url, "data:"), ";base64,")
		if !found || !strings.HasPrefix(url, "data:image/") || strings.ContainsAny(mediaType, "\r\n\"") {
			return dialect.Invalid("'input_references.%d' must be an image_url with a data URL in base64: the gateway fetches no images.", len(files))
		}
		image, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return dialect.Invalid("'input_references.%d' is not valid base64.", len(files))
		}
		_, extension, _ := strings.Cut(mediaType, "/")
		files = append(files, filePart("image[]", "image."+extension, mediaType, image))
	}
	if len(files) == 0 {
		return nil
	}
	m.kind = &mediaKind{path: edits.path, makes: edits.makes, defined: edits.defined, pipe: edits.pipe}
	request.Images, request.InputModalities = int64(len(files)), []string{"image"}
	m.toForm(files, "input_references")
	return nil
}

// adoptSound turns OpenRouter's request in JSON, with the sound in base64, into a form.
func adoptSound(m *media, _ *dialect.Request) error {
	sound := find(m.members, "input_audio")
	if sound == nil {
		return nil
	}
	switch m.format {
	case "", "json", "verbose_json":
	default:
		return dialect.Invalid("'response_format' must be json or verbose_json in a request in JSON. Send a form for the others.")
	}
	text := rawjson.Unquote(rawjson.Get(sound, "data"))
	format := rawjson.Text(rawjson.Get(sound, "format"))
	switch {
	case len(text) == 0:
		return dialect.Invalid("'input_audio' needs 'data', the sound in base64: the gateway fetches no URL.")
	case format == "" || len(format) > 16 || strings.ContainsFunc(format, func(r rune) bool { return r < '0' || r > 'z' || r > '9' && r < 'a' }):
		return dialect.Invalid("'input_audio.format' must be the name of a format, such as wav or mp3.")
	}
	content := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(content, text)
	if err != nil {
		return dialect.Invalid("'input_audio.data' is not valid base64.")
	}
	m.toForm([]part{filePart("file", "audio."+format, "audio/"+format, content[:n])}, "input_audio")
	return nil
}

// toForm turns the members, but for one, into fields in front of files. What OpenAI has
// no field for is dropped: a form has no other place for it.
func (m *media) toForm(files []part, replaced string) {
	sum := sha256.New()
	made := &form{}
	for _, c := range m.members {
		switch {
		case c.name == replaced || !rawjson.Present(c.value) || forGateway(c.name) || c.name == "model":
		case !slices.Contains(m.kind.defined, c.name):
			m.dropped = append(m.dropped, c.name)
		case rawjson.Kind(c.value) == '[':
			for element := rawjson.Walk(c.value); element.Next(); {
				made.parts = append(made.parts, textPart(c.name+"[]", plain(element.Value)))
			}
		default:
			made.parts = append(made.parts, textPart(c.name, plain(c.value)))
		}
	}
	made.parts = append(made.parts, files...)
	for _, p := range made.parts {
		_, _ = sum.Write(p.content) // a hash cannot fail
	}
	// Nothing that is sent can contain its own hash.
	made.boundary = "switchyard-" + hex.EncodeToString(sum.Sum(nil)[:20])
	m.form = made
}

// plain is a string's content, and any other value as it stands.
func plain(value []byte) string {
	if rawjson.Kind(value) == '"' {
		return rawjson.Text(value)
	}
	return string(value)
}
