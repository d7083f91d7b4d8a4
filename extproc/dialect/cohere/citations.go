package cohere

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// cite turns a citation of the text into annotations, one for each source. Citations of
// thoughts and plans have no place in an answer. The API counts characters, as clients do.
func (d *decoder) cite(citation []byte) {
	var sources, text []byte
	var start, end, block int64
	kind := ""
	for c := rawjson.Walk(citation); c.Next(); {
		switch string(c.Name) {
		case "start":
			start, _ = rawjson.Int(c.Value)
		case "end":
			end, _ = rawjson.Int(c.Value)
		case "content_index":
			block, _ = rawjson.Int(c.Value)
		case "type":
			kind = rawjson.Text(c.Value)
		case "text":
			text = c.Value
		case "sources":
			sources = c.Value
		}
	}
	if kind != "" && kind != "TEXT_CONTENT" {
		return
	}
	base := d.bases[block]
	for c := rawjson.Walk(sources); c.Next(); {
		if raw := annotation(c.Value, text, base+start, base+end); raw != nil {
			d.emit(dialect.Event{Kind: dialect.EventAnnotation, Raw: raw})
		}
	}
}

// annotation is a citation as clients know it: of a URL. Documents and results of tools
// that have none are named by their ids, which are how the client told of them.
func annotation(source, text []byte, start, end int64) []byte {
	var id, held []byte
	for c := rawjson.Walk(source); c.Next(); {
		switch string(c.Name) {
		case "id":
			id = c.Value
		case "document", "tool_output":
			held = c.Value
		}
	}
	url, title := rawjson.Get(held, "url"), rawjson.Get(held, "title")
	if len(rawjson.Unquote(url)) == 0 {
		url = id
	}
	if len(rawjson.Unquote(url)) == 0 {
		return nil
	}
	if rawjson.Kind(title) != '"' {
		title = id
	}
	raw := rawjson.AppendMember([]byte(`{"type":"url_citation","url_citation":{`), "url", url)
	if rawjson.Kind(title) == '"' {
		raw = rawjson.AppendMember(raw, "title", title)
	}
	if rawjson.Kind(text) == '"' {
		raw = rawjson.AppendMember(raw, "content", text)
	}
	raw = rawjson.AppendInt(raw, "start_index", max(0, start))
	return append(rawjson.AppendInt(raw, "end_index", max(0, end)), "}}"...)
}
