package extproc

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/pdftext"
	"github.com/switchyard/switchyard/extproc/pdftext/pdftexttest"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

// pdfs is shared: to compile takes seconds. It is made outside of synctest's bubbles.
var pdfs = pdftext.New("")

// withFile asks about a file, with more members of the request.
func withFile(file []byte, members string) string {
	return `{"model":"m/x","messages":[{"role":"user","content":[{"type":"text","text":"what?"},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,` +
		base64.StdEncoding.EncodeToString(file) + `"}}]}]` + members + `}`
}

func hashOf(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}

// annotationsIn are those of a whole answer, or of one chunk of a stream.
func annotationsIn(t *testing.T, message string) []string {
	t.Helper()
	var answer struct {
		Choices []struct {
			Message, Delta struct{ Annotations []json.RawMessage }
		}
	}
	if err := json.Unmarshal([]byte(message), &answer); err != nil {
		t.Fatalf("%s: %v", message, err)
	}
	var annotations []string
	for _, annotation := range append(answer.Choices[0].Message.Annotations, answer.Choices[0].Delta.Annotations...) {
		annotations = append(annotations, string(annotation))
	}
	return annotations
}

const (
	inPrompt   = `<file name=\"a.pdf\">\nThe answer is 42.\n</file>`
	asTextPart = `{"type":"text","text":"` + inPrompt + `"}`
)

func TestRow121FilesAreReadForModelsThatReadNone(t *testing.T) {
	file := pdftexttest.Document("The answer is 42.")
	want := `{"type":"file","file":{"hash":"` + hashOf(file) + `","name":"a.pdf","content":[{"type":"text","text":"The answer is 42."}]}}`
	t.Run("passed on", func(t *testing.T) {
		e, upstream := newGateway(t, onlyA).asked("1", withFile(file, `,"unheard_of":1`))
		if !strings.Contains(upstream.body, asTextPart) || strings.Contains(upstream.body, "file_data") || !strings.Contains(upstream.body, `"unheard_of":1`) {
			t.Errorf("the provider gets %s", upstream.body)
		}
		e.replies("200", viaUpstream, "content-type", "application/json")
		e.sends(`{"choices":[{"index":0,"message":{"role":"assistant","content":"hi","annotations":[{"type":"url_citation"}],"own":1},"finish_reason":"stop"}]}`, true)
		e.begins()
		body := e.rest()
		if got := annotationsIn(t, body); len(got) != 2 || got[0] != want || got[1] != `{"type":"url_citation"}` || !strings.Contains(body, `"own":1`) {
			t.Errorf("the client gets %s", body)
		}
	})
	t.Run("translated", func(t *testing.T) {
		e, upstream := newGateway(t, onlyB).asked("1", withFile(file, ""))
		if !strings.Contains(upstream.body, inPrompt) {
			t.Errorf("the provider gets %s", upstream.body)
		}
		e.replies("200", viaUpstream, "content-type", "application/json")
		e.sends(`{"id":"msg_1","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`, true)
		e.begins()
		if got := annotationsIn(t, e.rest()); len(got) != 1 || got[0] != want {
			t.Errorf("annotations %q, want %s", got, want)
		}
	})
	t.Run("told of with a failure", func(t *testing.T) {
		e, _ := newGateway(t, onlyA).asked("1", withFile(file, ""))
		e.replies("400", viaUpstream, "content-type", "application/json")
		e.sends(`{"error":{"message":"no"}}`, true)
		if got := e.refused(); !strings.Contains(got.body, `"file_annotations":[`+want+`]`) {
			t.Errorf("the client gets %s", got.body)
		}
	})
	t.Run("streamed", func(t *testing.T) {
		e, _ := newGateway(t, onlyA).asked("1", withFile(file, `,"stream":true`))
		e.replies("200", viaUpstream, "content-type", "text/event-stream")
		e.sends(role+token+token+stop+done, true)
		e.begins()
		var annotated []string
		content := 0
		for _, line := range strings.Split(e.rest(), "\n\n") {
			data, ok := strings.CutPrefix(line, "data: {")
			if !ok {
				continue
			}
			for _, annotation := range annotationsIn(t, "{"+data) {
				if annotated = append(annotated, annotation); content > 0 {
					t.Error("the annotation comes behind the text")
				}
			}
			content += strings.Count(data, `"content":"hi"`)
		}
		if len(annotated) != 1 || annotated[0] != want || content != 2 {
			t.Errorf("annotations %q and %d texts", annotated, content)
		}
	})
}

func TestRow121EchoedAnnotationSparesTheReading(t *testing.T) {
	file := pdftexttest.Document("The answer is 42.")
	echo := func(hash string) string {
		return strings.Replace(withFile(file, ""), `"messages":[`,
			`"messages":[{"role":"assistant","content":"hm","annotations":[{"type":"file","file":{"hash":"`+hash+`","content":[{"type":"text","text":"as read before"}]}}]},`, 1)
	}
	g := newGateway(t, onlyA)
	for hash, want := range map[string]string{hashOf(file): "as read before", "another": "The answer is 42."} {
		e := g.attempt("1", "x-request-id", hash)
		e.asks(echo(hash), true)
		if upstream := e.forwarded(); !strings.Contains(upstream.body, `<file name=\"a.pdf\">\n`+want+`\n</file>`) {
			t.Errorf("%s: the provider gets %s", hash, upstream.body)
		}
		e.hangUp()
	}
}

func readsFiles(cfg *configpb.Config, _ *Policy) {
	cfg.Models["m/x"].InputModalities = []string{"text", "file"}
}

func TestRow121Engines(t *testing.T) {
	file := pdftexttest.Document("The answer is 42.")
	engine := func(name string) string {
		return withFile(file, `,"plugins":[{"id":"file-parser","pdf":{"engine":"`+name+`"}}]`)
	}
	for _, test := range []struct {
		body   string
		reads  bool // the model reads files
		parsed bool
	}{
		{withFile(file, ""), true, false},
		{engine("native"), true, false},
		{engine("pdf-text"), true, true},
		{engine("cloudflare-ai"), true, true},
		{engine("pdf-text"), false, true},
		{withFile(file, `,"plugins":[{"id":"file-parser"}]`), false, true},
		{withFile(file, `,"plugins":[{"id":"file-parser","enabled":false}]`), true, false},
	} {
		change := []func(*configpb.Config, *Policy){onlyA}
		if test.reads {
			change = append(change, readsFiles)
		}
		e, upstream := newGateway(t, change...).asked("1", test.body)
		if got := strings.Contains(upstream.body, asTextPart); got != test.parsed || got == strings.Contains(upstream.body, `"file_data":"data:`) {
			t.Errorf("reads %v, parsed %v: the provider gets %s", test.reads, test.parsed, upstream.body)
		}
		e.hangUp()
	}
	for name, test := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"native":       {engine("native"), 404, "No endpoints found that support file input"},
		"off":          {withFile(file, `,"plugins":[{"id":"file-parser","enabled":false}]`), 404, "No endpoints found that support file input"},
		"mistral-ocr":  {engine("mistral-ocr"), 400, "use pdf-text"},
		"unknown":      {engine("ocr"), 400, "'plugins.0.pdf.engine' must be native or pdf-text"},
		"no object":    {withFile(file, `,"plugins":[{"id":"file-parser","pdf":"native"}]`), 400, "'plugins.0.pdf' must be an object"},
		"not a PDF":    {strings.Replace(withFile(file, ""), "application/pdf", "application/msword", 1), 404, "No endpoints found that support file input"},
		"encrypted":    {withFile(pdftexttest.Encrypted(), ""), 400, `'messages.0.content.1': this model reads no files, and "a.pdf" is encrypted`},
		"corrupt":      {withFile([]byte("%PDF-1.4 and so on"), ""), 400, "is no PDF that can be read"},
		"a scan":       {withFile(pdftexttest.Document(""), ""), 400, "holds no text"},
		"not base64":   {strings.Replace(withFile(file, ""), "base64,", "base64,!", 1), 400, "'messages.0.content.1': the file's data is not valid base64"},
		"not fetched":  {strings.Replace(withFile(nil, ""), "data:application/pdf;base64,", "https://example.com/a.pdf", 1), 400, "Send the data itself"},
		"far too many": {strings.Replace(withFile(file, ""), `{"type":"file"`, strings.Repeat(`{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}},`, maxParsed)+`{"type":"file"`, 1), 400, "holds 21 PDFs"},
	} {
		e := newGateway(t, onlyA).attempt("1")
		e.asks(test.body, true)
		if got := e.refused(); got.status != test.status || !strings.Contains(got.error.Message, test.want) {
			t.Errorf("%s: %d %s, want %d %s", name, got.status, got.error.Message, test.status, test.want)
		}
	}
}

// A file that cannot be read for one model is for the next to read itself.
func TestRow121UnreadableFilesMoveOn(t *testing.T) {
	g := newGateway(t, onlyA, twoModels, func(cfg *configpb.Config, _ *Policy) {
		cfg.Models["m/y"].InputModalities = []string{"text", "file"}
	})
	body := withFile(pdftexttest.Document(""), `,"models":["m/y"]`)
	e := g.attempt("1")
	e.asks(body, true)
	if got := e.refused(); got.set[headerFailover] == "" {
		t.Fatalf("the request ends although another model reads files: %d %s", got.status, got.error.Message)
	}
	e, upstream := g.asked("2", body)
	if !strings.Contains(upstream.body, `"type":"document"`) {
		t.Errorf("the next model's provider gets %s", upstream.body)
	}
	e.hangUp()
}

// What is redacted in the words beside a file changes nothing for the file.
func TestRow121FilesAreReadBesideRedactedWords(t *testing.T) {
	body := strings.Replace(withFile(pdftexttest.Document("The answer is 42."), ""), `"what?"`, `"I am jane@example.com"`, 1)
	e := newGateway(t, onlyA, guarding(t, builtin("email", redacted, 0))).attempt("1")
	e.asks(body, true)
	if got := e.forwarded(); !strings.Contains(got.body, asTextPart) || !strings.Contains(got.body, "I am [EMAIL]") {
		t.Errorf("the provider gets %s", got.body)
	}
}

// A file is no way around a guardrail, whichever of the attempts reads it.
func TestRow121FilesAreGuarded(t *testing.T) {
	body := withFile(pdftexttest.Document("I am jane@example.com"), "")
	t.Run("redact", func(t *testing.T) {
		g := newGateway(t, guarding(t, builtin("email", redacted, 0)))
		e, upstream := g.asked("1", body)
		if strings.Contains(upstream.body, "jane") || !strings.Contains(upstream.body, `<file name=\"a.pdf\">\nI am [EMAIL]\n</file>`) {
			t.Errorf("a gets %s", upstream.body)
		}
		e.replies("503", viaUpstream)
		e.sends(`{}`, true)
		e.refused()
		e, upstream = g.asked("2", body)
		if strings.Contains(upstream.body, "jane") || !strings.Contains(upstream.body, "I am [EMAIL]") {
			t.Errorf("b gets %s", upstream.body)
		}
		e.hangUp()
		g.wantCount(1, "guardrail_matches_total", "g", "redact", "input")
	})
	t.Run("block", func(t *testing.T) {
		g := newGateway(t, guarding(t, builtin("email", blocked, 0)))
		e := g.attempt("1", "x-openrouter-metadata", "enabled")
		e.asks(body, true)
		got := e.refused()
		if got.status != 403 || got.error.Message != "Request blocked by content filter: Email address" || got.set[headerFailover] != "" || !strings.Contains(got.body, `"guardrail_id":"g"`) {
			t.Errorf("%d, failover %q: %s", got.status, got.set[headerFailover], got.body)
		}
		g.wantCount(1, "requests_total", "denied")
		g.wantCount(1, "guardrail_matches_total", "g", "block", "input")
	})
}

// What is read of files is held in memory, as what is uploaded is.
func TestTextOfFilesIsHeld(t *testing.T) {
	text := strings.Repeat("word ", 20_000)
	body := withFile(pdftexttest.Document(text), "")
	g := newGateway(t, onlyA, roomFor(1<<20, 0))
	e, upstream := g.asked("1", body)
	if held := g.heldRequests.taken(); held < int64(len(upstream.body)) || held > int64(len(body)+len(upstream.body)) {
		t.Errorf("%d bytes are held for a body of %d bytes and one of %d", held, len(body), len(upstream.body))
	}
	e.hangUp()
}

// The conversation is the same whoever reads its file, and stays where it is cached.
func TestRow121ConversationIsTheClients(t *testing.T) {
	g := newGateway(t, onlyA)
	a := &attempt{Server: g.Server, client: g.Clients[path]}
	var err error
	if a.request, err = Parse(a.client, []byte(withFile(pdftexttest.Document("x"), "")), nil); err != nil {
		t.Fatal(err)
	}
	before := a.request.Conversation
	if err := a.rewrite([]byte(wholeOf)); err != nil || a.request.Conversation != before {
		t.Errorf("%x, %v, want %x", a.request.Conversation, err, before)
	}
}

// BenchmarkSurveyFiles is what a file costs a request for a model that reads none, before
// it is read, beside what parsing the request does.
func BenchmarkSurveyFiles(b *testing.B) {
	client := openai.Client{}
	for name, size := range map[string]int{"100 KB": 100 << 10, "5 MB": 5 << 20} {
		body := []byte(withFile(make([]byte, size), ""))
		for _, survey := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/surveyed=%v", name, survey), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					request, err := Parse(client, body, nil)
					if err != nil || survey && !request.FilesAsText() {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
