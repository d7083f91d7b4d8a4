package dialect

import (
	"maps"
	"slices"
)

// Gaps are what a provider's dialect has no place for in a conversation. The answer is
// much the same without it, so that it is left out; but clients get to know of it.
type Gaps struct {
	CacheControl bool // markers of a prefix to cache, on parts and tools
	ImageDetail  bool // how closely to look at an image
	FileNames    bool // of files
	StrictTools  bool // that calls keep to a function's schema
	// TakesThought reports whether the provider gets a detail of reasoning back that is
	// put together from its pieces. Other makers' stay behind (row 102).
	TakesThought func(*ReasoningDetail) bool
}

// Dropped names what of chat falls into the gaps, and what it does not hold itself, sorted
// and each once. Places within a message have no numbers, as of a long conversation there would be many.
func (g Gaps) Dropped(chat *Chat) []string {
	names := map[string]bool{}
	for _, name := range chat.Unsaid {
		names[name] = true
	}
	for i := range chat.Messages {
		parts := chat.Messages[i].Parts
		if slices.ContainsFunc(parts, func(part Part) bool { return part.Kind == PartReasoning }) {
			parts = JoinThoughts(parts)
		}
		eachPart(parts, func(part *Part) { g.note(names, part) })
	}
	for i := range chat.Tools {
		tool := &chat.Tools[i]
		if g.StrictTools && tool.Strict != nil && *tool.Strict {
			names["tools.strict"] = true
		}
		if g.CacheControl && tool.CacheControl != nil {
			names["cache_control"] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func (g Gaps) note(names map[string]bool, part *Part) {
	if g.CacheControl && part.CacheControl != nil {
		names["cache_control"] = true
	}
	switch media := part.Media; {
	case part.Kind == PartImage && g.ImageDetail && media.Detail != "" && media.Detail != "auto":
		names["messages.image_url.detail"] = true
	case part.Kind == PartFile && g.FileNames && media.Name != "":
		names["messages.file.filename"] = true
	case part.Kind == PartReasoning && g.TakesThought != nil && !g.TakesThought(part.Reasoning):
		names["messages.reasoning_details"] = true
	}
}
