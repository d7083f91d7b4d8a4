package openai

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// formOf writes a form as a client does: fields name by name, then a file.
func formOf(t testing.TB, file string, content []byte, fields ...string) (body []byte, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		if err := w.WriteField(fields[i], fields[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile(file, "sound.wav")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(content)
	_ = w.Close()
	return b.Bytes(), w.FormDataContentType()
}

// client is the dialect for a request of this content type.
func (c Media) client(t testing.TB, contentType string) dialect.Client {
	t.Helper()
	client, err := c.ReadHead(dialect.Head{Header: func(name string) string {
		if name != "content-type" {
			return ""
		}
		return contentType
	}})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// partsOf reads a form as any server would.
func partsOf(t testing.TB, body []byte, contentType string) (names, contents []string) {
	t.Helper()
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatalf("%v in %s", err, contentType)
	}
	reader := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return names, contents
		}
		if err != nil {
			t.Fatalf("%v in %q", err, body)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			t.Fatalf("%v in %q", err, body)
		}
		names, contents = append(names, part.FormName()), append(contents, string(content))
	}
}

func contentTypeOf(upstream dialect.Upstream) string {
	for _, h := range upstream.Headers {
		if h.Name == "content-type" {
			return h.Value
		}
	}
	return ""
}

func TestFormReachesTheProvider(t *testing.T) {
	sound := []byte("RIFF\x00\r\n--boundary\r\n\r\n--")
	body, contentType := formOf(t, "file", sound, "model", "m/x", "language", "de", "temperature", "0",
		"provider[order][]", "a", "provider[order][]", "b", "provider[allow_fallbacks]", "false", "provider[max_price][prompt]", "1.50",
		"models[]", "m/y", "session_id", "s", "user", "me", "timestamp_granularities[]", "word", "vendor_option", "1")
	request, err := Transcriptions().client(t, contentType).Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	if request.Model != "m/x" || !slices.Equal(request.Models, []string{"m/y"}) || request.SessionID != "s" || request.User != "me" || request.OutputModality != "transcription" ||
		string(request.Provider) != `{"allow_fallbacks":false,"max_price":{"prompt":1.50},"order":["a","b"]}` {
		t.Errorf("%+v, provider %s", request, request.Provider)
	}
	before := bytes.Clone(body)
	for _, test := range []struct {
		name           string
		target         dialect.Target
		names, dropped []string
	}{
		{"lenient", dialect.Target{Model: "whisper-1"}, []string{"model", "language", "temperature", "user", "timestamp_granularities[]", "vendor_option", "file"}, nil},
		{"strict", dialect.Target{Model: "whisper-1", Strict: true}, []string{"model", "language", "temperature", "timestamp_granularities[]", "file"}, []string{"user", "vendor_option"}},
		{"refused", dialect.Target{Model: "whisper-1", Refused: []string{"timestamp_granularities", "vendor_option", "user"}}, []string{"model", "language", "temperature", "file"},
			[]string{"user", "timestamp_granularities[]", "vendor_option"}},
	} {
		upstream, err := Provider{}.Request(request, test.target)
		if err != nil {
			t.Fatal(err)
		}
		names, contents := partsOf(t, upstream.Body, contentTypeOf(upstream))
		if !slices.Equal(names, test.names) || !slices.Equal(upstream.Dropped, test.dropped) || upstream.Path != "/audio/transcriptions" {
			t.Errorf("%s: %s gets %v, without %v", test.name, upstream.Path, names, upstream.Dropped)
		}
		if contents[0] != "whisper-1" || contents[len(contents)-1] != string(sound) || slices.Contains(contents, "me") {
			t.Errorf("%s: %q", test.name, contents)
		}
	}
	if !bytes.Equal(body, before) {
		t.Error("the client's body was written to")
	}
}

// A file goes on under the name and type that the gateway read, whatever notation they
// came in.
func TestFileKeepsNameAndType(t *testing.T) {
	for given, want := range map[string]string{
		"name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/ogg; codecs=opus": "name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/ogg; codecs=opus\r\n",
		"name=file; filename*=UTF-8''%C3%A4%22.wav\r\nContent-Type: ?":              "name=\"file\"; filename=\"ä_.wav\"\r\nContent-Type: application/octet-stream\r\n",
		"name=file; filename=\"\"": "name=\"file\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n",
	} {
		p, err := readFormPart([]byte("X-Other: 1\r\nContent-Disposition: form-data; " + given + "\r\n\r\nx"))
		if err != nil || string(p.header) != "Content-Disposition: form-data; "+want || string(p.content) != "x" {
			t.Errorf("%q is written %q, %v; want %q", given, p.header, err, want)
		}
	}
}

func TestFormsThatAreRefused(t *testing.T) {
	whole, contentType := formOf(t, "file", []byte("x"), "model", "m/x")
	boundary := strings.TrimPrefix(contentType, "multipart/form-data; boundary=")
	form := func(parts ...string) string {
		var b strings.Builder
		for _, part := range parts {
			b.WriteString("--" + boundary + "\r\n" + part + "\r\n")
		}
		return b.String() + "--" + boundary + "--\r\n"
	}
	const model, file = "Content-Disposition: form-data; name=\"model\"\r\n\r\nm/x", "Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx"
	for name, test := range map[string]struct{ body, says string }{
		"no model":         {form(file), "no field 'model'"},
		"no file":          {form(model), "no file 'file'"},
		"two models":       {form(model, model, file), "'model' is given twice"},
		"a model as file":  {form("Content-Disposition: form-data; name=\"model\"; filename=\"m\"\r\n\r\nm/x", file), "'model' must be a field"},
		"cut off":          {string(whole[:len(whole)-10]), "ends before its last boundary"},
		"no boundary":      {"{}", "does not begin with its boundary"},
		"empty":            {"", "does not begin with its boundary"},
		"no header":        {form("x"), "has no header"},
		"no name":          {form("Content-Disposition: form-data\r\n\r\nx"), "with a name"},
		"two dispositions": {form("Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nx", file), "one content-disposition"},
		"two names":        {form("Content-Disposition: form-data; name=\"a\"; name=\"model\"\r\n\r\nx", file), "with a name"},
		"a name extended":  {form("Content-Disposition: form-data; name=\"model\"; name*=utf-8''prompt\r\n\r\nm/y", model, file), "plain name"},
		"name in pieces":   {form("Content-Disposition: form-data; name=\"model\"; NAME*0=\"pro\"; name*1=\"mpt\"\r\n\r\nm/y", model, file), "plain name"},
		"a name hidden":    {form("Content-Disposition: form-data; x=\"\\\"\"; name=\"a\"\r\n\r\nx", model, file), "plain name"},
		"a quoted name":    {form("Content-Disposition: form-data; name=\"mo\\\"del\"\r\n\r\nx", model, file), "plain name"},
		"base64":           {form(model, "Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Transfer-Encoding: base64\r\n\r\neA=="), "content-transfer-encoding"},
		"bad preferences":  {form(model, file, "Content-Disposition: form-data; name=\"provider\"\r\n\r\n{\"order\":"), "'provider' must be JSON"},
		"contradiction":    {form(model, file, "Content-Disposition: form-data; name=\"provider\"\r\n\r\n{}", "Content-Disposition: form-data; name=\"provider[a]\"\r\n\r\n1"), "contradicts"},
		"a preset":         {form("Content-Disposition: form-data; name=\"model\"\r\n\r\nm/x@preset/p", file), "preset"},
		"a stream of what": {form(model, file, "Content-Disposition: form-data; name=\"stream\"\r\n\r\nyes"), "'stream' must be true or false"},
		"too many parts":   {form(slices.Repeat([]string{model}, 300)...), "more than 256 parts"},
		"a long header":    {form("Content-Disposition: form-data; name=\"" + strings.Repeat("a", 9000) + "\"\r\n\r\nx"), "8192 bytes"},
	} {
		_, err := Transcriptions().client(t, contentType).Parse([]byte(test.body))
		var failure *dialect.Error
		if !errors.As(err, &failure) || failure.Status != 400 || !strings.Contains(failure.Message, test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for contentType, says := range map[string]string{
		"multipart/form-data": "boundary",
		"multipart/form-data; boundary=" + strings.Repeat("a", 71): "boundary",
		"multipart/form-data; boundary=a; boundary=b":              "boundary",
	} {
		_, err := Transcriptions().ReadHead(dialect.Head{Header: func(string) string { return contentType }})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", contentType, err)
		}
	}
}

// FuzzForm holds that what a provider reads is what the gateway read: the same parts,
// and the model that was planned.
func FuzzForm(f *testing.F) {
	body, contentType := formOf(f, "file", []byte("RIFF\x00\r\n--x"), "model", "m/x", "provider", `{"order":["a"]}`, "user", "me")
	boundary := strings.TrimPrefix(contentType, "multipart/form-data; boundary=")
	f.Add(body, boundary)
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n--b--\r\n"), "b")
	f.Add([]byte("\r\n--b\r\nContent-Disposition: form-data; name=model\r\n\r\nm\r\n--b\r\nA: \r\n b\r\ncontent-disposition: form-data; name*=utf-8''file\r\n\r\n--b\r\n--b--"), "b")
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"model\"; name*=utf-8''prompt\r\n\r\nm/y\r\n--b\r\nContent-Disposition: form-data; name=model\r\n\r\nm\r\n"+
		"--b\r\nContent-Disposition: form-data; name=file; filename=\"a\\\"; name=\\\"model\"; filename*=utf-8''b%22%0d%0a\r\nContent-Type: audio/ogg; codecs=opus\r\n\r\n\r\n--b--"), "b")
	f.Add([]byte("--b b\r\nContent-Disposition: form-data; name=model\r\n\r\n\r\n--b b--"), "b b")
	f.Fuzz(func(t *testing.T, body []byte, boundary string) {
		contentType := mime.FormatMediaType("multipart/form-data", map[string]string{"boundary": boundary})
		read, err := boundaryOf(contentType)
		if contentType == "" || err != nil || read != boundary {
			return
		}
		request, err := mediaForm{Client: Client{}, kind: transcriptions, boundary: boundary}.Parse(body)
		if err != nil {
			var failure *dialect.Error
			if !errors.As(err, &failure) || failure.Message == "" {
				t.Fatalf("not an error for a client: %v", err)
			}
			return
		}
		before := bytes.Clone(body)
		upstream, err := Provider{}.Request(request, dialect.Target{Model: "whisper-1"})
		if err != nil {
			t.Fatal(err)
		}
		cut := request.Parsed.(*media).form
		var names, contents []string
		for _, p := range cut.parts {
			if top, _, _ := strings.Cut(p.name, "["); top != "model" && top != "user" && !forGateway(top) {
				names, contents = append(names, p.name), append(contents, string(p.content))
			}
		}
		for _, p := range cut.parts { // as the simplest of readers sees it
			if !bytes.HasPrefix(p.header, []byte(`Content-Disposition: form-data; name="`+p.name+`"`)) || bytes.Count(p.header, []byte(" name")) != 1 && !p.file {
				t.Errorf("%q has the header %q", p.name, p.header)
			}
		}
		gotNames, gotContents := partsOf(t, upstream.Body, contentTypeOf(upstream))
		models := 0
		for i := range gotNames {
			switch gotNames[i] {
			case "model":
				models++
				if gotContents[i] != "whisper-1" {
					t.Errorf("the provider reads the model %q", gotContents[i])
				}
			case "user":
			default:
				if len(names) == 0 || names[0] != gotNames[i] || contents[0] != gotContents[i] {
					t.Fatalf("part %q is %q to the provider; the gateway read %q", gotNames[i], gotContents[i], names)
				}
				names, contents = names[1:], contents[1:]
			}
		}
		if models != 1 || len(names) != 0 {
			t.Errorf("the provider reads %d models, and not %q", models, names)
		}
		if !bytes.Equal(body, before) {
			t.Error("the client's body was written to")
		}
	})
}

func BenchmarkForm(b *testing.B) {
	for _, test := range []struct {
		name string
		size int
	}{{"1KB", 1 << 10}, {"100KB", 100 << 10}, {"25MB", 25 << 20}} {
		b.Run(test.name, func(b *testing.B) {
			body, contentType := formOf(b, "file", bytes.Repeat([]byte("0123456789abcd\r\n"), test.size/16), "model", "m/x", "language", "de")
			client := Transcriptions().client(b, contentType)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				request, err := client.Parse(body)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := (Provider{}).Request(request, dialect.Target{Model: "whisper-1"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
