package dialect

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// FileReplacer is a client dialect whose requests can carry files.
type FileReplacer interface {
	// ReplaceFiles is the body of a request with a text in the place of each file among
	// its messages that text has one for. text is asked of all of them, in their order,
	// results of tools included; path is where a file stands, such as
	// "messages.0.content.1". The body must have passed Parse, and is not written to.
	ReplaceFiles(body []byte, text func(path string, file *Media) (string, bool)) []byte
}

// IsPDF reports whether a file is a PDF, as far as its type or its name says. What stands
// at a URL is seen when it is fetched, and may be one. What was uploaded to a vendor is
// that vendor's to read.
func (m *Media) IsPDF() bool {
	switch {
	case m.FileID != "":
		return false
	case m.Type != "" && m.Type != "application/octet-stream":
		return m.Type == "application/pdf"
	case isRemote(m.URL):
		return true
	case m.Data == "":
		return !strings.Contains(m.URL, ":") // base64 without a data URL around it, as OpenAI takes it too
	}
	name := strings.ToLower(m.Name)
	at := strings.LastIndexByte(name, '.')
	return at < 0 || name[at:] == ".pdf"
}

// EditParts copies a request's body with other parts in the place of those that edit
// returns any for, within the member that lists its messages. It looks into the members
// that inside names.
func EditParts(body []byte, list string, inside func(name string) bool, edit func(path string, part []byte) []byte) []byte {
	e := partEditor{inside: inside, edit: edit}
	dst := append(make([]byte, 0, len(body)), '{')
	for c := rawjson.Walk(body); c.Next(); {
		if string(c.Name) == list {
			dst = e.value(rawjson.AppendName(dst, list), c.Value, list)
		} else {
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return append(dst, '}')
}

type partEditor struct {
	inside func(name string) bool
	edit   func(path string, part []byte) []byte
}

func (e *partEditor) value(dst, value []byte, path string) []byte {
	switch rawjson.Kind(value) {
	case '[':
		dst = append(dst, '[')
		i := 0
		for c := rawjson.Walk(value); c.Next(); i++ {
			dst = e.value(rawjson.Comma(dst), c.Value, path+"."+strconv.Itoa(i))
		}
		return append(dst, ']')
	case '{':
		if part := e.edit(path, value); part != nil {
			return append(dst, part...)
		}
		dst = append(dst, '{')
		for c := rawjson.Walk(value); c.Next(); {
			if name := string(c.Name); e.inside(name) {
				dst = e.value(rawjson.AppendName(dst, name), c.Value, path+"."+name)
			} else {
				dst = rawjson.AppendRaw(dst, c.Member)
			}
		}
		return append(dst, '}')
	}
	return append(dst, value...)
}

// TextPart is a part of a type that holds a text, and marks what the other one does.
func TextPart(kind, text string, other []byte) []byte {
	dst := rawjson.AppendText(rawjson.AppendText([]byte{'{'}, "type", kind), "text", text)
	for c := rawjson.Walk(other); c.Next(); {
		switch string(c.Name) {
		case "cache_control", "prompt_cache_breakpoint":
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return append(dst, '}')
}

// FileAnnotation says in an answer what was read in a file (spec section 4.9): a client
// that sends the message back spares the gateway from reading it again.
type FileAnnotation struct {
	// Hash tells files apart, Name is the client's.
	Hash, Name string
	Text       string
}

// Append appends the annotation as Chat Completions has it.
func (f *FileAnnotation) Append(dst []byte) jsontext.Value {
	dst = append(dst, `{"type":"file","file":{`...)
	dst = rawjson.AppendText(rawjson.AppendText(dst, "hash", f.Hash), "name", f.Name)
	dst = append(rawjson.AppendName(dst, "content"), `[{`...)
	return append(rawjson.AppendText(rawjson.AppendText(dst, "type", "text"), "text", f.Text), `}]}}`...)
}

// ReadFileAnnotation reads an annotation that a client sends back; ok is false for one
// that is not of a file, or has no text. OpenRouter's have the tags around the text that
// the model reads, as parts of their own; they are no part of Text.
func ReadFileAnnotation(annotation []byte) (f FileAnnotation, ok bool) {
	if rawjson.Text(rawjson.Get(annotation, "type")) != "file" {
		return FileAnnotation{}, false
	}
	file := rawjson.Get(annotation, "file")
	f.Hash, f.Name = rawjson.Text(rawjson.Get(file, "hash")), rawjson.Text(rawjson.Get(file, "name"))
	var texts []string
	for c := rawjson.Walk(rawjson.Get(file, "content")); c.Next(); {
		text := rawjson.Text(rawjson.Get(c.Value, "text"))
		if text != "" && !strings.HasPrefix(text, "<file name=") && text != fileEnd {
			texts = append(texts, text)
		}
	}
	f.Text = strings.Join(texts, "\n")
	return f, f.Hash != "" && f.Text != ""
}

const fileEnd = "</file>"

// Prompt is the text as the model gets it. Nothing in the name can end the tag.
func (f *FileAnnotation) Prompt() string {
	name := strings.NewReplacer(`"`, "'", "<", "(", ">", ")", "\n", " ", "\r", " ").Replace(f.Name)
	return `<file name="` + name + "\">\n" + f.Text + "\n" + fileEnd
}
