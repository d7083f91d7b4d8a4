package registry_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/registry"
)

// Row 121: each client's dialect has its own words for a file, and for the text that stands
// in its place.
func TestRow121FilesOfEveryClient(t *testing.T) {
	const pdf = "JVBERi0="
	for _, test := range []struct {
		path, body string
		files      []string // path, name and whether a PDF
		want       string   // of the body rewritten
	}{
		{
			chatPath, `{"model":"m/x","messages":[{"role":"user","content":[{"type":"text","text":"what?"},` +
				`{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,` + pdf + `"},"cache_control":{"type":"ephemeral"}},` +
				`{"type":"file","file":{"filename":"b","file_data":"https://example.com/b"}},{"type":"file","file":{"file_id":"file-1"}},` +
				`{"type":"image_url","image_url":{"url":"https://example.com/c.png"}}]},` +
				`{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"type\":\"file\"}"}}]},` +
				`{"role":"tool","tool_call_id":"c","content":[{"type":"file","file":{"filename":"d.docx","file_data":"data:application/msword;base64,AAAA"}}]}],"seed" : 7}`,
			[]string{"messages.0.content.1 a.pdf PDF", "messages.0.content.2 b PDF", "messages.0.content.3  ?", "messages.2.content.0 d.docx ?"},
			`{"type":"text","text":"messages.0.content.1","cache_control":{"type":"ephemeral"}},{"type":"text","text":"messages.0.content.2"},{"type":"file","file":{"file_id":"file-1"}},{"type":"image_url"`,
		},
		{
			messagesPath, `{"model":"m/x","max_tokens":9,"messages":[{"role":"user","content":[` +
				`{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"` + pdf + `"},"title":"a"},` +
				`{"type":"document","source":{"type":"text","media_type":"text/plain","data":"said"}},` +
				`{"type":"tool_result","tool_use_id":"c","content":[{"type":"document","source":{"type":"url","url":"https://example.com/b.pdf"}}]}]}]}`,
			[]string{"messages.0.content.0 a PDF", "messages.0.content.2.content.0 document.pdf PDF"},
			`[{"type":"text","text":"messages.0.content.0"},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"said"}},` +
				`{"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"messages.0.content.2.content.0"}]}]`,
		},
		{
			responsesPath, `{"model":"m/x","input":[{"role":"user","content":[{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,` + pdf + `"},` +
				`{"type":"input_file","file_url":"https://example.com/b.pdf"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},` +
				`{"type":"function_call_output","call_id":"c","output":[{"type":"input_file","filename":"d.pdf","file_data":"` + pdf + `"}]}]}`,
			[]string{"input.0.content.0 a.pdf PDF", "input.0.content.1  PDF", "input.2.output.0 d.pdf PDF"},
			`"output":[{"type":"input_text","text":"input.2.output.0"}]`,
		},
		{
			googlePath, `{"contents":[{"role":"user","parts":[{"text":"what?"},{"inlineData":{"mimeType":"application/pdf","data":"` + pdf + `"}},` +
				`{"file_data":{"file_uri":"https://example.com/b.pdf","mime_type":"application/pdf"}},{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}]}`,
			[]string{"contents.0.parts.1 document.pdf PDF", "contents.0.parts.2 b.pdf PDF"},
			`{"text":"what?"},{"text":"contents.0.parts.1"},{"text":"contents.0.parts.2"},{"inlineData":{"mimeType":"image/png","data":"AAAA"}}`,
		},
	} {
		request := parseAt(t, test.path, test.body)
		before := string(request.Raw)
		if !slices.Contains(request.InputModalities, "file") {
			t.Errorf("%s: modalities %q", test.path, request.InputModalities)
		}
		var files []string
		again := string(parserAt(t, test.path).(dialect.FileReplacer).ReplaceFiles(request.Raw, func(path string, file *dialect.Media) (string, bool) {
			kind := "?"
			if file.IsPDF() {
				kind = "PDF"
			}
			files = append(files, path+" "+file.Name+" "+kind)
			return path, kind == "PDF"
		}))
		if !slices.Equal(files, test.files) {
			t.Errorf("%s: files %q, want %q", test.path, files, test.files)
		}
		if string(request.Raw) != before || !json.Valid([]byte(again)) || !strings.Contains(again, test.want) {
			t.Errorf("%s: rewritten %s\nlacks %s", test.path, again, test.want)
		}
		if strings.Contains(test.body, `"seed" : 7`) && !strings.Contains(again, `"seed" : 7`) {
			t.Errorf("%s: what is no file was changed: %s", test.path, again)
		}
		parseAt(t, test.path, again)
	}
}

// Nothing of what clients write is lost or broken by a rewriting that replaces nothing.
func FuzzReplaceFiles(f *testing.F) {
	f.Add(`{"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"file_data":"https://x.example/"}}]}]}`)
	f.Add(`{"model":"m","max_tokens":1,"input":[{"role":"user","content":[{"type":"input_file","file_id":"f"}]}],"messages":[{"role":"user","content":[{"type":"document","source":{"type":"base64","media_type":"a","data":""}}]}]}`)
	f.Add(`{"contents":[{"parts":[{"inlineData":{"mimeType":"application/pdf","data":"AAAA"}},{"functionResponse":{"name":"f","parts":[[],null,{}]}}]}],"messages":[[{"content":{"content":[]}}]]}`)
	f.Fuzz(func(t *testing.T, body string) {
		for path := range askers {
			reader, ok := registry.Clients().At(path)
			if !ok {
				t.Fatal(path)
			}
			if head, ok := reader.(dialect.HeadReader); ok {
				var err error
				if reader, err = head.ReadHead(dialect.Head{Path: path, Header: func(string) string { return "" }}); err != nil {
					t.Fatal(err)
				}
			}
			request, err := reader.Parse([]byte(body))
			if err != nil {
				continue
			}
			before := string(request.Raw)
			same := reader.(dialect.FileReplacer).ReplaceFiles(request.Raw, func(string, *dialect.Media) (string, bool) { return "", false })
			other := reader.(dialect.FileReplacer).ReplaceFiles(request.Raw, func(string, *dialect.Media) (string, bool) { return "x", true })
			if compact(t, same) != compact(t, []byte(before)) || !json.Valid(other) || string(request.Raw) != before {
				t.Errorf("%s: %s\nbecomes %s\nor %s", path, before, same, other)
			}
		}
	})
}

func compact(t *testing.T, text []byte) string {
	t.Helper()
	var dst strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			dst.WriteByte(c)
			i++
		case !quoted && strings.IndexByte(" \t\r\n", c) >= 0:
			continue
		}
		dst.WriteByte(text[i])
	}
	return dst.String()
}

// A client that echoes the annotation spares the gateway from reading the file again,
// whether it was this gateway's or OpenRouter's.
func TestRow121Annotations(t *testing.T) {
	own := dialect.FileAnnotation{Hash: "abc", Name: `a"b.pdf`, Text: "Hello\n\"world\""}
	if got, ok := dialect.ReadFileAnnotation(own.Append(nil)); !ok || got != own {
		t.Errorf("%+v, want %+v", got, own)
	}
	if want := "<file name=\"a'b.pdf\">\nHello\n\"world\"\n</file>"; own.Prompt() != want {
		t.Errorf("prompt %q, want %q", own.Prompt(), want)
	}
	theirs := `{"type":"file","file":{"hash":"abc","name":"a.pdf","content":[{"type":"text","text":"<file name=\"a.pdf\">"},{"type":"text","text":"one"},{"type":"image_url","image_url":{"url":"data:,"}},{"type":"text","text":"two"},{"type":"text","text":"</file>"}]}}`
	if got, ok := dialect.ReadFileAnnotation([]byte(theirs)); !ok || got.Text != "one\ntwo" {
		t.Errorf("OpenRouter's: %+v %v", got, ok)
	}
	for _, not := range []string{`{"type":"url_citation"}`, `{"type":"file"}`, `{"type":"file","file":{"hash":"a","content":[]}}`, `{"type":"file","file":{"content":[{"text":"a"}]}}`, `[]`, `7`} {
		if got, ok := dialect.ReadFileAnnotation([]byte(not)); ok {
			t.Errorf("%s is %+v", not, got)
		}
	}
}
