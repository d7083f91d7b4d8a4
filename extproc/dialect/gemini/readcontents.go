package gemini

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// contents reads the turns. Those of the model in a row are one message: SDKs keep each
// chunk of a stream as a turn.
func (r *reader) contents(value []byte) error {
	var answer *thread
	i := 0
	for c := rawjson.Walk(value); c.Next(); i++ {
		if rawjson.Text(get(c.Value, "role")) == "model" {
			if answer == nil {
				answer = &thread{}
			}
			if err := r.answered(answer, i, get(c.Value, "parts")); err != nil {
				return err
			}
			continue
		}
		r.endAnswer(&answer)
		if err := r.said(i, get(c.Value, "parts")); err != nil {
			return err
		}
	}
	r.endAnswer(&answer)
	return nil
}

func (r *reader) add(role dialect.Role, parts []dialect.Part) {
	if len(parts) > 0 {
		r.chat.Messages = append(r.chat.Messages, dialect.Message{Role: role, Parts: parts})
	}
}

// said reads a turn of the user's. The results of tools become a message of their own
// before the rest of it.
func (r *reader) said(i int, parts []byte) error {
	var results, others []dialect.Part
	j := 0
	for c := rawjson.Walk(parts); c.Next(); j++ {
		if response := get(c.Value, "functionResponse"); response != nil {
			result, err := r.result(i, j, response)
			if err != nil {
				return err
			}
			results = append(results, result)
			continue
		}
		part, err := r.part(i, j, c.Value)
		if err != nil {
			return err
		}
		if part != nil {
			others = append(others, *part)
		}
	}
	r.add(dialect.RoleTool, results)
	r.add(dialect.RoleUser, others)
	return nil
}

// thread is a message of the model's that is being read.
type thread struct {
	parts    []dialect.Part
	thoughts int
	text     strings.Builder // of a thought whose proof has not come yet
	thinking bool
}

func (r *reader) endAnswer(answer **thread) {
	if t := *answer; t != nil {
		t.think(dialect.ReasoningDetail{Type: dialect.ReasoningText, Format: dialect.FormatUnknown})
		r.add(dialect.RoleAssistant, t.parts)
	}
	*answer = nil
}

// think ends a thought that is open with what proves it.
func (t *thread) think(proved dialect.ReasoningDetail) {
	if !t.thinking && proved.Signature == "" && proved.Data == "" && proved.ID == "" {
		return
	}
	if proved.Type == dialect.ReasoningEncrypted {
		t.think(dialect.ReasoningDetail{Type: dialect.ReasoningText, Format: dialect.FormatUnknown}) // what is open has no proof
	} else {
		proved.Text = t.text.String()
		t.text.Reset()
		t.thinking = false
	}
	proved.Index = t.thoughts
	t.thoughts++
	t.parts = append(t.parts, dialect.Part{Kind: dialect.PartReasoning, Reasoning: &proved})
}

// answered reads parts of the model's. A thought's proof is on its last part, or on the
// part that it led to.
func (r *reader) answered(t *thread, i int, parts []byte) error {
	j := 0
	for c := rawjson.Walk(parts); c.Next(); j++ {
		signature := rawjson.Text(get(c.Value, "thoughtSignature"))
		foreign := unseal(signature)
		if rawjson.True(get(c.Value, "thought")) {
			t.text.WriteString(rawjson.Text(get(c.Value, "text")))
			t.thinking = t.text.Len() > 0
			switch {
			case foreign != nil:
				t.think(*foreign)
			case signature != "" && !isSealed([]byte(signature)):
				t.think(dialect.ReasoningDetail{Type: dialect.ReasoningText, Signature: standardBase64(signature), Format: dialect.FormatGemini})
			}
			continue
		}
		t.think(dialect.ReasoningDetail{Type: dialect.ReasoningText, Format: dialect.FormatUnknown})
		call := get(c.Value, "functionCall")
		id := ""
		if call != nil {
			id = r.call(call)
		}
		switch {
		case foreign != nil:
			t.think(*foreign)
		case signature != "" && !isSealed([]byte(signature)):
			t.think(dialect.ReasoningDetail{Type: dialect.ReasoningEncrypted, Data: standardBase64(signature), ID: id, Format: dialect.FormatGemini})
		}
		if call != nil {
			t.parts = append(t.parts, readCall(id, call))
			continue
		}
		part, err := r.part(i, j, c.Value)
		if err != nil {
			return err
		}
		if part != nil {
			t.parts = append(t.parts, *part)
		}
	}
	return nil
}

// call notes a call and returns its id. Clients need not give one, and then results
// belong to calls by their order.
func (r *reader) call(object []byte) string {
	r.called++
	made := openCall{id: rawjson.Text(get(object, "id")), name: rawjson.Text(get(object, "name"))}
	if made.id == "" {
		made.id = fmt.Sprintf("call_%d", r.called)
	}
	r.calls = append(r.calls, made)
	return made.id
}

func readCall(id string, object []byte) dialect.Part {
	call := &dialect.ToolCall{ID: id, Name: rawjson.Text(get(object, "name")), Arguments: "{}"}
	if args := get(object, "args"); rawjson.Kind(args) == '{' {
		call.Arguments = string(args)
	}
	return dialect.Part{Kind: dialect.PartToolCall, Call: call}
}

// result reads what a tool gave, and finds the call that it answers: by the id, or else
// the first one of that name that is open.
func (r *reader) result(i, j int, object []byte) (dialect.Part, error) {
	id, name := rawjson.Text(get(object, "id")), rawjson.Text(get(object, "name"))
	at := slices.IndexFunc(r.calls, func(c openCall) bool { return c.id == id })
	if at < 0 {
		at = slices.IndexFunc(r.calls, func(c openCall) bool { return c.name == name })
	}
	switch {
	case at >= 0:
		id = r.calls[at].id
		r.calls = slices.Delete(r.calls, at, at+1)
	case id == "":
		return dialect.Part{}, dialect.Invalid("'contents.%d.parts.%d.functionResponse': no turn before it calls %q.", i, j, name)
	}
	result := &dialect.ToolResult{CallID: id}
	words, failed := readResponse(get(object, "response"))
	result.Failed = failed
	result.Parts = []dialect.Part{{Kind: dialect.PartText, Text: words}}
	for c := rawjson.Walk(get(object, "parts")); c.Next(); {
		part, err := r.part(i, j, c.Value)
		if err != nil {
			return dialect.Part{}, err
		}
		if part != nil {
			result.Parts = append(result.Parts, *part)
		}
	}
	return dialect.Part{Kind: dialect.PartToolResult, Result: result}, nil
}

// readResponse is the text of a tool's result. The API demands an object; what stands
// alone under a name that the API or its SDKs document is meant itself.
func readResponse(object []byte) (words string, failed bool) {
	c := rawjson.Walk(object)
	if !c.Next() {
		return "", false
	}
	name, value := string(c.Name), c.Value
	if c.Next() || name != "output" && name != "result" && name != "error" {
		return string(object), false
	}
	if rawjson.Kind(value) == '"' {
		return rawjson.Text(value), name == "error"
	}
	return string(value), name == "error"
}

// part reads a part that holds text or data; nil is for one that says nothing. One that
// nobody here knows is not left out, as what the turn is without it cannot be told.
func (r *reader) part(i, j int, object []byte) (*dialect.Part, error) {
	var unknown string
	for c := rawjson.Walk(object); c.Next(); {
		if !rawjson.Present(c.Value) {
			continue
		}
		switch camel(c.Name) {
		case "text":
			if words := rawjson.Text(c.Value); words != "" {
				return &dialect.Part{Kind: dialect.PartText, Text: words}, nil
			}
		case "inlineData":
			return inline(i, j, c.Value)
		case "fileData":
			return linked(i, j, c.Value)
		case "executableCode":
			return &dialect.Part{Kind: dialect.PartText, Text: "```" + strings.ToLower(rawjson.Text(get(c.Value, "language"))) + "\n" +
				rawjson.Text(get(c.Value, "code")) + "\n```"}, nil
		case "codeExecutionResult":
			return &dialect.Part{Kind: dialect.PartText, Text: "```\n" + rawjson.Text(get(c.Value, "output")) + "\n```"}, nil
		case "thought", "thoughtSignature", "partMetadata":
		case "videoMetadata", "mediaResolution":
			r.chat.Unsaid = append(r.chat.Unsaid, "contents.parts."+camel(c.Name))
		default:
			unknown = string(c.Name)
		}
	}
	if unknown != "" {
		r.chat.CannotSay("'contents.%d.parts.%d.%.64s': this model's provider has no such part. Leave it out, or choose a model whose provider speaks the Gemini API.", i, j, unknown)
	}
	return nil, nil
}

// inline reads data that is in the request. Plain text is text to any model.
func inline(i, j int, object []byte) (*dialect.Part, error) {
	kind, data := rawjson.Text(get(object, "mimeType")), standardBase64(rawjson.Text(get(object, "data")))
	name := rawjson.Text(get(object, "displayName"))
	if strings.HasPrefix(kind, "text/") {
		text, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			return nil, dialect.Invalid("'contents.%d.parts.%d.inlineData.data' is not valid base64.", i, j)
		}
		return &dialect.Part{Kind: dialect.PartText, Text: strings.TrimSpace(name + "\n" + strings.ToValidUTF8(string(text), "\uFFFD"))}, nil
	}
	part := &dialect.Part{Kind: mediaKind(kind), Media: &dialect.Media{Data: data, Type: kind}}
	switch part.Kind {
	case dialect.PartAudio:
		part.Media.Type = audioFormat(kind)
	case dialect.PartFile:
		part.Media.Name = name
		if name == "" {
			part.Media.Name = "document.pdf" // Chat Completions demands a name
		}
	}
	return part, nil
}

// linked reads data that is elsewhere. What was uploaded to the Gemini API nobody else
// can read.
func linked(i, j int, object []byte) (*dialect.Part, error) {
	uri := rawjson.Text(get(object, "fileUri"))
	if strings.HasPrefix(uri, "gs://") || strings.HasPrefix(uri, "https://generativelanguage.googleapis.com/") {
		return nil, dialect.Invalid("'contents.%d.parts.%d.fileData' is kept by Google, and this model's provider is another; send the data itself as inlineData.", i, j)
	}
	part := &dialect.Part{Kind: mediaKind(fileKind(object)), Media: &dialect.Media{URL: uri}}
	switch part.Kind {
	case dialect.PartAudio:
		return nil, dialect.Invalid("'contents.%d.parts.%d.fileData': this model's provider takes no links to audio; send the data itself as inlineData.", i, j)
	case dialect.PartFile:
		part.Media.Name = uri[strings.LastIndexByte(uri, '/')+1:]
	}
	return part, nil
}

// fileKind is the media type of what a fileData points to, which need not be given for
// films of YouTube's.
func fileKind(object []byte) string {
	if kind := rawjson.Text(get(object, "mimeType")); kind != "" {
		return kind
	}
	return "video/*"
}

// mediaKind is the kind of part that holds data of a media type.
func mediaKind(kind string) dialect.PartKind {
	family, _, _ := strings.Cut(kind, "/")
	switch family {
	case "text":
		return dialect.PartText
	case "image":
		return dialect.PartImage
	case "audio":
		return dialect.PartAudio
	case "video":
		return dialect.PartVideo
	}
	return dialect.PartFile
}

// audioFormat is the name that Chat Completions has for a media type of sound.
func audioFormat(kind string) string {
	switch _, name, _ := strings.Cut(kind, "/"); name {
	case "mpeg", "mp3":
		return "mp3"
	case "x-wav", "wave":
		return "wav"
	default:
		return name
	}
}
