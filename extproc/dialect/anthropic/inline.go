package anthropic

import (
	"github.com/go-json-experiment/json"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// inliner copies a request's messages with what was fetched in the place of its URLs.
// It looks where [eachSource] does.
type inliner struct {
	fetched map[dialect.Remote]dialect.Media
	err     error
}

// inline is a request with what was fetched for it.
func inline(client *dialect.Request) ([]byte, error) {
	if len(client.Fetched) == 0 {
		return client.Raw, nil
	}
	in := inliner{fetched: client.Fetched}
	body := []byte{'{'}
	for c := rawjson.Walk(client.Raw); c.Next(); {
		if string(c.Name) != "messages" {
			body = rawjson.AppendRaw(body, c.Member)
			continue
		}
		body = append(rawjson.AppendName(body, "messages"), '[')
		for turn := rawjson.Walk(c.Value); turn.Next(); {
			body = in.object(rawjson.Comma(body), turn.Value, 0)
		}
		body = append(body, ']')
	}
	return append(body, '}'), in.err
}

// object copies what has blocks in its content: a turn, a tool's result, a source.
func (in *inliner) object(dst, object []byte, depth int) []byte {
	dst = append(dst, '{')
	for c := rawjson.Walk(object); c.Next(); {
		if string(c.Name) != "content" || rawjson.Kind(c.Value) != '[' || depth == deepest {
			dst = rawjson.AppendRaw(dst, c.Member)
			continue
		}
		dst = append(rawjson.AppendName(dst, "content"), '[')
		for block := rawjson.Walk(c.Value); block.Next(); {
			dst = in.block(rawjson.Comma(dst), block.Value, depth)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func (in *inliner) block(dst, block []byte, depth int) []byte {
	kind := dialect.PartImage
	switch rawjson.Text(rawjson.Get(block, "type")) {
	case "image":
	case "document":
		kind = dialect.PartFile
	case "tool_result":
		return in.object(dst, block, depth+1)
	default:
		return append(dst, block...)
	}
	dst = append(dst, '{')
	for c := rawjson.Walk(block); c.Next(); {
		if string(c.Name) == "source" && rawjson.Kind(c.Value) == '{' {
			dst = in.source(rawjson.AppendName(dst, "source"), kind, c.Value, depth)
		} else {
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return append(dst, '}')
}

func (in *inliner) source(dst []byte, kind dialect.PartKind, source []byte, depth int) []byte {
	media, ok := in.fetched[dialect.Remote{Kind: kind, URL: sourceURL(source)}]
	if !ok {
		return in.object(dst, source, depth+1)
	}
	made, err := (&builder{}).mediaSource(&dialect.Part{Kind: kind, Media: &media})
	if err != nil {
		in.err = err
		return append(dst, "null"...)
	}
	data, err := json.Marshal(made)
	if err != nil {
		in.err = err
	}
	return append(dst, data...)
}
