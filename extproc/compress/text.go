package compress

import (
	"sort"
	"unicode/utf8"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// Marker stands where text was left out of a message.
const Marker = "\n[...]\n"

// leastText is what at least remains of a text that is cut, in bytes with the marker.
const leastText = 256

// place is where a text is: in a part of a message, or of a result in that part.
type place struct {
	message, part int
	inner         int // -1 for the part itself
}

// eachText visits the texts of a unit that may be cut.
func (c *conversation) eachText(u *unit, visit func(place, string)) {
	for at := u.from; at < u.to; at++ {
		parts := c.chat.Messages[at].Parts
		for i := range parts {
			if parts[i].Kind == dialect.PartText {
				visit(place{at, i, -1}, parts[i].Text)
			}
			if parts[i].Result == nil {
				continue
			}
			for j := range parts[i].Result.Parts {
				if inner := &parts[i].Result.Parts[j]; inner.Kind == dialect.PartText {
					visit(place{at, i, j}, inner.Text)
				}
			}
		}
	}
}

// shortens reports whether the texts of a unit can be cut by so many bytes.
func (c *conversation) shortens(u *unit, excess int64) bool {
	c.eachText(u, func(_ place, text string) { excess -= int64(max(0, len(text)-leastText)) })
	return excess <= 0
}

// shorten cuts the longest texts of the units to one length, so that excess is saved or
// as much as can be.
func (c *conversation) shorten(excess int64, of func(*unit) bool) {
	texts := map[place]string{}
	longest := 0
	for i := range c.units {
		if !of(&c.units[i]) {
			continue
		}
		c.eachText(&c.units[i], func(at place, text string) {
			if _, cut := c.cuts[at]; !cut && len(text) > leastText {
				texts[at], longest = text, max(longest, len(text))
			}
		})
	}
	// The longest length of all that saves enough, or else the least.
	length := leastText + sort.Search(max(0, longest-leastText), func(i int) bool {
		var saved int64
		for _, text := range texts {
			saved += int64(max(0, len(text)-leastText-i-1))
		}
		return saved < excess
	})
	for at, text := range texts {
		if len(text) > length {
			c.cuts[at] = length
			c.saved += int64(len(text) - len(cut(text, length)))
		}
	}
}

// cut leaves the start and the end of a text, together at most so many bytes. No
// character is cut in two.
func cut(text string, length int) string {
	half := (length - len(Marker)) / 2
	head, tail := half, len(text)-half
	for head > 0 && !utf8.RuneStart(text[head]) {
		head--
	}
	for tail < len(text) && !utf8.RuneStart(text[tail]) {
		tail++
	}
	return text[:head] + Marker + text[tail:]
}

// cutParts returns the parts of a message with their texts cut, and parts itself if none
// is to be.
func (c *conversation) cutParts(parts []dialect.Part, message int) []dialect.Part {
	changed := parts
	own := func(i int) *dialect.Part {
		if &changed[0] == &parts[0] {
			changed = append([]dialect.Part(nil), parts...)
		}
		return &changed[i]
	}
	for i := range parts {
		if length, ok := c.cuts[place{message, i, -1}]; ok {
			own(i).Text = cut(parts[i].Text, length)
		}
		if parts[i].Result == nil {
			continue
		}
		var result *dialect.ToolResult
		for j := range parts[i].Result.Parts {
			length, ok := c.cuts[place{message, i, j}]
			if !ok {
				continue
			}
			if result == nil {
				copied := *parts[i].Result
				copied.Parts = append([]dialect.Part(nil), copied.Parts...)
				result = &copied
				own(i).Result = result
			}
			result.Parts[j].Text = cut(result.Parts[j].Text, length)
		}
	}
	return changed
}
