package responses

import (
	"fmt"
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// tools offers the tools in the client's order, on which prompt caching depends, and
// behind them the search of the web.
func (b *builder) tools() {
	functions := 0
	list := []byte{'['}
	for i := range b.chat.Tools {
		if !b.target.Takes("tools") {
			b.drop("tools")
			break
		}
		tool := &b.chat.Tools[i]
		if tool.Other != nil {
			b.drop(fmt.Sprintf("tools.%d", i))
			continue
		}
		list = appendFunction(list, tool)
		functions++
	}
	if b.search != nil {
		list = rawjson.AppendRaw(list, b.search)
	}
	if len(list) == 1 {
		return
	}
	b.raw("tools", append(list, ']'))
	if functions == 0 {
		return
	}
	b.choice()
	if parallel := b.chat.ParallelToolCalls; parallel != nil {
		if takesMember(&b.target, "parallel_tool_calls") {
			b.raw("parallel_tool_calls", strconv.AppendBool(nil, *parallel))
		} else {
			b.drop("parallel_tool_calls")
		}
	}
}

// appendFunction writes a function flat, as the API has it. Unless told otherwise the
// API makes a function strict if it can, so that what was optional no longer is; Chat
// Completions does not.
func appendFunction(dst []byte, tool *dialect.Tool) []byte {
	dst = append(rawjson.Comma(dst), `{"type":"function"`...)
	dst = rawjson.AppendText(dst, "name", tool.Name)
	if tool.Description != "" {
		dst = rawjson.AppendText(dst, "description", tool.Description)
	}
	parameters := []byte(tool.Parameters)
	if parameters == nil {
		parameters = []byte(`{"type":"object","properties":{}}`)
	}
	dst = rawjson.AppendMember(dst, "parameters", parameters)
	strict := tool.Strict != nil && *tool.Strict
	return append(strconv.AppendBool(rawjson.AppendName(dst, "strict"), strict), '}')
}

func (b *builder) choice() {
	choice := b.chat.ToolChoice
	switch {
	case choice.Mode == "":
	case !b.target.Takes("tool_choice") && choice.Mode != "auto" && choice.Mode != "none":
		b.drop("tool_choice")
	case choice.Mode == "tool":
		dst := append(rawjson.AppendName(b.dst, "tool_choice"), `{"type":"function"`...)
		b.dst = append(rawjson.AppendText(dst, "name", choice.Name), '}')
	default:
		b.dst = rawjson.AppendText(b.dst, "tool_choice", choice.Mode)
	}
}
