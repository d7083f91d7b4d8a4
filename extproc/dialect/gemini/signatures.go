package gemini

import (
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// The API signs thoughts, and the signature is a member of the part that the thought
// led to. Chat Completions has no place in its parts, so that each becomes a
// reasoning detail of its own: with the call's id if it is a call's, without one if
// it is the text's. Clients send details back unchanged (spec section 4.5), and the
// signatures return to their parts (known-failures 35).

// unsigned stands for the signature of a call that some other model made, or whose
// detail the client has lost. The API documents it, and refuses a call without any.
const unsigned = "skip_thought_signature_validator"

// sign returns the parts of the model's turn with the signatures that the client
// kept. Other makers' stay behind (row 102), and so do the thoughts themselves
// unless they are signed: the API has no use for them.
func (b *builder) sign(parts []part, said []dialect.Part) []part {
	var thoughts []part
	ofText, ofCalls := "", map[string]string{}
	for _, thought := range dialect.JoinThoughts(said) {
		detail := thought.Reasoning
		if thought.Kind != dialect.PartReasoning || !isSigned(detail) {
			continue
		}
		switch {
		case detail.Type == dialect.ReasoningText:
			thoughts = append(thoughts, part{Text: &detail.Text, Thought: true, ThoughtSignature: detail.Signature})
		case detail.ID != "":
			ofCalls[detail.ID] = detail.Data
		default:
			ofText = detail.Data
		}
	}
	called := false
	for i := range parts {
		call := parts[i].FunctionCall
		if call == nil {
			continue
		}
		parts[i].ThoughtSignature = ofCalls[call.ID]
		// Of parallel calls only the first is signed.
		if !called && parts[i].ThoughtSignature == "" && b.generation >= 3 {
			parts[i].ThoughtSignature = unsigned
		}
		called = true
	}
	if ofText != "" {
		parts = signText(parts, ofText)
	}
	return append(thoughts, parts...)
}

// isSigned reports whether a detail is a signature of the API's, or has one.
func isSigned(detail *dialect.ReasoningDetail) bool {
	if detail.Format != dialect.FormatGemini {
		return false
	}
	return detail.Type == dialect.ReasoningText && detail.Signature != "" ||
		detail.Type == dialect.ReasoningEncrypted && detail.Data != ""
}

// signText signs the text's end, or a part without text where the model said none.
func signText(parts []part, signature string) []part {
	for i := len(parts) - 1; i >= 0; i-- {
		if parts[i].Text != nil {
			parts[i].ThoughtSignature = signature
			return parts
		}
	}
	silent := text("")
	silent.ThoughtSignature = signature
	return slices.Insert(parts, 0, silent)
}
