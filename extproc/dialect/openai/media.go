package openai

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Media is the dialect as clients speak it at one of the API's endpoints for images and
// sound: OpenAI's own, whose bodies pass with few changes, and those of OpenRouter that
// differ (spec section 1.1.8), which become OpenAI's.
type Media struct {
	Client
	kind *mediaKind
}

// mediaForm is Media for a request in a form. A preset cannot be merged into one.
type mediaForm struct {
	dialect.Client
	kind     *mediaKind
	boundary string
}

var (
	_ dialect.Client     = Media{}
	_ dialect.Presetter  = Media{}
	_ dialect.HeadReader = Media{}
	_ dialect.Client     = mediaForm{}

	_ dialect.PromptEditor = mediaForm{}
)

// mediaKind is what one endpoint is for.
type mediaKind struct {
	// path is the endpoint at the provider, and makes the modality of its answers.
	path, makes string
	// file is the field that a form has its file in; "" if the endpoint takes no form.
	file string
	// needs is the field that a JSON body must have.
	needs string
	// defined are the fields of OpenAI's own API.
	defined []string
	// adopt turns OpenRouter's own form of a request into OpenAI's; it may be nil.
	adopt func(*media, *dialect.Request) error
	// pipe carries one answer.
	pipe func(*media, taskPipe) dialect.Pipe
}

// media is one request.
type media struct {
	kind *mediaKind
	// members are those of a JSON body, parts those of a form.
	members []member
	form    *form
	// dropped are fields that OpenAI's form of the request has no place for.
	dropped []string
	// format is the response_format, "" if not given, and added the one that the
	// provider is asked for where the client gives none.
	format, added string
	images        int64 // that are wanted
	characters    int64 // that are to be spoken
}

// ReadHead finds out whether the body is a form.
func (c Media) ReadHead(head dialect.Head) (dialect.Client, error) {
	boundary, err := boundaryOf(head.Header("content-type"))
	switch {
	case err != nil:
		return nil, err
	case boundary == "":
		return c, nil
	case c.kind.file == "":
		return nil, dialect.Invalid("This endpoint takes application/json.")
	}
	return mediaForm{Client: Client{}, kind: c.kind, boundary: boundary}, nil
}

// Parse reads a request in JSON.
func (c Media) Parse(body []byte) (*dialect.Request, error) {
	work := &media{kind: c.kind, images: 1}
	needed := false
	request, members, err := newTask(body, c.kind.makes, func(name string, value []byte) error {
		needed = needed || name == c.kind.needs
		if name == "input" && c.kind.makes == "speech" || readsField(name) && name != "prompt" {
			return work.field(name, plain(value))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	work.members, request.Parsed = members, work
	if c.kind.adopt != nil {
		if err := c.kind.adopt(work, request); err != nil {
			return nil, err
		}
	}
	if !needed && work.form == nil {
		return nil, dialect.Invalid("Input required: specify %q.", c.kind.needs)
	}
	work.note(request, find(members, "prompt"), find(members, "input"), find(members, "instructions"))
	if err := dialect.ReadBoolean(&request.Stream, "stream", streamOf(members)); err != nil {
		return nil, err
	}
	if c.kind.makes == "speech" {
		// Events are asked for by name; servers that know 'stream' mean the bytes.
		request.Stream = rawjson.Text(find(members, "stream_format")) == "sse"
	}
	return request, nil
}

func streamOf(members []member) []byte {
	if value := find(members, "stream"); value != nil {
		return value
	}
	return []byte("false")
}

// WithPreset takes from a preset who shall answer: the rest is for conversations.
func (Media) WithPreset(body []byte, preset dialect.Preset) ([]byte, error) {
	return Client{}.WithPreset(body, dialect.Preset{Config: routingOf(preset.Config)})
}

// field reads what the gateway itself goes by.
func (m *media) field(name, text string) error {
	switch name {
	case "response_format":
		m.format = text
	case "n":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 || n > mostImages {
			return dialect.Invalid("'n' must be a whole number between 1 and %d.", mostImages)
		}
		m.images = n
	case "input":
		m.characters = int64(utf8.RuneCountInString(text))
	}
	return nil
}

// mostImages bounds how many images a request may ask for. OpenAI's own bound is ten.
const mostImages = 128

// note counts the text of the prompt and tells the request from others by it.
func (m *media) note(request *dialect.Request, texts ...[]byte) {
	for _, text := range texts {
		request.PromptBytes += rawjson.Size(text)
		if request.Conversation == [16]byte{} && len(text) > 0 {
			request.Conversation = hashOf(text)
		}
	}
}

// Name returns "openai".
func (mediaForm) Name() string { return Name }

// EditPrompt hands the fields of the form that are texts to edit.
func (c mediaForm) EditPrompt(body []byte, edit dialect.PromptEdit) ([]byte, error) {
	form, err := readForm(body, c.boundary)
	if err != nil {
		return nil, err
	}
	changed := false
	for i := range form.parts {
		p := &form.parts[i]
		if top, _, _ := strings.Cut(p.name, "["); p.file || dialect.IsSetting(top) {
			continue
		}
		edited := edit(dialect.RoleUser, p.content)
		changed = changed || !bytes.Equal(edited, p.content)
		p.content = edited
	}
	if !changed {
		return body, nil
	}
	return form.write(), nil
}

// Parse reads a request in a form.
func (c mediaForm) Parse(body []byte) (*dialect.Request, error) {
	cut, err := readForm(body, c.boundary)
	if err != nil {
		return nil, err
	}
	work := &media{kind: c.kind, images: 1, form: cut}
	said := settings{}
	stream, files := false, int64(0)
	var prompt []byte
	for _, p := range cut.parts {
		top, _, _ := strings.Cut(p.name, "[")
		switch {
		case top == c.kind.file:
			files++
		case p.file && (readsField(top) || forGateway(top)):
			return nil, dialect.Invalid("'%s' must be a field, not a file.", p.name)
		case top == "prompt":
			prompt = p.content
		case top == "stream":
			switch string(p.content) {
			case "true", "false":
				stream = string(p.content) == "true"
			default:
				return nil, dialect.Invalid("'stream' must be true or false.")
			}
		case top == "model" || top == "user" || forGateway(top):
			if err := said.take(p.name, string(p.content)); err != nil {
				return nil, err
			}
		case readsField(top):
			if err := work.field(p.name, string(p.content[:min(len(p.content), longestSetting)])); err != nil {
				return nil, err
			}
		}
	}
	if said["model"] == nil && said["models"] == nil {
		return nil, dialect.Invalid("The multipart body has no field 'model'.")
	}
	if files == 0 {
		return nil, dialect.Invalid("The multipart body has no file '%s'.", c.kind.file)
	}
	object, err := said.object()
	if err != nil {
		return nil, err
	}
	if slug, _ := dialect.PresetOf(object); slug != "" {
		return nil, dialect.Invalid("A preset cannot be used in a multipart body. Name the model and the provider preferences themselves.")
	}
	request, _, err := newTask(object, c.kind.makes, func(string, []byte) error { return nil })
	if err != nil {
		return nil, err
	}
	request.Raw, request.Parsed, request.Stream = body, work, stream
	request.PromptBytes = int64(len(prompt))
	request.Conversation = hashOf(body)
	if c.kind.makes == "image" {
		request.Images, request.InputModalities = files, []string{"image"}
	}
	return request, nil
}

// readsField tells which fields of a form the gateway itself goes by.
func readsField(name string) bool {
	switch name {
	case "model", "user", "stream", "prompt", "response_format", "n":
		return true
	}
	return false
}

func (m *media) upstream(target dialect.Target, request *dialect.Request) dialect.Upstream {
	accept := "application/json"
	switch {
	case request.Stream:
		accept = "text/event-stream"
	case m.kind.makes != "image":
		accept = "*/*"
	}
	up := dialect.Upstream{Path: m.kind.path, Dropped: m.dropped}
	contentType := "application/json"
	if m.form != nil {
		edited, dropped := m.editForm(target)
		contentType, up.Body = edited.contentType(), edited.write()
		up.Dropped = append(slices.Clip(up.Dropped), dropped...)
	} else {
		var dropped []string
		up.Body, dropped = rewriteTask(m.members, target, m.kind.defined, func(dst []byte, _ member) ([]byte, bool) { return dst, false })
		up.Dropped = append(slices.Clip(up.Dropped), dropped...)
		if m.added != "" {
			up.Body = append(rawjson.AppendText(up.Body[:len(up.Body)-1], "response_format", m.added), '}')
		}
	}
	up.Headers = []dialect.Header{{Name: "content-type", Value: contentType}, {Name: "accept", Value: accept}}
	return up
}

// editForm is the form that target gets: the client's parts as they are, but for the
// model's name and the user's, without what is for the gateway.
func (m *media) editForm(target dialect.Target) (edited form, dropped []string) {
	edited = form{boundary: m.form.boundary, parts: make([]part, 0, len(m.form.parts)+1)}
	edited.parts = append(edited.parts, textPart("model", target.Model))
	for _, p := range m.form.parts {
		name, _, _ := strings.Cut(p.name, "[")
		switch {
		case name == "model" || forGateway(name):
		case slices.Contains(target.Refused, name), target.Strict && !slices.Contains(m.kind.defined, name):
			dropped = append(dropped, p.name)
		case name == "user":
			edited.parts = append(edited.parts, textPart(name, dialect.EndUser(string(p.content))))
		default:
			edited.parts = append(edited.parts, p)
		}
	}
	return edited, dropped
}

func (m *media) pipe(request *dialect.Request, meta dialect.Meta) dialect.Pipe {
	return m.kind.pipe(m, taskPipe{taskAnswer: taskAnswer{meta}, request: request})
}
