package openai

import (
	"bytes"
	"errors"
	"math"
	"mime"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// mediaPipe is what the answers of images and sound share: members pass as they are,
// but for usage, which gets its cost.
type mediaPipe struct {
	taskPipe
	work *media
}

// copyMembers appends the members of an answer, or of an event, but for usage; the
// object stays open.
func copyMembers(dst, object []byte) []byte {
	dst = append(dst, '{')
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "usage", "openrouter_metadata":
		default:
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return dst
}

// appendUsage appends usage as the provider tells it, with the cost, and with what is
// not told but known.
func (p *mediaPipe) appendUsage(dst, told []byte, known func(*writer, dialect.Usage)) []byte {
	usage := p.Progress().Usage
	cost := p.cost(usage)
	w := writer{dst: dst}
	w.object("usage", func() {
		w.told(told)
		known(&w, usage)
		w.raw("cost", []byte(cost.Total))
		w.raw("is_byok", cost.IsBYOK())
	})
	return w.dst
}

// told appends the members of a provider's usage, but for those that the gateway writes.
func (w *writer) told(usage []byte) {
	for c := rawjson.Walk(usage); c.Next(); {
		switch string(c.Name) {
		case "cost", "cost_details", "is_byok", "prompt_tokens", "completion_tokens":
		default:
			w.dst = rawjson.AppendRaw(w.dst, c.Member)
		}
	}
}

// event reads an event; it is nil where there is nothing to pass on.
func (p *mediaPipe) event(event sse.Event) ([]byte, string, error) {
	data := bytes.TrimSpace(event.Data)
	switch {
	case p.progress.Done || len(data) == 0:
		return nil, "", nil
	case string(data) == "[DONE]":
		p.progress.Done = true
		return nil, "", nil
	}
	chunk, err := readChunk(event.Name, data)
	if err != nil {
		return nil, "", err
	}
	kind := rawjson.Text(rawjson.Get(chunk, "type"))
	if failed := rawjson.Get(chunk, "error"); isError(failed) {
		return nil, "", dialect.ReadStreamFailure(failed)
	}
	return chunk, kind, nil
}

// appendEvent appends an event; object lacks its closing brace.
func appendEvent(dst []byte, kind string, object []byte) []byte {
	object = append(object, '}')
	rawjson.OneLine(object)
	if kind == "" || strings.ContainsAny(kind, "\r\n") {
		return sse.AppendData(dst, object)
	}
	return sse.AppendEvent(dst, kind, object)
}

func (p *mediaPipe) Finish(dst []byte) []byte {
	p.progress.Done = true
	return append(dst, done...)
}

// Fail ends a stream. OpenAI's SDKs look for the member, OpenRouter's at the type.
func (p *mediaPipe) Fail(dst []byte, failure *dialect.Error) []byte {
	p.progress.Done = true
	if !p.request.Stream {
		return append(dst, Client{}.Error(failure)...)
	}
	object := appendError(rawjson.AppendText([]byte{'{'}, "type", "error"), failure)
	return append(appendEvent(dst, "error", object), done...)
}

func (p *mediaPipe) Comment(dst []byte, text string) []byte {
	if !p.request.Stream {
		return dst
	}
	return sse.AppendComment(dst, text)
}

func (p *mediaPipe) end() {
	p.progress.Started = true
	p.progress.FinishReason, p.progress.NativeFinishReason = "stop", "stop"
}

// imagesPipe carries images.
type imagesPipe struct{ mediaPipe }

func newImagesPipe(m *media, shared taskPipe) dialect.Pipe {
	return &imagesPipe{mediaPipe{shared, m}}
}

var errNoImage = errors.New("the provider's answer has an image that is neither base64 nor a URL")

// Whole passes images on if all of them are there (spec section 1.1.8: it is all or
// nothing).
func (p *imagesPipe) Whole(dst, body []byte) ([]byte, error) {
	answer, err := p.read(body)
	if err != nil {
		return dst, err
	}
	images := int64(0)
	for c := rawjson.Walk(rawjson.Get(answer, "data")); c.Next(); images++ {
		if !isImage(c.Value) {
			return dst, errNoImage
		}
	}
	if images == 0 {
		return dst, errors.New("the provider's answer has no images")
	}
	told := rawjson.Get(answer, "usage")
	p.count(told, images)
	p.end()
	p.progress.Done = true
	if p.request.Stream {
		return p.streamed(dst, answer), nil
	}
	return p.finish(p.appendUsage(copyMembers(dst, answer), told, p.tokens(told))), nil
}

// streamed tells of whole images in events.
func (p *imagesPipe) streamed(dst, answer []byte) []byte {
	left, told := p.progress.Usage.GeneratedImages, rawjson.Get(answer, "usage")
	for c := rawjson.Walk(rawjson.Get(answer, "data")); c.Next(); {
		left--
		object := rawjson.AppendText([]byte{'{'}, "type", p.completed())
		for image := rawjson.Walk(c.Value); image.Next(); {
			object = rawjson.AppendRaw(object, image.Member)
		}
		w := writer{dst: p.created(object, c.Value)}
		w.whole("created_at", &p.meta.Created)
		object = w.dst
		if left == 0 {
			object = p.appendUsage(object, told, p.tokens(told))
		}
		dst = appendEvent(dst, p.completed(), object)
	}
	return p.Finish(dst)
}

func (p *imagesPipe) completed() string {
	if p.work.kind.path == edits.path {
		return "image_edit.completed"
	}
	return "image_generation.completed"
}

// created appends the time under OpenRouter's name, unless the event has it.
func (p *imagesPipe) created(dst, event []byte) []byte {
	if rawjson.Get(event, "created") != nil {
		return dst
	}
	w := writer{dst: dst}
	w.whole("created", &p.meta.Created)
	return w.dst
}

func (p *imagesPipe) Event(dst []byte, event sse.Event) ([]byte, error) {
	chunk, kind, err := p.event(event)
	if chunk == nil {
		return dst, err
	}
	last := strings.HasSuffix(kind, ".completed")
	if last || strings.HasSuffix(kind, ".partial_image") {
		if !isImage(chunk) {
			return dst, errNoImage
		}
		p.progress.Started = true
		p.progress.Steps++
	}
	object := copyMembers(nil, chunk)
	if last {
		p.count(rawjson.Get(chunk, "usage"), 1)
		p.end()
		p.progress.Done = p.progress.Usage.GeneratedImages >= p.work.images
		object = p.usage(p.created(object, chunk), rawjson.Get(chunk, "usage"))
	}
	return appendEvent(dst, kind, object), nil
}

// usage appends what an image took. Of several each has its own counts, and the last the
// sum of all with its cost.
func (p *imagesPipe) usage(dst, told []byte) []byte {
	switch {
	case p.progress.Done && p.work.images > 1:
		told = p.sum()
	case !p.progress.Done && rawjson.Kind(told) != '{':
		return dst
	case !p.progress.Done:
		own, _ := readUsage(told)
		w := writer{dst: dst}
		w.object("usage", func() {
			w.told(told)
			p.tokens(told)(&w, own)
		})
		return w.dst
	}
	return p.appendUsage(dst, told, p.tokens(told))
}

// sum is the usage of all images so far in OpenAI's words; nil where none was told.
func (p *imagesPipe) sum() []byte {
	usage := p.progress.Usage
	if usage.Prompt+usage.Completion == 0 {
		return nil
	}
	text, total := usage.Prompt-usage.ImagePrompt, usage.Prompt+usage.Completion
	w := writer{dst: []byte{'{'}}
	w.whole("input_tokens", &usage.Prompt)
	w.object("input_tokens_details", func() {
		w.whole("image_tokens", &usage.ImagePrompt)
		w.whole("text_tokens", &text)
	})
	w.whole("output_tokens", &usage.Completion)
	w.whole("total_tokens", &total)
	return append(w.dst, '}')
}

// count reads usage and adds it up: each event of a finished image has its own. Models
// that are priced by the image report none.
func (p *imagesPipe) count(told []byte, images int64) {
	usage, _ := readUsage(told)
	if usage.Images == 0 && rawjson.Get(told, "output_tokens_details") == nil {
		usage.Images = usage.Completion // an image is all that is answered
	}
	sum := &p.progress.Usage
	sum.Prompt += usage.Prompt
	sum.Completion += usage.Completion
	sum.CacheRead += usage.CacheRead
	sum.ImagePrompt += usage.ImagePrompt
	sum.Images += usage.Images
	sum.GeneratedImages += images
	p.progress.HasUsage = true
}

// tokens are under Chat Completions' names, which OpenRouter's SDKs demand, beside
// OpenAI's own.
func (p *imagesPipe) tokens(told []byte) func(*writer, dialect.Usage) {
	return func(w *writer, usage dialect.Usage) {
		total := usage.Prompt + usage.Completion
		w.whole("prompt_tokens", &usage.Prompt)
		w.whole("completion_tokens", &usage.Completion)
		if rawjson.Get(told, "total_tokens") == nil {
			w.whole("total_tokens", &total)
		}
	}
}

// isImage reports whether an object has an image in it. Base64 that is none would be
// found out by the client, who then has paid for it.
func isImage(object []byte) bool {
	if text := rawjson.Get(object, "b64_json"); rawjson.Kind(text) == '"' {
		return isBase64(rawjson.Unquote(text))
	}
	url := rawjson.Get(object, "url")
	return rawjson.Kind(url) == '"' && len(url) > 2
}

func isBase64(text []byte) bool {
	digits := bytes.TrimRight(text, "=")
	if len(digits) == 0 || len(text)-len(digits) > 2 || len(text)%4 != 0 {
		return false
	}
	for _, c := range digits {
		if !base64Digits[c] {
			return false
		}
	}
	return true
}

var base64Digits = func() (digits [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		digits[c] = true
	}
	return digits
}()

// speechPipe carries sound, which passes as it comes, or events with pieces of it.
type speechPipe struct{ mediaPipe }

var _ dialect.Opaque = (*speechPipe)(nil)

func newSpeechPipe(m *media, shared taskPipe) dialect.Pipe { return &speechPipe{mediaPipe{shared, m}} }

// Open takes sound for what it is, whatever was asked for, and nothing else.
func (p *speechPipe) Open(mediaType string) (string, bool) {
	kind, parameters, err := mime.ParseMediaType(mediaType)
	if err != nil || !strings.HasPrefix(kind, "audio/") && kind != "application/octet-stream" {
		return "application/json", false
	}
	return mime.FormatMediaType(kind, parameters), true
}

// Bytes passes sound on.
func (p *speechPipe) Bytes(dst, piece []byte, last bool) ([]byte, error) {
	if len(piece) > 0 && !p.progress.HasUsage {
		p.progress.Started = true
		p.count(nil)
	}
	if last && p.progress.Started {
		p.end()
		p.progress.Done = true
	}
	return append(dst, piece...), nil
}

// count reads usage. Without it, speech is taken to be fifteen characters and, with
// models whose price is by the token, twenty-one tokens a second.
func (p *speechPipe) count(told []byte) {
	usage, counted := readUsage(told)
	if !counted {
		usage = dialect.Usage{
			Prompt: dialect.Tokens(p.request.PromptBytes), Completion: (p.work.characters*tokensPerSpokenSecond + charactersPerSecond - 1) / charactersPerSecond,
			Estimated: true,
		}
	}
	usage.AudioCompletion = usage.Completion
	usage.Characters = p.work.characters
	p.progress.Usage, p.progress.HasUsage = usage, true
}

// How fast speech is, in characters (as people read aloud in English) and in OpenAI's
// audio tokens.
const (
	charactersPerSecond   = 15
	tokensPerSpokenSecond = 21
)

// Whole is of an answer that is no sound.
func (p *speechPipe) Whole(dst, body []byte) ([]byte, error) {
	if _, err := p.read(body); err != nil {
		return dst, err
	}
	return dst, errors.New("the provider's answer is not the sound that was asked for")
}

func (p *speechPipe) Event(dst []byte, event sse.Event) ([]byte, error) {
	chunk, kind, err := p.event(event)
	if chunk == nil {
		return dst, err
	}
	object := copyMembers(nil, chunk)
	switch kind {
	case "speech.audio.delta":
		if !isBase64(rawjson.Unquote(rawjson.Get(chunk, "audio"))) {
			return dst, errors.New("the provider's stream has sound that is not base64")
		}
		p.progress.Steps++
		if !p.progress.HasUsage {
			p.progress.Started = true
			p.count(nil)
		}
	case "speech.audio.done":
		if !p.progress.Started {
			return dst, errors.New("the provider's stream has no sound")
		}
		p.count(rawjson.Get(chunk, "usage"))
		p.end()
		p.progress.Done = true
		object = p.appendUsage(object, rawjson.Get(chunk, "usage"), func(*writer, dialect.Usage) {})
	}
	return appendEvent(dst, kind, object), nil
}

// transcriptPipe carries what was said, in JSON, as text, or in events.
type transcriptPipe struct{ mediaPipe }

var _ dialect.Opaque = (*transcriptPipe)(nil)

func newTranscriptPipe(m *media, shared taskPipe) dialect.Pipe {
	return &transcriptPipe{mediaPipe{shared, m}}
}

// text reports whether the client asked for an answer that is no JSON.
func (p *transcriptPipe) text() bool {
	switch p.work.format {
	case "text", "srt", "vtt":
		return true
	}
	return false
}

// Open goes by what was asked for: OpenAI calls subtitles plain text.
func (p *transcriptPipe) Open(string) (string, bool) {
	if p.text() {
		return "text/plain; charset=utf-8", false
	}
	return "application/json", false
}

// Bytes is never called: a transcript comes as a whole.
func (p *transcriptPipe) Bytes(dst, _ []byte, _ bool) ([]byte, error) { return dst, errStream }

func (p *transcriptPipe) Whole(dst, body []byte) ([]byte, error) {
	if p.text() && !p.request.Stream {
		return p.plainText(dst, body)
	}
	answer, err := p.read(body)
	if err != nil {
		return dst, err
	}
	said := rawjson.Get(answer, "text")
	if rawjson.Kind(said) != '"' {
		return dst, errors.New("the provider's answer has no text")
	}
	p.count(answer, rawjson.Unquote(said))
	p.progress.Done = true
	told := rawjson.Get(answer, "usage")
	if !p.request.Stream {
		return p.finish(p.appendUsage(copyMembers(dst, answer), told, p.duration(told))), nil
	}
	// whisper-1 knows no streams, and answers as a whole.
	object := rawjson.AppendText([]byte{'{'}, "type", "transcript.text.done")
	object = rawjson.AppendMember(object, "text", said)
	return p.Finish(appendEvent(dst, "transcript.text.done", p.appendUsage(object, told, p.duration(told)))), nil
}

func (p *transcriptPipe) plainText(dst, body []byte) ([]byte, error) {
	text := bytes.TrimSpace(body)
	if rawjson.Kind(text) == '{' && rawjson.Validate(text) == nil {
		if _, err := p.read(text); err != nil {
			return dst, err
		}
	}
	if !utf8.Valid(text) {
		return dst, errors.New("the provider's answer is no text")
	}
	p.count(nil, text)
	p.progress.Done = true
	return append(dst, body...), nil
}

// count reads usage: tokens, or seconds of sound. A verbose transcript tells the
// duration besides; of plain text it is estimated.
func (p *transcriptPipe) count(answer, said []byte) {
	told := rawjson.Get(answer, "usage")
	usage, counted := readUsage(told)
	if seconds, ok := rawjson.Float(rawjson.Get(told, "seconds")); ok {
		usage.Seconds, counted = wholeSeconds(seconds), true
	} else if seconds, ok := rawjson.Float(rawjson.Get(answer, "duration")); ok && !counted {
		usage.Seconds, counted = wholeSeconds(seconds), true
	}
	if !counted {
		characters := int64(utf8.RuneCount(said))
		usage = dialect.Usage{
			Prompt: dialect.Tokens(p.request.PromptBytes), Completion: p.request.TokensOf(string(said)),
			Seconds: max(1, (characters+charactersPerSecond-1)/charactersPerSecond), Estimated: true,
		}
		if end, timed := lastCue(said); timed && (p.work.format == "srt" || p.work.format == "vtt") {
			usage.Seconds = wholeSeconds(end)
		}
	}
	p.progress.Usage, p.progress.HasUsage = usage, true
	p.end()
}

// lastCue is when the last of subtitles goes, in seconds: how much sound they are of, but
// for silence behind it.
func lastCue(subtitles []byte) (end float64, timed bool) {
	at := bytes.LastIndex(subtitles, []byte(" --> "))
	if at < 0 {
		return 0, false
	}
	time, _, _ := bytes.Cut(subtitles[at+len(" --> "):], []byte("\n"))
	time, _, _ = bytes.Cut(bytes.TrimSpace(time), []byte(" ")) // settings follow it
	for unit := range strings.SplitSeq(strings.Replace(string(time), ",", ".", 1), ":") {
		n, err := strconv.ParseFloat(unit, 64)
		if err != nil || !(n >= 0 && n < 1e6) { // no number either
			return 0, false
		}
		end = end*60 + n
	}
	return end, true
}

func wholeSeconds(seconds float64) int64 {
	const year = 365 * 24 * 3600
	return int64(math.Ceil(min(max(seconds, 0), year)))
}

// duration adds what was counted to usage that the provider did not tell.
func (p *transcriptPipe) duration(told []byte) func(*writer, dialect.Usage) {
	return func(w *writer, usage dialect.Usage) {
		if rawjson.Get(told, "type") == nil {
			w.text("type", "duration")
		}
		if rawjson.Get(told, "seconds") == nil && usage.Seconds > 0 {
			w.raw("seconds", strconv.AppendInt(nil, usage.Seconds, 10))
		}
	}
}

func (p *transcriptPipe) Event(dst []byte, event sse.Event) ([]byte, error) {
	chunk, kind, err := p.event(event)
	if chunk == nil {
		return dst, err
	}
	object := copyMembers(nil, chunk)
	switch kind {
	case "transcript.text.delta":
		text := rawjson.Unquote(rawjson.Get(chunk, "delta"))
		p.progress.Started = p.progress.Started || len(text) > 0
		p.progress.Say(0, text)
		p.progress.Steps += min(int64(len(text)), 1)
	case "transcript.text.segment":
		p.progress.Started = true
		p.progress.Steps++
	case "transcript.text.done":
		p.count(chunk, rawjson.Unquote(rawjson.Get(chunk, "text")))
		p.progress.Done = true
		told := rawjson.Get(chunk, "usage")
		object = p.appendUsage(object, told, p.duration(told))
	}
	return appendEvent(dst, kind, object), nil
}
