package gemini

import "fmt"

// tools writes the tools in the client's order, on which prompt caching depends.
func (b *builder) tools() {
	if len(b.chat.Tools) > 0 && !b.target.Takes("tools") {
		b.drop("tools")
		return
	}
	var declared []functionDeclaration
	for i := range b.chat.Tools {
		t := &b.chat.Tools[i]
		if t.Other != nil {
			b.drop(fmt.Sprintf("tools.%d", i))
			continue
		}
		declared = append(declared, functionDeclaration{
			Name: t.Name, Description: t.Description, ParametersJSONSchema: parameters(t.Parameters),
		})
	}
	if len(declared) == 0 {
		return
	}
	b.request.Tools = []tool{{FunctionDeclarations: declared}}
	b.toolChoice()
	if parallel := b.chat.ParallelToolCalls; parallel != nil && !*parallel {
		b.drop("parallel_tool_calls")
	}
}

// search lets the model search the web, which the API refuses beside functions: what
// those are for, only the client knows.
func (b *builder) search() {
	switch {
	case len(b.request.Tools) == 0:
		b.request.Tools = []tool{{GoogleSearch: &struct{}{}}}
	case b.request.Tools[0].GoogleSearch == nil:
		b.drop("web_search_options")
	}
}

func (b *builder) toolChoice() {
	choice := b.chat.ToolChoice
	config := functionCallingConfig{}
	switch choice.Mode {
	case "none":
		config.Mode = "NONE"
	case "auto":
		config.Mode = "AUTO"
	case "required":
		config.Mode = "ANY"
	case "tool":
		config.Mode, config.AllowedFunctionNames = "ANY", []string{choice.Name}
	default:
		return
	}
	if config.Mode == "ANY" && !b.target.Takes("tool_choice") {
		b.drop("tool_choice")
		return
	}
	b.request.ToolConfig = &toolConfig{FunctionCallingConfig: config}
}
