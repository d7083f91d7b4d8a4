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
