package bedrock

import (
	"fmt"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// tools writes the tools in the client's order, on which prompt caching depends.
func (b *builder) tools() {
	used := b.usedTools()
	var offered []tool
	for i := range b.chat.Tools {
		t := &b.chat.Tools[i]
		switch {
		case !b.target.Takes("tools"):
			b.drop("tools")
		case t.Other != nil:
			b.drop(fmt.Sprintf("tools.%d", i))
		case b.chat.ToolChoice.Mode == "none" && len(used) == 0:
			// The API has no such choice. Tools that are not there are not called.
		default:
			made := newTool(t.Name, t.Description, t.Parameters)
			if t.Strict != nil && *t.Strict && !b.strict(made.ToolSpec) {
				b.drop("tools.strict")
			}
			offered = append(offered, made)
			b.markers = append(b.markers, t.CacheControl)
		}
	}
	// The API demands the tools of a conversation that used some.
	if len(offered) == 0 {
		for _, name := range used {
			offered = append(offered, newTool(name, "", nil))
		}
	}
	if len(offered) > 0 {
		b.request.ToolConfig = &toolConfig{Tools: offered}
		b.toolChoice()
	}
}

func newTool(name, description string, parameters jsontext.Value) tool {
	return tool{ToolSpec: &toolSpec{Name: name, Description: description, InputSchema: inputSchema{JSON: dialect.ObjectSchema(parameters)}}}
}

// strict makes the model keep to the tool's schema, which must be closed then. Few
// models can, and the rest refuse it: it takes an endpoint that is known to.
func (b *builder) strict(spec *toolSpec) bool {
	if b.target.Supported == nil || !b.target.Takes("structured_outputs") {
		return false
	}
	closed, dropped := dialect.ClosedSchema(spec.InputSchema.JSON, "tools.function.parameters")
	b.drop(dropped...)
	spec.Strict, spec.InputSchema.JSON = true, closed
	return true
}

// usedTools are the names of the tools that the conversation has called.
func (b *builder) usedTools() []string {
	var names []string
	known := map[string]bool{}
	for _, t := range b.request.Messages {
		for i := range t.Content {
			if use := t.Content[i].ToolUse; use != nil && !known[use.Name] {
				known[use.Name] = true
				names = append(names, use.Name)
			}
		}
	}
	return names
}

func (b *builder) toolChoice() {
	mode := b.chat.ToolChoice.Mode
	if mode != "" && mode != "auto" && mode != "none" && !b.target.Takes("tool_choice") {
		b.drop("tool_choice")
		mode = ""
	}
	serial := b.chat.ParallelToolCalls != nil && !*b.chat.ParallelToolCalls
	if serial && b.family == claude && (mode == "" || mode == "auto") {
		b.modelField("tool_choice", `{"type":"auto","disable_parallel_tool_use":true}`)
		return
	}
	if serial {
		b.drop("parallel_tool_calls")
	}
	config := b.request.ToolConfig
	switch mode {
	case "auto":
		config.ToolChoice = &toolChoice{Auto: &struct{}{}}
	case "none":
		b.drop("tool_choice") // tools that were used cannot be taken back
	case "required":
		config.ToolChoice = &toolChoice{Any: &struct{}{}}
	case "tool":
		config.ToolChoice = &toolChoice{Tool: &chosenTool{Name: b.chat.ToolChoice.Name}}
	}
}
