// Package fetch gets images and files from the URLs that clients give, for providers
// that take them only as bytes.
//
// The URL is a stranger's, and the gateway stands where strangers do not: all that a
// URL names is distrusted. Read client.go for where connections may go, allow.go for
// the operator's exceptions, read.go for what is taken of an answer.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// Options of a Fetcher. All but Allow are needed.
type Options struct {
	// Allow are hosts and networks that may be fetched from although they are not
	// public: networks, addresses, and host names such as "minio.internal" or
	// "*.corp.example".
	Allow []string
	// MaxBytes bounds one file, MaxTotal all files of one request together.
	MaxBytes, MaxTotal int64
	// Timeout bounds all fetching for one request.
	Timeout time.Duration
}

const (
	// mostFiles is how many files one request may have fetched.
	mostFiles = 20
	// atOnce is how many files are fetched at a time, of all requests together, ofClient
	// those of one client, and atOnceEach those of one request.
	atOnce     = 64
	ofClient   = atOnce / 2
	atOnceEach = 6
)

// Fetcher fetches. It is safe for concurrent use.
type Fetcher struct {
	options Options
	allow   allowed
	client  *http.Client
	slots   chan struct{}

	mu     sync.Mutex
	shares map[string]*share
}

// share is what one client has of the slots, for as long as it fetches.
type share struct {
	slots chan struct{}
	users int
}

// enter returns the share of a client, to be left again.
func (f *Fetcher) enter(client string) *share {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.shares[client]
	if s == nil {
		most := ofClient
		if client == "" {
			most = atOnce // nothing tells clients apart
		}
		s = &share{slots: make(chan struct{}, most)}
		f.shares[client] = s
	}
	s.users++
	return s
}

func (f *Fetcher) leave(client string, s *share) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.users--; s.users == 0 {
		delete(f.shares, client)
	}
}

// Request is what is fetched for one request, by whichever of its attempts. It is not safe
// for concurrent use.
type Request struct {
	fetcher *Fetcher
	client  string
	files   int
	left    atomic.Int64 // bytes
}

// Request returns one of a client, by a name that tells clients apart, "" if there is none.
func (f *Fetcher) Request(client string) *Request {
	r := &Request{fetcher: f, client: client}
	r.left.Store(f.options.MaxTotal)
	return r
}

// New returns a Fetcher. The error is about an entry of Allow.
func New(options Options) (*Fetcher, error) {
	allow, err := parseAllow(options.Allow)
	if err != nil {
		return nil, err
	}
	f := &Fetcher{options: options, allow: allow, slots: make(chan struct{}, atOnce), shares: make(map[string]*share)}
	f.client = newClient(allow)
	return f, nil
}

// Fetch gets every piece, or none: the first failure ends the others. An error is a
// *dialect.Error that names no more of a URL than its host, or ctx's own.
func (r *Request) Fetch(ctx context.Context, pieces []dialect.Remote) (map[dialect.Remote]dialect.Media, error) {
	f := r.fetcher
	if r.files += len(pieces); r.files > mostFiles {
		return nil, &dialect.Error{
			Status: http.StatusBadRequest, Type: "invalid_request",
			Message: fmt.Sprintf("The request names %d files by URL that this model's provider takes only as data, and the gateway fetches %d at most. Send the data itself with base64.", r.files, mostFiles),
		}
	}
	limited, cancel := context.WithTimeout(ctx, f.options.Timeout)
	defer cancel()
	group, inner := errgroup.WithContext(limited)
	group.SetLimit(atOnceEach)
	share := f.enter(r.client)
	defer f.leave(r.client, share)
	var (
		mu      sync.Mutex
		fetched = make(map[dialect.Remote]dialect.Media, len(pieces))
	)
	for _, piece := range pieces {
		group.Go(func() error {
			media, err := f.one(inner, share, piece, &r.left)
			if err != nil {
				return f.failed(piece, err)
			}
			mu.Lock()
			defer mu.Unlock()
			fetched[piece] = media
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	return fetched, nil
}

func (f *Fetcher) one(ctx context.Context, share *share, piece dialect.Remote, budget *atomic.Int64) (dialect.Media, error) {
	for _, slots := range []chan struct{}{share.slots, f.slots} {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		case <-ctx.Done():
			return dialect.Media{}, errBusy
		}
	}
	response, err := f.get(ctx, piece.URL)
	if err != nil {
		return dialect.Media{}, err
	}
	defer response.Body.Close()
	return f.read(response, piece.Kind, budget)
}

// reason is why a file cannot be had, as the client is told.
type reason string

func (r reason) Error() string { return string(r) }

const (
	errBusy     = reason("the gateway is busy with other downloads")
	errURL      = reason("its URL cannot be used; it must be https, without a user name, and at most 8192 bytes long")
	errNotOurs  = reason("it is not at a public address with https at port 443, and the gateway fetches from no other unless fetch.allow names it")
	errRedirect = reason("it redirects too often")
	errEncoded  = reason("its server compresses it although it was not asked to")
	errTotal    = reason("the files of the request are too large together; send fewer or smaller ones")
)

// failed is what the client is told.
func (f *Fetcher) failed(piece dialect.Remote, err error) error {
	var why reason
	switch {
	case errors.As(err, &why):
	case errors.Is(err, context.DeadlineExceeded):
		why = reason(fmt.Sprintf("it did not come within %v", f.options.Timeout))
	default:
		why = "its server cannot be reached, or broke off" // more could tell what is inside
	}
	status := http.StatusBadRequest
	if why == errBusy {
		status = http.StatusServiceUnavailable
	}
	return &dialect.Error{
		Status: status, Type: "image_download_failed",
		Message: fmt.Sprintf("%s at %s could not be downloaded: %s.", what[piece.Kind], hostOf(piece.URL), why),
	}
}

var what = map[dialect.PartKind]string{
	dialect.PartImage: "The image", dialect.PartAudio: "The audio", dialect.PartVideo: "The video", dialect.PartFile: "The file",
}
