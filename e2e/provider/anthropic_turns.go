package provider

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
)

// anthropicTurn is one message with its content as blocks.
type anthropicTurn struct {
	role   string
	blocks []map[string]any
}

// anthropicBlocks reads the messages of a body that passed the schema.
func anthropicBlocks(body map[string]any) []anthropicTurn {
	messages := body["messages"].([]any)
	turns := make([]anthropicTurn, len(messages))
	for i, element := range messages {
		message := element.(map[string]any)
		turns[i].role = message["role"].(string)
		switch content := message["content"].(type) {
		case string:
			turns[i].blocks = []map[string]any{{"type": "text", "text": content}}
		case []any:
			for _, block := range content {
				turns[i].blocks = append(turns[i].blocks, block.(map[string]any))
			}
		}
	}
	return turns
}

// anthropicTurns holds roles to strict alternation that begins with the user.
func anthropicTurns(body map[string]any, _ http.Header) string {
	turns := anthropicBlocks(body)
	for i, turn := range turns {
		want := "user"
		if i%2 == 1 {
			want = "assistant"
		}
		if turn.role != want {
			return fmt.Sprintf("messages.%d: roles must alternate between \"user\" and \"assistant\", "+
				"beginning with \"user\"; found %q", i, turn.role)
		}
	}
	last := turns[len(turns)-1]
	final := last.blocks[len(last.blocks)-1]
	if text, ok := final["text"].(string); ok && last.role == "assistant" && strings.TrimRight(text, " \n\t") != text {
		return "messages: final assistant content cannot end with trailing whitespace"
	}
	return ""
}

// anthropicToolTurns checks that each tool_use is answered at the head of the
// next turn, and that nothing else is answered.
func anthropicToolTurns(body map[string]any, _ http.Header) string {
	open := map[any]bool{}
	for i, turn := range anthropicBlocks(body) {
		content := false
		for j, block := range turn.blocks {
			if block["type"] != "tool_result" {
				content = true
				continue
			}
			id := block["tool_use_id"]
			switch {
			case content:
				return fmt.Sprintf("messages.%d.content.%d: `tool_result` blocks must come first in the turn", i, j)
			case !open[id]:
				return fmt.Sprintf("messages.%d.content.%d: unexpected `tool_use_id` found in `tool_result` blocks: %v. "+
					"Each `tool_result` block must have a corresponding `tool_use` block in the previous message.", i, j, id)
			}
			delete(open, id)
		}
		for id := range open {
			return fmt.Sprintf("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %v. "+
				"Each `tool_use` block must have a corresponding `tool_result` block in the next message.", i-1, id)
		}
		for j, block := range turn.blocks {
			if block["type"] != "tool_use" {
				continue
			}
			if open[block["id"]] {
				return fmt.Sprintf("messages.%d.content.%d.id: `tool_use` ids must be unique", i, j)
			}
			open[block["id"]] = true
		}
	}
	for id := range open {
		return fmt.Sprintf("messages: `tool_use` ids were found without `tool_result` blocks immediately after: %v", id)
	}
	return ""
}

// anthropicSignatures refuses thinking that this fake did not sign as it stands.
func anthropicSignatures(body map[string]any, _ http.Header) string {
	for i, turn := range anthropicBlocks(body) {
		for j, block := range turn.blocks {
			switch block["type"] {
			case "thinking":
				if block["signature"] != Signature(block["thinking"].(string)) {
					return fmt.Sprintf("messages.%d.content.%d: Invalid `signature` in `thinking` block", i, j)
				}
			case "redacted_thinking":
				if !strings.HasPrefix(block["data"].(string), redactedPrefix) {
					return fmt.Sprintf("messages.%d.content.%d: Invalid `data` in `redacted_thinking` block", i, j)
				}
			}
		}
	}
	return ""
}

// Signature is what the Anthropic fake signs a thinking block's text with, and
// the only signature it takes back.
func Signature(thinking string) string {
	mac := hmac.New(sha256.New, []byte("the fake's own key"))
	mac.Write([]byte(thinking))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// redactedPrefix marks encrypted thinking as the fake's own.
const redactedPrefix = "EmwKAhgB"
