package cohere

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// readUsage reads the usage of a conversation. The API tells what it bills beside what
// it counted, which includes the words that it puts around the client's own. Prices are
// for what is billed; where that is missing, what was counted stands in. It reports
// false for usage that counts nothing.
func readUsage(object []byte) (dialect.Usage, bool) {
	var billed, tokens []byte
	usage := dialect.Usage{}
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "billed_units":
			billed = c.Value
		case "tokens":
			tokens = c.Value
		case "cached_tokens":
			dialect.ReadCount(&usage.CacheRead, c.Value)
		}
	}
	for _, counts := range [][]byte{tokens, billed} {
		dialect.ReadCount(&usage.Prompt, rawjson.Get(counts, "input_tokens"))
		dialect.ReadCount(&usage.Completion, rawjson.Get(counts, "output_tokens"))
	}
	usage.CacheRead = min(usage.CacheRead, usage.Prompt)
	return usage, usage.Prompt+usage.Completion > 0
}

// billed reads what a task is billed: searches, or the tokens of texts and images.
func (d *decoder) billed(meta []byte) {
	var usage dialect.Usage
	var text, image int64
	for c := rawjson.Walk(rawjson.Get(meta, "billed_units")); c.Next(); {
		switch string(c.Name) {
		case "search_units":
			dialect.ReadCount(&usage.SearchUnits, c.Value)
		case "input_tokens":
			dialect.ReadCount(&usage.Prompt, c.Value)
		case "text_tokens":
			dialect.ReadCount(&text, c.Value)
		case "image_tokens":
			dialect.ReadCount(&image, c.Value)
		}
	}
	// Input tokens are all, or those of texts alone, as the model has it.
	usage.Prompt = max(usage.Prompt, text+image)
	if usage.Prompt+usage.SearchUnits > 0 {
		d.emit(dialect.Event{Kind: dialect.EventUsage, Usage: usage})
	}
}

// vectors reads the vectors of one form, which is all that is asked for: the API names
// the form, and its first version did not.
func (d *decoder) vectors(embeddings []byte) {
	list := embeddings
	if rawjson.Kind(list) == '{' {
		list = nil
		for c := rawjson.Walk(embeddings); c.Next(); {
			if first := rawjson.Walk(c.Value); list == nil && first.Next() {
				list = c.Value
			}
		}
	}
	d.events = dialect.AppendVectors(d.events, list)
}

func (d *decoder) ranks(results []byte) {
	for c := rawjson.Walk(results); c.Next(); {
		index, counted := rawjson.Int(rawjson.Get(c.Value, "index"))
		if !counted || index < 0 {
			index = -1 // which no document has
		}
		d.emit(dialect.Event{Kind: dialect.EventRank, Index: int(index), Raw: rawjson.Get(c.Value, "relevance_score")})
	}
}
