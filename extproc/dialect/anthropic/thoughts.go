package anthropic

import "github.com/switchyard/switchyard/extproc/dialect"

// thought gives the model its own thinking back, which it verifies (row 101).
// Other makers' thinking, and any without proof, would be refused and stays
// behind (row 102).
func thought(detail *dialect.ReasoningDetail) (block, bool, error) {
	own := detail.Format == dialect.FormatAnthropic || detail.Format == ""
	switch {
	case own && detail.Type == dialect.ReasoningText && detail.Signature != "":
		return block{Type: "thinking", Thinking: &detail.Text, Signature: detail.Signature}, true, nil
	case own && detail.Type == dialect.ReasoningEncrypted && detail.Data != "":
		return block{Type: "redacted_thinking", Data: detail.Data}, true, nil
	}
	return block{}, false, nil
}

// joinThoughts puts details together that a client kept in the pieces in which
// they were streamed. A signature ends a detail.
func joinThoughts(parts []dialect.Part) []dialect.Part {
	joined := make([]dialect.Part, 0, len(parts))
	for _, part := range parts {
		if last := len(joined) - 1; part.Kind == dialect.PartReasoning && last >= 0 {
			if before := joined[last].Reasoning; before != nil && continues(before, part.Reasoning) {
				whole := *before
				whole.Text += part.Reasoning.Text
				whole.Signature += part.Reasoning.Signature
				joined[last].Reasoning = &whole
				continue
			}
		}
		joined = append(joined, part)
	}
	return joined
}

func continues(before, next *dialect.ReasoningDetail) bool {
	return before.Type == dialect.ReasoningText && next.Type == before.Type &&
		next.Index == before.Index && next.Format == before.Format && before.Signature == ""
}
