// Package pdftext reads the text of PDF files, for models that read no files.
//
// A PDF is a stranger's program in a language that has grown for thirty years, and its
// readers have a long record of memory errors. This one is PDFium, the reader of Chromium,
// compiled to WebAssembly (github.com/klippa-app/go-pdfium, run by wazero): it needs no
// cgo, reads what other readers only nearly do, and each file has a sandbox of its own,
// which has no files, no network, a bound on memory, and ends with its context.
package pdftext

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/klippa-app/go-pdfium"
	pdferrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// What one file may cost. Larger files are for models that read them.
const (
	mostPages  = 1000
	mostText   = 4 << 20          // bytes
	mostMemory = 128 << 20        // bytes, of the sandbox
	mostTime   = 20 * time.Second // from when it is its turn
	atOnce     = 2                // files, of all requests together
)

// Reason is why a file has no text to give, as the client is told: it follows "the
// file".
type Reason string

func (r Reason) Error() string { return string(r) }

// The reasons.
const (
	ErrEncrypted = Reason("is encrypted; remove its password, or send its text")
	ErrCorrupt   = Reason("is no PDF that can be read; send another copy, or its text")
	ErrNoText    = Reason("holds no text, but pictures of it perhaps; send the pages as images, or ask a model that reads files")
	ErrTooLong   = Reason("takes too long to read; send fewer pages, or its text")
	ErrPage      = Reason("has a page that cannot be read, or takes too much memory; send another copy, or its text")
	ErrTooLarge  = Reason("has more than 1000 pages, or 4 MiB of text; send a part of it")
)

// Parser reads PDFs. It is safe for concurrent use. The zero value is not ready, see
// [New].
type Parser struct {
	slots chan struct{}
	// pool makes sandboxes.
	pool func() (pdfium.Pool, error)
}

// New returns a Parser, which costs nothing before its first file. To compile PDFium takes
// 3 s of that and for this time 300 MB, of which 30 MB remain; with a directory to keep
// the code in it is done once, and after that takes 0.3 s and no more memory than
// remains. Nobody else may write to the directory: it holds code.
func New(directory string) *Parser {
	return &Parser{slots: make(chan struct{}, atOnce), pool: sync.OnceValues(func() (pdfium.Pool, error) {
		defer debug.FreeOSMemory() // what it took to compile
		if directory != "" {
			if cache, err := wazero.NewCompilationCacheWithDir(directory); err == nil {
				if pool, err := compile(cache); err == nil {
					return pool, nil
				}
			}
		}
		return compile(nil) // a directory that is full or damaged is no reason to read nothing
	})}
}

// compile makes a pool of sandboxes, with code that is in the cache already, if there is
// one.
func compile(cache wazero.CompilationCache) (pdfium.Pool, error) {
	const page = 64 << 10 // of WebAssembly
	config := wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
		WithMemoryLimitPages(mostMemory / page).
		WithCloseOnContextDone(true)
	if cache != nil {
		config = config.WithCompilationCache(cache)
	}
	pool, err := webassembly.Init(webassembly.Config{
		MaxTotal:      atOnce,
		Stdout:        io.Discard,
		Stderr:        io.Discard,
		FSConfig:      wazero.NewFSConfig(), // no files; the default is all of them
		RuntimeConfig: config,
	})
	if err != nil {
		return nil, fmt.Errorf("pdftext: %w", err)
	}
	return pool, nil
}

// Ready waits until PDFium is compiled, which is no file's own time.
func (p *Parser) Ready() error {
	_, err := p.pool()
	return err
}

// Text returns the text of a PDF, its pages apart by an empty line. An error is a
// [Reason], ctx's own, or says that the parser cannot be had at all.
func (p *Parser) Text(ctx context.Context, file []byte) (string, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	pool, err := p.pool()
	if err != nil {
		return "", err
	}
	limited, cancel := context.WithTimeout(ctx, mostTime)
	defer cancel()
	instance, err := pool.GetInstanceWithContext(limited)
	if err != nil {
		return "", fmt.Errorf("pdftext: %w", err)
	}
	killed := make(chan struct{})
	keep := context.AfterFunc(limited, func() {
		defer close(killed)
		_ = instance.Kill()
	})
	text, err := read(limited, instance, file)
	if keep() {
		_ = instance.Close() // a sandbox that has broken cannot be closed in order; it goes all the same
	} else {
		<-killed
	}
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case limited.Err() != nil:
		return "", ErrTooLong
	}
	return text, err
}

// read is what runs in the sandbox. Whatever happens there is an error: go-pdfium
// catches what the WebAssembly runtime panics with.
func read(ctx context.Context, instance pdfium.Pdfium, file []byte) (string, error) {
	opened, err := instance.OpenDocument(&requests.OpenDocument{File: &file})
	switch {
	case errors.Is(err, pdferrors.ErrPassword), errors.Is(err, pdferrors.ErrSecurity):
		return "", ErrEncrypted
	case err != nil:
		return "", ErrCorrupt
	}
	counted, err := instance.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: opened.Document})
	if err != nil {
		return "", ErrCorrupt
	}
	if counted.PageCount > mostPages {
		return "", ErrTooLarge
	}
	var text strings.Builder
	for i := range counted.PageCount {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		said, err := pageText(instance, opened.Document, i)
		if err != nil { // a part of a document must not pass for the whole
			return "", ErrPage
		}
		if said = clean(said); said == "" {
			continue
		}
		if text.Len() > 0 {
			text.WriteString("\n\n")
		}
		text.WriteString(said)
		if text.Len() > mostText {
			return "", ErrTooLarge
		}
	}
	if text.Len() == 0 {
		return "", ErrNoText
	}
	return text.String(), nil
}

func pageText(instance pdfium.Pdfium, document references.FPDF_DOCUMENT, index int) (string, error) {
	page, err := instance.GetPageText(&requests.GetPageText{Page: requests.Page{ByIndex: &requests.PageByIndex{Document: document, Index: index}}})
	if err != nil {
		return "", err
	}
	return page.Text, nil
}

// clean takes out what is no text. PDFium marks a word that is divided at the end of a
// line with U+0002, and joins its halves.
func clean(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\r\n", "\n")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), r >= 0xFFFE && r <= 0xFFFF:
			return -1
		}
		return r
	}, text)
	return strings.TrimSpace(text)
}
