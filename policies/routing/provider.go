package routing

import "github.com/switchyard/switchyard/policies/catalog"

// placeOf returns the place of the first name that is that of the endpoint's
// provider, or the length of the list: its slug or any other beginning of the tag
// ("google-vertex" of "google-vertex/us-east5"), the whole tag, or the display name
// (spec section 2.1).
func (w words) placeOf(e *catalog.Endpoint) int {
	if len(w.list) == 0 {
		return 0
	}
	return min(w.place(e.Provider.Slug), w.place(e.Provider.Name), w.placeOfPart(e.Tag, '/'))
}

// identify reports whether one of the names is that of the endpoint's provider.
func (w words) identify(e *catalog.Endpoint) bool { return w.placeOf(e) < len(w.list) }
