package dialect

import "slices"

// JSON is the media type of a body that is no stream.
const JSON = "application/json"

// Accepts is the media type that a request asks for: stream's if it wants one.
func Accepts(wanted bool, stream string) string {
	if wanted {
		return stream
	}
	return JSON
}

// NewUpstream returns a request whose body is JSON and whose answer is to be of the media
// type accept. It sorts what was dropped, and names it once.
func NewUpstream(path, accept string, body []byte, dropped []string) Upstream {
	slices.Sort(dropped)
	return Upstream{
		Path:    path,
		Headers: []Header{{Name: "content-type", Value: JSON}, {Name: "accept", Value: accept}},
		Body:    body,
		Dropped: slices.Compact(dropped),
	}
}
