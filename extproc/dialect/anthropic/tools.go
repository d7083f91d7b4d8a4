package anthropic

import (
	"fmt"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// tools writes the tools in the client's order, on which prompt caching depends.
func (b *builder) tools() {
	if len(b.chat.Tools) > 0 && !b.takes("tools") {
		b.drop("tools")
	} else {
		b.offered()
	}
	if len(b.request.Tools) > 0 {
		return
	}
	// The API demands the tools of a conversation that used some, even if none is
	// to be called any more.
	known := map[string]bool{}
	for _, turn := range b.request.Messages {
		for _, block := range turn.Content {
			if block.Type == "tool_use" && !known[block.Name] {
				known[block.Name] = true
				b.request.Tools = append(b.request.Tools, tool{Name: block.Name, InputSchema: dialect.ObjectSchema(nil)})
			}
		}
	}
	if len(known) > 0 {
		b.request.ToolChoice = &toolChoice{Type: "none"}
	}
}

func (b *builder) offered() {
	for i := range b.chat.Tools {
		t := &b.chat.Tools[i]
		if t.Other != nil {
			// The vendor's own tools have a dated type; others mean nothing to it.
			if strings.Contains(rawjson.Text(rawjson.Get(t.Other, "type")), "_20") {
				b.request.Tools = append(b.request.Tools, t.Other)
			} else {
				b.drop(fmt.Sprintf("tools.%d", i))
			}
			continue
		}
		b.request.Tools = append(b.request.Tools, tool{
			Name: t.Name, Description: t.Description, InputSchema: dialect.ObjectSchema(t.Parameters), CacheControl: t.CacheControl,
		})
	}
}

func (b *builder) toolChoice() {
	choice := b.chat.ToolChoice
	serial := b.chat.ParallelToolCalls != nil && !*b.chat.ParallelToolCalls
	if b.request.ToolChoice != nil || len(b.request.Tools) == 0 || choice.Mode == "" && !serial {
		return
	}
	// A choice of nothing but "not in parallel" is still a choice.
	wire := &toolChoice{Type: "auto", DisableParallelToolUse: serial}
	if !b.takes("tool_choice") && choice.Mode != "none" {
		if choice.Mode != "" && choice.Mode != "auto" {
			b.drop("tool_choice")
		}
		choice.Mode = "auto"
	}
	switch choice.Mode {
	case "none":
		wire = &toolChoice{Type: "none"}
	case "required":
		wire.Type = "any"
	case "tool":
		wire.Type, wire.Name = "tool", choice.Name
	}
	b.request.ToolChoice = wire
}
