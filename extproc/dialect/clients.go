package dialect

import (
	"maps"
	"slices"
	"strings"
)

// Clients are client dialects by the paths under which they are served. A path that
// ends in a slash stands for everything below it.
type Clients map[string]Client

// At finds the dialect that a request to path, which has no query, is written in. Of
// several the longest counts.
func (c Clients) At(path string) (Client, bool) {
	if client, ok := c[path]; ok {
		return client, true
	}
	for end := len(path); ; {
		end = strings.LastIndexByte(path[:end], '/')
		if end < 0 {
			return nil, false
		}
		if client, ok := c[path[:end+1]]; ok {
			return client, true
		}
	}
}

// Paths returns the paths, sorted.
func (c Clients) Paths() []string { return slices.Sorted(maps.Keys(c)) }

// HeadReader is a client dialect whose requests say in their path or headers what
// others say in their bodies.
type HeadReader interface {
	// ReadHead returns the dialect for one request: its Parse knows what the head
	// says. The error is an *Error fit to be shown to the client.
	ReadHead(Head) (Client, error)
}

// Head is what a request says before its body.
type Head struct {
	// Path is as the client sent it, still escaped; Query follows the question mark.
	Path, Query string
	// Header returns a header's value, "" if there is none. Names are lower-case.
	Header func(name string) string
}
