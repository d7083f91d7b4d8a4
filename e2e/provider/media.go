package provider

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
)

// media is the dialect of OpenAI's API for images and sound.
type media struct{ openAI }

// Media returns a fake of OpenAI's /images/generations, /images/edits,
// /images/variations, /audio/speech, /audio/transcriptions and /audio/translations.
func Media(config Config) *Provider { return newProvider(config, media{}) }

// The paths that a media fake serves.
const (
	pathGenerations    = "/images/generations"
	pathEdits          = "/images/edits"
	pathVariations     = "/images/variations"
	pathSpeech         = "/audio/speech"
	pathTranscriptions = "/audio/transcriptions"
	pathTranslations   = "/audio/translations"
)

// mediaRequests are the fields that each endpoint takes, and the files of its form.
var mediaRequests = map[string]struct {
	fields check
	files  []string
	form   bool
}{
	pathGenerations: {fields: object(imageFields.with(fields{
		"moderation": may(enum("low", "auto")),
		"style":      may(enum("vivid", "natural")),
	}))},
	pathEdits: {form: true, files: []string{"image", "mask"}, fields: object(imageFields.with(fields{
		"image":          need(list(1, anything)),
		"mask":           may(list(1, anything)),
		"input_fidelity": may(enum("high", "low")),
	}))},
	pathVariations: {form: true, files: []string{"image"}, fields: object(fields{
		"image": need(list(1, anything)), "model": need(text(0)), "n": may(integer(1, 10)),
		"response_format": may(enum("url", "b64_json")), "size": may(text(0)), "user": may(text(0)),
	})},
	pathSpeech: {fields: object(fields{
		"model": need(text(0)), "input": need(allOf(present, text(4096))), "voice": need(text(0)), "instructions": may(text(0)),
		"response_format": may(enum("mp3", "opus", "aac", "flac", "wav", "pcm")),
		"speed":           may(number(0.25, 4)), "stream_format": may(enum("sse", "audio")),
	})},
	pathTranscriptions: {form: true, files: []string{"file"}, fields: object(fields{
		"model": need(text(0)), "file": need(list(1, anything)), "language": may(text(0)), "prompt": may(text(0)),
		"response_format": may(enum("json", "text", "srt", "verbose_json", "vtt")),
		"temperature":     may(number(0, 1)), "stream": may(boolean), "chunking_strategy": may(text(0)),
		"include":                 may(list(1, enum("logprobs"))),
		"timestamp_granularities": may(list(1, enum("word", "segment"))),
	})},
	pathTranslations: {form: true, files: []string{"file"}, fields: object(fields{
		"model": need(text(0)), "file": need(list(1, anything)), "prompt": may(text(0)),
		"response_format": may(enum("json", "text", "srt", "verbose_json", "vtt")), "temperature": may(number(0, 1)),
	})},
}

var imageFields = fields{
	"model":              need(text(0)),
	"prompt":             need(allOf(present, text(32000))),
	"background":         may(enum("transparent", "opaque", "auto")),
	"n":                  may(integer(1, 10)),
	"output_compression": may(integer(0, 100)),
	"output_format":      may(enum("png", "webp", "jpeg")),
	"partial_images":     may(integer(0, 3)),
	"quality":            may(enum("low", "medium", "high", "auto", "standard", "hd")),
	"response_format":    may(enum("url", "b64_json")),
	"size":               may(matching(`^([0-9]+x[0-9]+|auto)$`)),
	"stream":             may(boolean),
	"user":               may(text(0)),
}

func (media) locate(target string) (address, bool) {
	_, served := mediaRequests[target]
	return address{path: target}, served
}

// decode reads a body as its endpoint wants it: JSON, or a form whose fields become
// what they would be in JSON.
func (d media) decode(at address, header http.Header, body []byte) (map[string]any, *refusal) {
	kind, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	wanted := "application/json"
	if mediaRequests[at.path].form {
		wanted = "multipart/form-data"
	}
	if err != nil || kind != wanted {
		return nil, &refusal{
			status:  http.StatusBadRequest,
			message: fmt.Sprintf("Invalid Content-Type header (%s). Expected %s.", header.Get("Content-Type"), wanted),
		}
	}
	if kind == "application/json" {
		var members map[string]any
		if json.Unmarshal(body, &members) != nil {
			return nil, &refusal{status: http.StatusBadRequest, message: "We could not parse the JSON body of your request."}
		}
		return members, nil
	}
	return d.decodeForm(at, parameters["boundary"], body)
}

func (d media) decodeForm(at address, boundary string, body []byte) (map[string]any, *refusal) {
	members := map[string]any{}
	broken := func(err error) *refusal {
		return &refusal{status: http.StatusBadRequest, message: "Could not parse multipart form: " + err.Error()}
	}
	reader := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		field, err := reader.NextRawPart()
		if err == io.EOF {
			return members, nil
		}
		if err != nil {
			return nil, broken(err)
		}
		content, err := io.ReadAll(field)
		if err != nil {
			return nil, broken(err)
		}
		name, listed := strings.CutSuffix(field.FormName(), "[]")
		isFile := field.FileName() != ""
		switch {
		case isFile != slices.Contains(mediaRequests[at.path].files, name):
			return nil, &refusal{status: http.StatusBadRequest, param: name, message: fmt.Sprintf("Invalid value for '%s': expected a file in its place and nowhere else.", name)}
		case isFile && len(content) == 0:
			return nil, &refusal{status: http.StatusBadRequest, param: name, message: "The file is empty."}
		case isFile || listed:
			list, _ := members[name].([]any)
			members[name] = append(list, formValue(string(content)))
		case members[name] != nil:
			return nil, &refusal{status: http.StatusBadRequest, param: name, message: fmt.Sprintf("Duplicate parameter: '%s'.", name), code: "duplicate_parameter"}
		default:
			members[name] = formValue(string(content))
		}
	}
}

// formValue is what a field of a form means where it is no text.
func formValue(text string) any {
	if text == "true" || text == "false" {
		return text == "true"
	}
	if number, err := strconv.ParseFloat(text, 64); err == nil && len(text) < 16 {
		return number
	}
	return text
}

func (d media) judge(at address, body map[string]any, _ http.Header) (request, *refusal) {
	if wrong := mediaRequests[at.path].fields(nil, body); wrong != nil {
		worded := d.mistake(*wrong)
		return request{}, &worded
	}
	req := request{model: body["model"].(string), path: at.path, stream: body["stream"] == true || body["stream_format"] == "sse", images: 1}
	req.format, _ = body["response_format"].(string)
	if n, given := body["n"].(float64); given {
		req.images = int(n)
	}
	if partial, given := body["partial_images"].(float64); given {
		req.partial = int(partial)
	}
	req.question, _ = body["input"].(string)
	if files, given := body["image"].([]any); given {
		req.inputs = len(files)
	}
	refuse := func(param, message string) (request, *refusal) {
		return req, &refusal{status: http.StatusBadRequest, param: param, message: message}
	}
	priced := mediaPricedByPiece(req.model)
	switch {
	case body["partial_images"] != nil && !req.stream:
		return refuse("partial_images", "partial_images requires stream.")
	case strings.HasPrefix(req.model, "gpt-image") && req.format != "":
		return refuse("response_format", "Unknown parameter: 'response_format'.")
	case strings.HasPrefix(req.model, "tts-1") && body["stream_format"] != nil:
		return refuse("stream_format", "The model does not support 'stream_format'.")
	case strings.HasSuffix(req.model, "transcribe") && req.format != "" && req.format != "json":
		return refuse("response_format", "response_format '"+req.format+"' is not compatible with model '"+req.model+"'. Use 'json' instead.")
	case body["timestamp_granularities"] != nil && req.format != "verbose_json":
		return refuse("timestamp_granularities", "timestamp_granularities requires response_format verbose_json.")
	case priced && at.path != pathSpeech:
		req.stream = false // such models ignore it
	}
	return req, nil
}

// mediaPricedByPiece tells models whose usage is not in tokens.
func mediaPricedByPiece(model string) bool {
	return slices.Contains([]string{"dall-e-2", "dall-e-3", "tts-1", "tts-1-hd", "whisper-1"}, model)
}

// Image is the picture of this number.
func Image(number int) []byte {
	return append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte{byte(number), 0, 0xff}, 50)...)
}

func imageBase64(number int) string { return base64.StdEncoding.EncodeToString(Image(number)) }

// Transcript is what is always heard; it takes 8.47 seconds, which count as nine.
const Transcript = "The quick brown fox jumped over the lazy dog."

const transcriptSeconds = 8.47

// mediaUsage is the usage of images: 50 tokens of text and 200 for each image go in, 272
// for each image come out.
func mediaUsage(req request) map[string]any {
	seen, drawn := 200*req.inputs, 272*req.images
	return map[string]any{
		"input_tokens": 50 + seen, "output_tokens": drawn, "total_tokens": 50 + seen + drawn,
		"input_tokens_details":  map[string]any{"text_tokens": 50, "image_tokens": seen},
		"output_tokens_details": map[string]any{"text_tokens": 0, "image_tokens": drawn},
	}
}

// transcriptUsage is in seconds for whisper-1, else in tokens.
func transcriptUsage(req request) map[string]any {
	if req.model == "whisper-1" {
		return map[string]any{"type": "duration", "seconds": 9}
	}
	return map[string]any{
		"type": "tokens", "input_tokens": 100, "output_tokens": 11, "total_tokens": 111,
		"input_token_details": map[string]any{"text_tokens": 4, "audio_tokens": 96},
	}
}

func (media) whole(req request, a Answer) []byte {
	switch req.path {
	case pathSpeech:
		return Speech(req.question)
	case pathTranscriptions, pathTranslations:
		return transcriptBody(req)
	}
	data := make([]any, req.images)
	for i := range data {
		if req.model == "dall-e-3" && req.format != "b64_json" {
			data[i] = map[string]any{"url": fmt.Sprintf("https://images.example/%d.png", i), "revised_prompt": "a cat"}
			continue
		}
		data[i] = map[string]any{"b64_json": imageBase64(i)}
	}
	body := map[string]any{"created": openAICreated, "data": data}
	if !mediaPricedByPiece(req.model) {
		body["usage"], body["size"], body["quality"], body["background"], body["output_format"] = mediaUsage(req), "1024x1024", "low", "opaque", "png"
	}
	return []byte(encode(body))
}

func transcriptBody(req request) []byte {
	switch req.format {
	case "text":
		return []byte(Transcript + "\n")
	case "srt":
		return []byte("1\n00:00:00,000 --> 00:00:08,470\n" + Transcript + "\n\n")
	case "vtt":
		return []byte("WEBVTT\n\n00:00:00.000 --> 00:00:08.470\n" + Transcript + "\n\n")
	}
	body := map[string]any{"text": Transcript, "usage": transcriptUsage(req)}
	if req.path == pathTranslations {
		delete(body, "usage")
	}
	if req.format == "verbose_json" {
		body["task"], body["language"], body["duration"] = "transcribe", "english", transcriptSeconds
		body["segments"] = []any{map[string]any{
			"id": 0, "seek": 0, "start": 0.0, "end": transcriptSeconds, "text": Transcript, "tokens": []int{1},
			"temperature": 0.0, "avg_logprob": -0.2, "compression_ratio": 1.2, "no_speech_prob": 0.01,
		}}
	}
	return []byte(encode(body))
}

// Speech is what a text sounds like: 480 bytes for each of its characters.
func Speech(text string) []byte {
	return bytes.Repeat([]byte("ID3\x04\x00\xff\xfb\x90"), 60*utf8.RuneCountInString(text))
}

// wholeType is the media type of an answer that is not streamed.
func (media) wholeType(req request) string {
	switch {
	case req.path == pathSpeech:
		return map[string]string{
			"": "audio/mpeg", "mp3": "audio/mpeg", "opus": "audio/opus", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav", "pcm": "audio/pcm",
		}[req.format]
	case slices.Contains([]string{"text", "srt", "vtt"}, req.format):
		return "text/plain; charset=utf-8"
	}
	return "application/json"
}

func (media) events(req request, a Answer) []event {
	switch req.path {
	case pathSpeech:
		sound := Speech(req.question)
		var events []event
		for piece := range slices.Chunk(sound, 4800) {
			events = append(events, event{piece: true, data: encode(map[string]any{"type": "speech.audio.delta", "audio": base64.StdEncoding.EncodeToString(piece)})})
		}
		return append(events, event{data: encode(map[string]any{
			"type": "speech.audio.done", "usage": map[string]any{"input_tokens": 14, "output_tokens": 101, "total_tokens": 115},
		})})
	case pathTranscriptions:
		var events []event
		for _, word := range strings.SplitAfter(Transcript, " ") {
			events = append(events, event{piece: true, data: encode(map[string]any{"type": "transcript.text.delta", "delta": word})})
		}
		return append(events, event{data: encode(map[string]any{"type": "transcript.text.done", "text": Transcript, "usage": transcriptUsage(req)})})
	}
	prefix := cmp.Or(map[string]string{pathEdits: "image_edit"}[req.path], "image_generation")
	image := func(kind string, number int) map[string]any {
		return map[string]any{
			"type": prefix + kind, "b64_json": imageBase64(number), "created_at": openAICreated,
			"size": "1024x1024", "quality": "low", "background": "opaque", "output_format": "png",
		}
	}
	var events []event
	for i := range req.partial {
		partial := image(".partial_image", i)
		partial["partial_image_index"] = i
		events = append(events, event{name: prefix + ".partial_image", piece: true, data: encode(partial)})
	}
	completed := image(".completed", req.partial)
	completed["usage"] = mediaUsage(req)
	return append(events, event{name: prefix + ".completed", piece: true, data: encode(completed)})
}
