package dialect

// JoinThoughts puts details together that a client kept in the pieces in which
// they were streamed. A signature ends a detail. parts stay as they are.
func JoinThoughts(parts []Part) []Part {
	joined := make([]Part, 0, len(parts))
	for _, part := range parts {
		if last := len(joined) - 1; part.Kind == PartReasoning && last >= 0 {
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

func continues(before, next *ReasoningDetail) bool {
	return before.Type == ReasoningText && next.Type == before.Type &&
		next.Index == before.Index && next.Format == before.Format && before.Signature == ""
}
