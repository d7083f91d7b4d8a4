package responses

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Tools, choices and results may be in the words of Anthropic's API or of MCP, see
// [dialect.IsForeignTool] and [dialect.ForeignBlocks]. Parse notices on its way, and the
// request is then written anew as this API has it, once for all providers: what is not
// foreign stays as the client wrote it.

// native is a request, which has been read, without what is foreign.
func native(body []byte) ([]byte, error) {
	dst := append(make([]byte, 0, len(body)+len(body)/8), '{')
	serial, told := false, false
	for c := rawjson.Walk(body); c.Next(); {
		switch string(c.Name) {
		case "tools":
			dst = append(rawjson.AppendName(dst, "tools"), '[')
			for tool := rawjson.Walk(c.Value); tool.Next(); {
				dst = appendNativeTool(dst, tool.Value)
			}
			dst = append(dst, ']')
		case "tool_choice":
			dst = rawjson.AppendMember(dst, "tool_choice", nativeChoice(c.Value))
			serial = isSerial(c.Value)
		case "input":
			var err error
			if dst, err = appendNativeInput(dst, &c); err != nil {
				return nil, err
			}
		default:
			told = told || string(c.Name) == "parallel_tool_calls" && rawjson.Present(c.Value)
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	if serial && !told {
		dst = rawjson.AppendMember(dst, "parallel_tool_calls", []byte("false"))
	}
	return append(dst, '}'), nil
}

func appendNativeTool(dst, value []byte) []byte {
	if !dialect.IsForeignTool(value) {
		return rawjson.AppendRaw(dst, value)
	}
	tool, err := dialect.ReadForeignTool(value)
	if err != nil { // cannot be: it has been read
		return rawjson.AppendRaw(dst, value)
	}
	dst = appendFunction(dst, &tool)
	if marker := rawjson.Get(value, "cache_control"); rawjson.Present(marker) {
		dst = append(rawjson.AppendMember(dst[:len(dst)-1], "cache_control", marker), '}')
	}
	return dst
}

func nativeChoice(value []byte) []byte {
	if !dialect.IsForeignChoice(value) {
		return value
	}
	switch kind := rawjson.Text(rawjson.Get(value, "type")); kind {
	case "any":
		return []byte(`"required"`)
	case "tool":
		name := rawjson.Text(rawjson.Get(value, "name"))
		return append(rawjson.AppendText([]byte(`{"type":"function"`), "name", name), '}')
	default:
		return rawjson.AppendQuoted(nil, kind)
	}
}

// isSerial reports whether a choice of Anthropic's allows one call at a time.
func isSerial(choice []byte) bool {
	return dialect.IsForeignChoice(choice) && rawjson.True(rawjson.Get(choice, "disable_parallel_tool_use"))
}

// isForeignOutput reports whether a tool's output is MCP's object, or has a part that is
// none of this API's.
func isForeignOutput(output []byte) bool {
	if rawjson.Kind(output) != '[' {
		return rawjson.Kind(output) == '{'
	}
	for c := rawjson.Walk(output); c.Next(); {
		if kind := rawjson.Text(rawjson.Get(c.Value, "type")); kind == "text" || dialect.IsForeignBlock(kind) {
			return true
		}
	}
	return false
}

func appendNativeInput(dst []byte, input *rawjson.Cursor) ([]byte, error) {
	if rawjson.Kind(input.Value) != '[' {
		return rawjson.AppendRaw(dst, input.Member), nil
	}
	dst = append(rawjson.AppendName(dst, "input"), '[')
	i := 0
	for c := rawjson.Walk(input.Value); c.Next(); i++ {
		if !isForeignOutput(rawjson.Get(c.Value, "output")) {
			dst = rawjson.AppendRaw(dst, c.Value)
			continue
		}
		dst = append(rawjson.Comma(dst), '{')
		for m := rawjson.Walk(c.Value); m.Next(); {
			if string(m.Name) != "output" {
				dst = rawjson.AppendRaw(dst, m.Member)
				continue
			}
			r := reader{request: &dialect.Request{}}
			result, err := r.output(m.Value)
			if err != nil {
				return nil, dialect.Invalid("'input.%d.output%s.", i, err) // cannot be: it has been read
			}
			var b builder
			if dst, err = b.output(dst, i, &result); err != nil {
				return nil, dialect.Invalid("'input.%d.output' holds what no tool's output can, such as a video.", i)
			}
		}
		dst = append(dst, '}')
	}
	return append(dst, ']'), nil
}
