package openai

import (
	"bufio"
	"bytes"
	"mime"
	"net/textproto"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// form is a multipart/form-data body (RFC 7578). Its parts are cut out of the body
// without copying them: package mime/multipart copies each file and tells no offsets,
// and an upload of 25 MB is parsed anew by each attempt. What is read here is stricter
// than there; the fuzz test holds that both find the same parts.
type form struct {
	boundary string
	parts    []part
}

// part is one field, or one file, of a form.
type part struct {
	name string
	file bool
	// header is written by [partHeader], with the line ends and without the empty line: two
	// servers may read one of a client's in two ways, and the gateway's word on the model
	// must be the provider's.
	header, content []byte
}

const (
	mostParts      = 256
	longestHeader  = 8 << 10
	longestSetting = 256 << 10 // of a field that the gateway reads
)

// boundaryOf reads the boundary of a form; it is "" where the body is something else.
// The error is an *dialect.Error.
func boundaryOf(contentType string) (string, error) {
	kind, _, _ := strings.Cut(contentType, ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "multipart/form-data") {
		return "", nil
	}
	_, parameters, err := mime.ParseMediaType(contentType)
	boundary := parameters["boundary"]
	if err != nil || boundary == "" || len(boundary) > 70 || strings.ContainsAny(boundary, "\r\n") {
		return "", dialect.Invalid("The content-type multipart/form-data needs a boundary of 1 to 70 characters.")
	}
	return boundary, nil
}

// readForm cuts a body up. The error is an *dialect.Error.
func readForm(body []byte, boundary string) (*form, error) {
	f := &form{boundary: boundary, parts: make([]part, 0, 8)}
	opening := []byte("--" + boundary)
	rest, found := bytes.CutPrefix(bytes.TrimPrefix(body, []byte("\r\n")), opening)
	if !found {
		return nil, dialect.Invalid("The multipart body does not begin with its boundary.")
	}
	for {
		if bytes.HasPrefix(rest, []byte("--")) {
			return f, nil
		}
		if rest, found = bytes.CutPrefix(rest, []byte("\r\n")); !found {
			return nil, dialect.Invalid("The multipart body has a boundary that no line end follows.")
		}
		end := indexDelimiter(rest, opening)
		if end < 0 {
			return nil, dialect.Invalid("The multipart body ends before its last boundary.")
		}
		if len(f.parts) == mostParts {
			return nil, dialect.Invalid("The multipart body has more than %d parts.", mostParts)
		}
		cut, err := readFormPart(rest[:end])
		if err != nil {
			return nil, err
		}
		f.parts = append(f.parts, cut)
		rest = rest[end+len("\r\n")+len(opening):]
	}
}

// indexDelimiter is where a line begins with the boundary, counted from the line end
// before it, or -1. A short needle is found several times faster than the whole of it.
func indexDelimiter(text, opening []byte) int {
	for from := 0; ; {
		at := bytes.Index(text[from:], []byte("\r\n--"))
		if at < 0 {
			return -1
		}
		if bytes.HasPrefix(text[from+at+len("\r\n"):], opening) {
			return from + at
		}
		from += at + len("\r\n")
	}
}

func readFormPart(text []byte) (part, error) {
	end := bytes.Index(text[:min(len(text), longestHeader)], []byte("\r\n\r\n"))
	if end < 0 {
		return part{}, dialect.Invalid("A part of the multipart body has no header, or one of more than %d bytes.", longestHeader)
	}
	p := part{content: text[end+4:]}
	header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(text[:end+4]))).ReadMIMEHeader()
	if err != nil {
		return part{}, dialect.Invalid("A part of the multipart body has a header that cannot be read.")
	}
	if len(header["Content-Disposition"]) != 1 {
		return part{}, dialect.Invalid("A part of the multipart body needs one content-disposition.")
	}
	kind, parameters, err := mime.ParseMediaType(header.Get("Content-Disposition"))
	if err != nil || kind != "form-data" || parameters["name"] == "" {
		return part{}, dialect.Invalid("A part of the multipart body needs the content-disposition form-data with a name.")
	}
	if encoding := header.Get("Content-Transfer-Encoding"); encoding != "" && !slices.Contains([]string{"7bit", "8bit", "binary"}, strings.ToLower(encoding)) {
		return part{}, dialect.Invalid("The part '%s' of the multipart body must be sent as it is, without a content-transfer-encoding.", parameters["name"])
	}
	p.name = parameters["name"]
	var fileName string
	fileName, p.file = parameters["filename"]
	delete(parameters, "name")
	delete(parameters, "filename")
	if !isFieldName(p.name) || len(parameters) > 0 || extendsName(header.Get("Content-Disposition")) {
		return part{}, dialect.Invalid("A part of the multipart body has a content-disposition with more than a plain name and a file name. Names are of letters, digits, '_', '-', '.' and brackets.")
	}
	if !p.file {
		p.header = partHeader(p.name)
		return p, nil
	}
	mediaType, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		mediaType, parameters = "application/octet-stream", nil
	}
	p.header = fileHeader(p.name, fileName, mime.FormatMediaType(mediaType, parameters))
	return p, nil
}

// isFieldName reports whether a name is one that an API may have, and that everybody reads
// alike.
func isFieldName(name string) bool {
	return strings.IndexFunc(name, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("_-.[]", c)
	}) < 0
}

// extendsName reports whether a content-disposition gives its name in the notation of RFC
// 2231, which package mime puts above a plain one and other readers do not know.
func extendsName(disposition string) bool {
	quoted, escaped := false, false
	plain := strings.Map(func(c rune) rune {
		switch {
		case quoted && escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case !quoted:
			return c
		}
		return -1
	}, disposition)
	for parameter := range strings.SplitSeq(plain, ";") {
		if strings.HasPrefix(strings.ToLower(strings.TrimSpace(parameter)), "name*") {
			return true
		}
	}
	return false
}

// contentType is that of a request with the form as its body.
func (f *form) contentType() string {
	return mime.FormatMediaType("multipart/form-data", map[string]string{"boundary": f.boundary})
}

// write appends the parts as one body. It copies each once.
func (f *form) write() []byte {
	size := len(f.boundary) + 8
	for _, p := range f.parts {
		size += len(f.boundary) + len(p.header) + len(p.content) + 8
	}
	body := make([]byte, 0, size)
	for _, p := range f.parts {
		body = append(append(append(body, "--"...), f.boundary...), "\r\n"...)
		body = append(append(append(body, p.header...), "\r\n"...), p.content...)
		body = append(body, "\r\n"...)
	}
	return append(append(append(body, "--"...), f.boundary...), "--\r\n"...)
}

// partHeader is the header of a field. Names need no escapes, see isFieldName.
func partHeader(name string) []byte {
	return []byte(`Content-Disposition: form-data; name="` + name + "\"\r\n")
}

// fileHeader is the header of a file. There is no escape that all servers know; what would
// need one becomes an underscore.
func fileHeader(name, fileName, mediaType string) []byte {
	fileName = strings.Map(func(c rune) rune {
		if c < ' ' || c == '"' || c == '\\' || c == 0x7f {
			return '_'
		}
		return c
	}, fileName)
	return []byte(`Content-Disposition: form-data; name="` + name + `"; filename="` + fileName + "\"\r\nContent-Type: " + mediaType + "\r\n")
}

// textPart makes a field.
func textPart(name, value string) part {
	return part{name: name, header: partHeader(name), content: []byte(value)}
}

// filePart makes a file out of what a client sent in JSON.
func filePart(name, fileName, mediaType string, content []byte) part {
	return part{name: name, file: true, content: content, header: fileHeader(name, fileName, mediaType)}
}
