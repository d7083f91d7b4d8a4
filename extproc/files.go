package extproc

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/pdftext"
	"github.com/switchyard/switchyard/policies/guard"
)

// Files that a model does not take are read by the gateway, and sent to it as text (spec
// section 4.9, plugin file-parser; row 121). What parses is a PDF's text; there is no
// recognition of characters in pictures.

const (
	// maxParsed is how many files of one request are read.
	maxParsed = 20
	// mostReading is for all of them, and for waiting until it is their turn.
	mostReading = 30 * time.Second
)

// surveyFiles notes whether a request's files can be sent as text, and whether they have
// to be. The error is an *dialect.Error.
func surveyFiles(client dialect.Client, request *dialect.Request) error {
	engine, err := pdfEngine(request.Plugins)
	if err != nil {
		return err
	}
	replacer, ok := client.(dialect.FileReplacer)
	if !ok || engine == engineNative || !slices.Contains(request.InputModalities, "file") {
		return nil
	}
	raw := request.Raw
	request.ParseFiles = engine == engineText
	request.FilesAsText = sync.OnceValue(func() bool {
		readable := true
		replacer.ReplaceFiles(raw, func(_ string, file *dialect.Media) (string, bool) {
			readable = readable && file.IsPDF()
			return "", false
		})
		return readable
	})
	return nil
}

// The engines that a client may choose. Without a choice, models that read files get
// them, and others their text.
const (
	engineNative = "native"
	engineText   = "pdf-text"
)

// pdfEngine reads what the plugin file-parser is to parse PDFs with: "native" for
// nothing, "pdf-text", or "" if that is left to the gateway.
func pdfEngine(plugins []byte) (engine string, err error) {
	i := 0
	for c := rawjson.Walk(plugins); c.Next(); i++ {
		if rawjson.Text(rawjson.Get(c.Value, "id")) != "file-parser" {
			continue
		}
		if rawjson.Kind(rawjson.Get(c.Value, "enabled")) == 'f' {
			return engineNative, nil
		}
		pdf := rawjson.Get(c.Value, "pdf")
		if rawjson.Present(pdf) && rawjson.Kind(pdf) != '{' {
			return "", dialect.Invalid("'plugins.%d.pdf' must be an object.", i)
		}
		switch asked := rawjson.Get(pdf, "engine"); rawjson.Text(asked) {
		case "native":
			engine = engineNative
		case "pdf-text", "cloudflare-ai":
			engine = engineText
		case "mistral-ocr":
			return "", dialect.Invalid("'plugins.%d.pdf.engine': mistral-ocr is not available on this gateway, which reads no pictures of text; "+
				"use pdf-text for PDFs that hold their text, or native with a model that reads files.", i)
		default:
			if rawjson.Present(asked) {
				return "", dialect.Invalid("'plugins.%d.pdf.engine' must be native or pdf-text.", i)
			}
		}
	}
	return engine, nil
}

// textOfFiles puts texts in the place of the request's PDFs, if its candidate's model
// reads none, or the client wants it so.
func (a *attempt) textOfFiles() error {
	request := a.request
	if request.FilesAsText == nil || !request.ParseFiles && slices.Contains(a.candidate.Model.InputModalities, "file") {
		return nil // a model that reads none was planned for only if the files can be text
	}
	replacer, ok := a.client.(dialect.FileReplacer)
	if !ok {
		return nil
	}
	read, err := a.shared.readFiles(a.stream.Context(), func() (*filesRead, error) {
		read, err := a.readFiles(replacer)
		if err == nil {
			a.noteFound(read.found, directionInput) // later attempts find the same
		}
		return read, err
	})
	if a.stream.Context().Err() != nil {
		return errEnded
	}
	if err != nil {
		return a.unsayable(err)
	}
	a.guarded = append(a.guarded, read.found...)
	if err := a.refuseBlocked(); err != nil {
		return err
	}
	if err := a.hold("requests", &a.upload, read.size, a.policy.MaxHeldRequests); err != nil {
		return err
	}
	a.files = nil
	body := replacer.ReplaceFiles(request.Raw, func(path string, _ *dialect.Media) (string, bool) {
		file, ok := read.texts[path]
		if !ok {
			return "", false
		}
		if !slices.Contains(a.files, file) {
			a.files = append(a.files, file)
		}
		return file.Prompt(), true
	})
	return a.rewrite(body)
}

// filesRead is what a request's files hold. It is not written to.
type filesRead struct {
	texts map[string]dialect.FileAnnotation // by where the files stand, as guardrails let them pass
	found guard.Findings                    // in the texts
	size  int                               // bytes of the texts, and of what was fetched for them
}

// readFiles reads the request's PDFs. What the client sends back of an earlier answer
// spares the reading.
func (a *attempt) readFiles(replacer dialect.FileReplacer) (*filesRead, error) {
	type file struct {
		path  string
		media dialect.Media
	}
	var files []file
	var remote []dialect.Remote
	replacer.ReplaceFiles(a.request.Raw, func(path string, media *dialect.Media) (string, bool) {
		if media.IsPDF() {
			files = append(files, file{path, *media})
			if at := (dialect.Remote{Kind: dialect.PartFile, URL: media.URL}); at.IsRemote() && !slices.Contains(remote, at) {
				remote = append(remote, at)
			}
		}
		return "", false
	})
	if len(files) > maxParsed {
		return nil, dialect.Invalid("The request holds %d PDFs, and the gateway reads %d at most for a model that reads none. Send fewer, or their text.", len(files), maxParsed)
	}
	fetched, err := a.fetch(remote)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	defer func() { a.fetched += time.Since(began) }()
	if err := a.PDF.Ready(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(a.stream.Context(), mostReading)
	defer cancel()
	known := make(map[string]string) // texts by hash
	for _, echoed := range openai.FileAnnotations(a.request.Raw) {
		known[echoed.Hash] = echoed.Text
	}
	read := &filesRead{texts: make(map[string]dialect.FileAnnotation, len(files))}
	for _, media := range fetched {
		read.size += len(media.Data)
	}
	search := a.newInputSearch(ctx, 0)
	search.left = mostReading
	guarded := make(map[string]string) // texts by hash
	for _, f := range files {
		if media, ok := fetched[dialect.Remote{Kind: dialect.PartFile, URL: f.media.URL}]; ok {
			f.media.Data = media.Data
		} else if f.media.Data == "" {
			f.media.Data = f.media.URL // base64 without a data URL around it
		}
		data, err := base64.StdEncoding.DecodeString(f.media.Data)
		if err != nil {
			return nil, dialect.Invalid("'%s': the file's data is not valid base64.", f.path)
		}
		sum := sha256.Sum256(data)
		made := dialect.FileAnnotation{Hash: hex.EncodeToString(sum[:]), Name: nameOf(&f.media)}
		text, ok := known[made.Hash]
		if !ok {
			if text, err = a.PDF.Text(ctx, data); err != nil {
				return nil, unreadable(f.path, made.Name, err)
			}
			known[made.Hash] = text
		}
		if _, done := guarded[made.Hash]; !done {
			guarded[made.Hash], err = a.guardFile(search, text, &read.found)
			if ctx.Err() != nil {
				return nil, dialect.Invalid("'%s': the files are too long to be searched: what a guardrail looks for was not ruled out within %v.", f.path, mostReading)
			}
			if err != nil {
				return nil, a.unsearched(err)
			}
		}
		made.Text = guarded[made.Hash]
		read.texts[f.path], read.size = made, read.size+len(made.Text)
	}
	return read, nil
}

// fetch gets the files that the client names by URL.
func (a *attempt) fetch(remote []dialect.Remote) (map[dialect.Remote]dialect.Media, error) {
	if len(remote) == 0 {
		return nil, nil
	}
	if a.policy.Fetcher == nil {
		return nil, dialect.Invalid("This model reads no files, and the gateway fetches none to read them for it. Send the data itself with base64.")
	}
	began, ctx := time.Now(), a.stream.Context()
	media, err := a.shared.media(ctx, remote, func(missing []dialect.Remote) (map[dialect.Remote]dialect.Media, error) {
		if a.shared.fetches == nil {
			a.shared.fetches = a.policy.Fetcher.Request(a.key.Hash)
		}
		return a.shared.fetches.Fetch(ctx, missing)
	})
	a.fetched += time.Since(began)
	return media, err
}

// annotations are the files that the provider gets as text, as a client sends them back.
func (a *attempt) annotations() []jsontext.Value {
	list := make([]jsontext.Value, len(a.files))
	for i := range a.files {
		list[i] = a.files[i].Append(nil)
	}
	return list
}

// unreadable tells the client which file has no text to give, and what to do.
func unreadable(path, name string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return &dialect.Error{
			Status: http.StatusServiceUnavailable, Type: "provider_overloaded",
			Message: fmt.Sprintf("'%s': the gateway did not come to read %.128q within %v. Try again, or send fewer files, or their text.", path, name, mostReading),
		}
	}
	var reason pdftext.Reason
	if !errors.As(err, &reason) {
		return err
	}
	return &dialect.Error{
		Status: http.StatusBadRequest, Type: "invalid_request",
		Message: fmt.Sprintf("'%s': this model reads no files, and %.128q %s.", path, name, reason),
	}
}

// nameOf is what a file is called: as the client says, or as its URL ends.
func nameOf(file *dialect.Media) string {
	name := file.Name
	if at := (dialect.Remote{URL: file.URL}); name == "" && at.IsRemote() {
		path, _, _ := strings.Cut(file.URL, "?") // what follows may be a signature
		name = path[strings.LastIndexByte(path, '/')+1:]
	}
	if name == "" {
		return "document.pdf"
	}
	return strings.ToValidUTF8(name[:min(len(name), longestName)], "")
}

// longestName bounds what is repeated of a file's name, in bytes.
const longestName = 256

// readFiles returns what the request's files hold, and reads them if
// no earlier attempt has. What could not be read for one attempt cannot be for another.
func (q *request) readFiles(ctx context.Context, read func() (*filesRead, error)) (*filesRead, error) {
	select {
	case q.reading <- struct{}{}:
		defer func() { <-q.reading }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if q.filesRead == nil && q.filesErr == nil {
		files, err := read()
		if ctx.Err() != nil {
			return nil, ctx.Err() // another attempt may have the time
		}
		q.filesRead, q.filesErr = files, err
	}
	return q.filesRead, q.filesErr
}
