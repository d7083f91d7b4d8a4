package responses

import (
	"bytes"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// input copies the conversation. SDKs send an answer's items back as they hold them,
// with nulls where they hold nothing, which the API refuses in places.
func (e *editor) input(dst []byte, c *rawjson.Cursor) []byte {
	if e.plain || rawjson.Kind(c.Value) != '[' {
		return rawjson.AppendRaw(dst, c.Member)
	}
	dst = append(rawjson.AppendName(dst, "input"), '[')
	for it := rawjson.Walk(c.Value); it.Next(); {
		dst = e.item(dst, it.Value)
	}
	return append(dst, ']')
}

func (e *editor) item(dst, item []byte) []byte {
	kind := rawjson.Text(rawjson.Get(item, "type"))
	if kind == "reasoning" {
		return e.thought(dst, item)
	}
	if rawjson.Text(rawjson.Get(item, "role")) == "user" {
		e.forgotten = false
	}
	marked := e.stripsCache() && bytes.Contains(item, []byte("cache_control"))
	if !e.forgotten && !marked && !bytes.Contains(item, []byte("null")) {
		return rawjson.AppendRaw(dst, item)
	}
	dst = append(rawjson.Comma(dst), '{')
	for c := rawjson.Walk(item); c.Next(); {
		switch name := string(c.Name); {
		case !rawjson.Present(c.Value), name == "id" && e.forgotten, name == "cache_control" && marked:
		case marked && rawjson.Kind(c.Value) == '[' && (name == "content" || name == "output"):
			dst = append(append(append(rawjson.Comma(dst), '"'), name...), '"', ':', '[')
			for part := rawjson.Walk(c.Value); part.Next(); {
				dst = appendWithout(dst, part.Value, "cache_control")
			}
			dst = append(dst, ']')
		default:
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return append(dst, '}')
}

// thought gives reasoning back to the endpoint that made it. What another one made, or
// nobody whom the gateway knows, would be refused (row 102); plain reasoning is only
// that of compatible servers.
func (e *editor) thought(dst, item []byte) []byte {
	blob, s, sealed := unseal(rawjson.Text(rawjson.Get(item, "encrypted_content")))
	own := sealed && (s.Endpoint == e.target.Endpoint || e.target.Endpoint == "")
	plain := !sealed && !e.target.Strict && rawjson.Kind(rawjson.Get(item, "content")) == '['
	if !own && !plain {
		e.forgotten = true
		return dst
	}
	dst = append(rawjson.Comma(dst), '{')
	for c := rawjson.Walk(item); c.Next(); {
		switch name := string(c.Name); {
		case !rawjson.Present(c.Value):
		case name == "encrypted_content" && sealed:
			dst = rawjson.AppendText(dst, name, blob)
		case name == "id" && s.ID != "":
			dst = rawjson.AppendText(dst, name, s.ID)
		case name == "id" && strings.Contains(rawjson.Text(c.Value), "_tmp_"):
			// The gateway's own, which tells the provider nothing.
		default:
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return append(dst, '}')
}
