package pdftext

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/switchyard/switchyard/extproc/pdftext/pdftexttest"
)

// directory keeps the code of parser, which is shared: to compile takes seconds.
var directory string

var parser = sync.OnceValue(func() *Parser { return New(directory) })

func TestMain(m *testing.M) {
	var err error
	if directory, err = os.MkdirTemp("", "pdftext"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(directory)
	os.Exit(code)
}

// kept are the times at which the files of code in the directory were written.
func kept(t *testing.T, change func(path string) error) map[string]time.Time {
	t.Helper()
	times := make(map[string]time.Time)
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if err := change(path); err != nil {
			return err
		}
		info, err := entry.Info()
		times[path] = info.ModTime()
		return err
	})
	if err != nil || len(times) == 0 {
		t.Fatalf("%d files, %v", len(times), err)
	}
	return times
}

// The code is kept, and found again; what stands in its place is no code.
func TestKeepsTheCode(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	read := func(by *Parser) {
		t.Helper()
		if got, err := by.Text(t.Context(), pdftexttest.Document("Hello")); got != "Hello" || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
	}
	nothing := func(string) error { return nil }
	read(parser())
	before := kept(t, nothing)
	read(New(directory))
	if after := kept(t, nothing); !maps.Equal(before, after) {
		t.Errorf("compiled again: %v, then %v", before, after)
	}
	kept(t, func(path string) error { return os.WriteFile(path, []byte("no code"), 0o600) })
	read(New(directory))
}

func TestTextOfPages(t *testing.T) {
	file := pdftexttest.Document("Hello (world)", "", "Page three")
	before := bytes.Clone(file)
	got, err := parser().Text(t.Context(), file)
	if want := "Hello (world)\n\nPage three"; err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if !bytes.Equal(before, file) {
		t.Error("the file was written to")
	}
}

func TestWhatHasNoTextToGive(t *testing.T) {
	whole := pdftexttest.Document("Hello")
	for name, test := range map[string]struct {
		file []byte
		want error
	}{
		"nothing":           {nil, ErrCorrupt},
		"something else":    {[]byte("<html>not found</html>"), ErrCorrupt},
		"cut":               {whole[:40], ErrCorrupt},
		"encrypted":         {pdftexttest.Encrypted(), ErrEncrypted},
		"a scan":            {pdftexttest.Document("", ""), ErrNoText},
		"too many pages":    {pdftexttest.Contents("", make([]string, mostPages+1)...), ErrTooLarge},
		"count that lies":   {bytes.Replace(whole, []byte("/Count 1"), []byte("/Count 999999999"), 1), nil},
		"pages in a circle": {bytes.Replace(whole, []byte("/Kids[4 0 R ]"), []byte("/Kids[2 0 R ]"), 1), nil},
		"nested beyond use": {bytes.Replace(whole, []byte("/MediaBox[0 0 612 792]"), []byte("/MediaBox"+strings.Repeat("[", 100000)), 1), nil},
	} {
		text, err := parser().Text(t.Context(), test.file)
		var reason Reason
		if test.want != nil && !errors.Is(err, test.want) || err != nil && !errors.As(err, &reason) {
			t.Errorf("%s: %q, %v, want %v", name, text, err, test.want)
		}
	}
}

// A file of a megabyte must not take a gigabyte, nor an afternoon.
func TestBombs(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	var before, after runtime.MemStats
	if _, err := parser().Text(t.Context(), pdftexttest.Document("warm")); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"unpacks to 400 MB":  strings.Repeat(" ", 400<<20),
		"a page of all text": "BT /F1 12 Tf " + strings.Repeat("(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa) Tj ", 200000) + " ET",
	} {
		file := pdftexttest.Contents("", content)
		content = ""
		runtime.ReadMemStats(&before)
		began := time.Now()
		text, err := parser().Text(t.Context(), file)
		runtime.ReadMemStats(&after)
		var reason Reason
		if !errors.As(err, &reason) || time.Since(began) > mostTime+5*time.Second {
			t.Errorf("%s: %d bytes, %v in %v", name, len(text), err, time.Since(began))
		}
		// Growing copies, so that what is allocated in all is a few times what is held.
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 10*mostMemory {
			t.Errorf("%s: takes %d MiB", name, taken>>20)
		}
		t.Logf("%s: %d bytes of a file: %v in %v, %d MiB", name, len(file), err, time.Since(began).Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20)
	}
	if _, err := parser().Text(t.Context(), pdftexttest.Document("still there")); err != nil {
		t.Error(err)
	}
}

func TestEndsWithItsContext(t *testing.T) {
	slow := pdftexttest.Contents("", "BT /F1 12 Tf "+strings.Repeat("(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa) Tj ", 20000)+" ET")
	if _, err := parser().Text(t.Context(), pdftexttest.Document("warm")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := parser().Text(ctx, slow); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
	var group sync.WaitGroup
	for i := range 4 * atOnce { // more than have room at once, and the room is free again
		group.Go(func() {
			want := fmt.Sprintf("file %d", i)
			if got, err := parser().Text(t.Context(), pdftexttest.Document(want)); got != want || err != nil {
				t.Errorf("%q, %v, want %q", got, err, want)
			}
		})
	}
	group.Wait()
}

func TestClean(t *testing.T) {
	if got, want := clean("\r\nmanip\x02ulation\r\n\x00a\rb\tc\ufffe\xff \x7f"), "manipulation\na\nb\tc\uFFFD"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzText(f *testing.F) {
	whole := pdftexttest.Document("Hello", "world")
	// To compile takes longer than a worker may take for an input.
	if _, err := parser().Text(f.Context(), whole); err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(pdftexttest.Encrypted())
	f.Add(pdftexttest.Contents("/Prev 9", "BT /F1 1 Tf (a) Tj ET q q q /X Do BI ID EI"))
	f.Add(bytes.Replace(whole, []byte("/Length"), []byte("/Lengt\x00"), 1))
	f.Add(bytes.Replace(whole, []byte("2 0 R"), []byte("1 0 R"), 1))
	f.Add([]byte("%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 1 0 R>>\nendobj\ntrailer<</Root 1 0 R>>"))
	f.Fuzz(func(t *testing.T, file []byte) {
		text, err := parser().Text(t.Context(), file)
		var reason Reason
		if err != nil && !errors.As(err, &reason) {
			t.Fatal(err)
		}
		if err == nil && (text == "" || !utf8.ValidString(text) || len(text) > mostText+64) {
			t.Errorf("%d bytes of text that is none: %.100q", len(text), text)
		}
	})
}

func BenchmarkText(b *testing.B) {
	for _, pages := range []int{1, 100} {
		texts := make([]string, pages)
		for i := range texts {
			texts[i] = strings.Repeat("All work and no play. ", 20)
		}
		file := pdftexttest.Document(texts...)
		b.Run(fmt.Sprintf("%d pages", pages), func(b *testing.B) {
			if _, err := parser().Text(b.Context(), file); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parser().Text(b.Context(), file); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
