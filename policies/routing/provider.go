package routing

import (
	"strings"

	"github.com/switchyard/switchyard/policies/catalog"
)

// identifies reports whether a name is that of the endpoint's provider: its slug or
// any other beginning of the tag ("google-vertex" of "google-vertex/us-east5"), the
// whole tag, or the display name (spec section 2.1). Letter case does not count.
func identifies(name string, e *catalog.Endpoint) bool {
	return strings.EqualFold(name, e.Provider.Slug) || strings.EqualFold(name, e.Provider.Name) ||
		beginsTag(name, e.Tag)
}

func beginsTag(name, tag string) bool {
	if len(name) > len(tag) || !strings.EqualFold(name, tag[:len(name)]) {
		return false
	}
	return len(name) == len(tag) || tag[len(name)] == '/'
}

// anyIdentifies returns the index of the first name that identifies the endpoint,
// or -1.
func anyIdentifies(list []string, e *catalog.Endpoint) int {
	for i, name := range list {
		if identifies(name, e) {
			return i
		}
	}
	return -1
}

// tagged reports whether one of the names is the endpoint's whole tag.
func tagged(list []string, e *catalog.Endpoint) bool {
	for _, name := range list {
		if strings.EqualFold(name, e.Tag) {
			return true
		}
	}
	return false
}
