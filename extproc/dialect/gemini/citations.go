package gemini

import (
	"strconv"
	"unicode/utf8"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// cite turns citations of what the model has learnt from into annotations.
func (d *decoder) cite(at *candidate, metadata []byte) {
	for _, name := range []string{"citationSources", "citations"} { // in AI Studio, in Vertex
		for c := rawjson.Walk(rawjson.Get(metadata, name)); c.Next(); {
			d.annotate(at, rawjson.Get(c.Value, "uri"), rawjson.Get(c.Value, "title"), c.Value)
		}
	}
}

// ground turns the pages that a search found, and the text that they support, into
// annotations.
func (d *decoder) ground(at *candidate, metadata []byte) {
	d.searched(rawjson.Get(metadata, "webSearchQueries"))
	var pages [][]byte
	for c := rawjson.Walk(rawjson.Get(metadata, "groundingChunks")); c.Next(); {
		pages = append(pages, rawjson.Get(c.Value, "web"))
	}
	for c := rawjson.Walk(rawjson.Get(metadata, "groundingSupports")); c.Next(); {
		segment := rawjson.Get(c.Value, "segment")
		for i := rawjson.Walk(rawjson.Get(c.Value, "groundingChunkIndices")); i.Next(); {
			if n, ok := rawjson.Int(i.Value); ok && n >= 0 && n < int64(len(pages)) {
				d.annotate(at, rawjson.Get(pages[n], "uri"), rawjson.Get(pages[n], "title"), segment)
			}
		}
	}
}

// mostQueries bounds how many searches of an answer are told apart.
const mostQueries = 256

// searched notes queries, which the API repeats.
func (d *decoder) searched(queries []byte) {
	for c := rawjson.Walk(queries); c.Next(); {
		if query := rawjson.Text(c.Value); query != "" && len(d.queries) < mostQueries {
			if d.queries == nil {
				d.queries = map[string]bool{}
			}
			d.queries[query] = true
		}
	}
}

// searches is how many searches are charged: from the third generation of models on each
// query once, empty ones not, and before it the answer as one
// (ai.google.dev/gemini-api/docs/pricing and .../google-search).
func (d *decoder) searches() int64 {
	if generation(d.version) < newest {
		return min(int64(len(d.queries)), 1)
	}
	return int64(len(d.queries))
}

// mostCitations bounds the work that a provider can cause: the text is counted for
// each.
const mostCitations = 2000

// annotate tells of one source of a piece of the text, once. The API repeats what it
// has told, and counts in bytes of UTF-8 where clients count characters.
func (d *decoder) annotate(at *candidate, url, title, piece []byte) {
	if at.citations++; rawjson.Kind(url) != '"' || at.citations > mostCitations {
		return
	}
	characters := func(name string) int64 {
		n, _ := rawjson.Int(rawjson.Get(piece, name))
		return int64(utf8.RuneCount(at.text[:max(0, min(n, int64(len(at.text))))]))
	}
	raw := append([]byte(`{"type":"url_citation","url_citation":{"url":`), url...)
	if rawjson.Kind(title) == '"' {
		raw = rawjson.AppendMember(raw, "title", title)
	}
	if words := rawjson.Get(piece, "text"); rawjson.Kind(words) == '"' {
		raw = rawjson.AppendMember(raw, "content", words)
	}
	raw = strconv.AppendInt(rawjson.AppendName(raw, "start_index"), characters("startIndex"), 10)
	raw = strconv.AppendInt(rawjson.AppendName(raw, "end_index"), characters("endIndex"), 10)
	raw = append(raw, "}}"...)
	if at.cited[string(raw)] {
		return
	}
	if at.cited == nil {
		at.cited = map[string]bool{}
	}
	at.cited[string(raw)] = true
	d.emit(dialect.Event{Kind: dialect.EventAnnotation, Choice: at.index, Raw: raw})
}
