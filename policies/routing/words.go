package routing

import "strings"

// words are a client's or a policy's list of names, of which letter case does not
// count. Looking one up costs the same however long the list is: what a request says
// of providers is held against every endpoint of the catalog when a router chooses.
type words struct {
	list []string
	// places are where each name stands first in a list too long to be searched, in
	// lower case; nil for a short one.
	places map[string]int
}

// maxSearched is the length up to which searching a list is faster than indexing it.
const maxSearched = 8

func newWords(list []string) words {
	w := words{list: list}
	if len(list) > maxSearched {
		w.places = make(map[string]int, len(list))
		for i, name := range list {
			name = strings.ToLower(name)
			if _, earlier := w.places[name]; !earlier {
				w.places[name] = i
			}
		}
	}
	return w
}

// place returns where a name stands first in the list, or its length if nowhere.
func (w words) place(name string) int {
	if w.places != nil {
		if at, ok := w.places[strings.ToLower(name)]; ok {
			return at
		}
		return len(w.list)
	}
	for i := range w.list {
		if strings.EqualFold(w.list[i], name) {
			return i
		}
	}
	return len(w.list)
}

// placeOfPart is place for the name, or for any beginning of it that a separator
// ends: "eu" of "eu-west-1".
func (w words) placeOfPart(name string, separator byte) int {
	first := w.place(name)
	for end := range len(name) {
		if name[end] == separator {
			first = min(first, w.place(name[:end]))
		}
	}
	return first
}

// has reports whether the name is in the list.
func (w words) has(name string) bool { return w.place(name) < len(w.list) }
