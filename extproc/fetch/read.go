package fetch

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/gabriel-vasile/mimetype"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// read takes in a file as base64. Its type is what its first bytes say; what its server
// says does not count, and neither does more than the limits come into memory.
func (f *Fetcher) read(response *http.Response, kind dialect.PartKind, budget *atomic.Int64) (dialect.Media, error) {
	if encoding := response.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return dialect.Media{}, errEncoded
	}
	if response.ContentLength > f.options.MaxBytes {
		return dialect.Media{}, f.tooLarge()
	}
	body := &bounded{reader: response.Body, left: f.options.MaxBytes, tooLarge: f.tooLarge(), budget: budget}
	head := make([]byte, 3072) // as much as the detector looks at
	n, err := io.ReadFull(body, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return dialect.Media{}, err
	}
	head = head[:n]
	found := typeOf(head)
	if !takes(kind, found) {
		return dialect.Media{}, reason(fmt.Sprintf("what is there is not %s", wanted[kind]))
	}
	var text strings.Builder
	// What a server declares costs nothing until it comes.
	text.Grow(base64.StdEncoding.EncodedLen(int(min(max(response.ContentLength, int64(n)), 1<<20))))
	encoder := base64.NewEncoder(base64.StdEncoding, &text)
	if _, err := encoder.Write(head); err != nil {
		return dialect.Media{}, err
	}
	if _, err := io.Copy(encoder, body); err != nil {
		return dialect.Media{}, err
	}
	if err := encoder.Close(); err != nil {
		return dialect.Media{}, err
	}
	return dialect.Media{Data: text.String(), Type: found}, nil
}

func (f *Fetcher) tooLarge() reason {
	return reason(fmt.Sprintf("it is larger than %d bytes", f.options.MaxBytes))
}

// bounded reads no more than left, and than what the request has left of its budget.
type bounded struct {
	reader   io.Reader
	left     int64
	tooLarge reason
	budget   *atomic.Int64
}

func (b *bounded) Read(into []byte) (int, error) {
	n, err := b.reader.Read(into)
	b.left -= int64(n)
	switch {
	case b.left < 0:
		return 0, b.tooLarge
	case b.budget.Add(-int64(n)) < 0:
		return 0, errTotal
	}
	return n, err
}

// typeOf is the media type that a file's first bytes say, by
// github.com/gabriel-vasile/mimetype: net/http's own detection knows no FLAC, no
// QuickTime, and of MP3 only what begins with a tag.
func typeOf(head []byte) string {
	kind, _, _ := strings.Cut(mimetype.Detect(head).String(), ";")
	return kind
}

var images = []string{"image/png", "image/jpeg", "image/webp", "image/gif"}

// takes reports whether a file of a type can be what the client uses it as. Text is
// nothing that comes this way: a page that says "not found" is not a document.
func takes(kind dialect.PartKind, found string) bool {
	switch kind {
	case dialect.PartImage:
		return slices.Contains(images, found)
	case dialect.PartAudio:
		return strings.HasPrefix(found, "audio/")
	case dialect.PartVideo:
		return strings.HasPrefix(found, "video/")
	}
	return found == "application/pdf" || slices.Contains(images, found) ||
		strings.HasPrefix(found, "audio/") || strings.HasPrefix(found, "video/")
}

var wanted = map[dialect.PartKind]string{
	dialect.PartImage: "a PNG, JPEG, WebP or GIF image", dialect.PartAudio: "audio", dialect.PartVideo: "video",
	dialect.PartFile: "a PDF, an image, audio or video",
}
