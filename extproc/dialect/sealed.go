package dialect

import "github.com/go-json-experiment/json"

// sealed is what a client's dialect has no field for of a reasoning detail.
type sealed struct {
	Type      string `json:"type"`
	Format    string `json:"format,omitzero"`
	ID        string `json:"id,omitzero"`
	Signature string `json:"signature,omitzero"`
	Data      string `json:"data,omitzero"`
}

// SealThought returns what proves a detail, as JSON, for a dialect that has one opaque
// field for it: clients send that back as it is, and the maker gets back what it gave
// (spec section 11, thought signatures lost). It is nil if there is nothing to prove.
func SealThought(detail *ReasoningDetail) []byte {
	if detail.Signature == "" && detail.Data == "" && detail.ID == "" {
		return nil
	}
	text, err := json.Marshal(sealed{detail.Type, detail.Format, detail.ID, detail.Signature, detail.Data})
	if err != nil {
		return nil // text that is not UTF-8 cannot go back, and was not readable anyway
	}
	return text
}

// UnsealThought reads what SealThought wrote. The detail's text is not in it. A client
// may have changed it: then nobody would take it, and ok is false.
func UnsealThought(text []byte) (detail ReasoningDetail, ok bool) {
	var s sealed
	if json.Unmarshal(text, &s) != nil {
		return detail, false
	}
	switch s.Type {
	case ReasoningText, ReasoningSummary, ReasoningEncrypted:
		return ReasoningDetail{Type: s.Type, Format: s.Format, ID: s.ID, Signature: s.Signature, Data: s.Data}, true
	}
	return detail, false
}
