package anthropic

import (
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// sealPrefix begins a signature, or redacted thinking, that another maker's proof is
// wrapped in. Anthropic's own are base64, which has no colon.
const sealPrefix = "switchyard.reasoning:"

// sealed is what a thinking block has no field for. Clients send it back as it is,
// and the maker gets it back as it was (spec section 11, thought signatures lost).
type sealed struct {
	Type      string `json:"type"`
	Format    string `json:"format,omitzero"`
	ID        string `json:"id,omitzero"`
	Signature string `json:"signature,omitzero"`
	Data      string `json:"data,omitzero"`
}

// proof is what stands for a detail's signature or data in a block: Anthropic's as
// they are, others sealed, "" if there is nothing to prove.
func proof(detail *dialect.ReasoningDetail) string {
	own := detail.Format == dialect.FormatAnthropic && detail.Type != dialect.ReasoningSummary
	switch {
	case own:
		return detail.Signature + detail.Data
	case detail.Signature == "" && detail.Data == "" && detail.ID == "":
		return ""
	}
	text, err := json.Marshal(sealed{detail.Type, detail.Format, detail.ID, detail.Signature, detail.Data})
	if err != nil {
		return "" // text that is not UTF-8 cannot go back, and was not readable anyway
	}
	return sealPrefix + base64.RawURLEncoding.EncodeToString(text)
}

// readThought reads a thinking block or a redacted one. Thinking without any proof
// is of a maker that gives none.
func readThought(kind string, block []byte) dialect.ReasoningDetail {
	detail := dialect.ReasoningDetail{Format: dialect.FormatAnthropic, Type: dialect.ReasoningText}
	given := ""
	if kind == "redacted_thinking" {
		given = rawjson.Text(rawjson.Get(block, "data"))
		detail.Type, detail.Data = dialect.ReasoningEncrypted, given
	} else {
		given = rawjson.Text(rawjson.Get(block, "signature"))
		detail.Text, detail.Signature = rawjson.Text(rawjson.Get(block, "thinking")), given
		if given == "" {
			detail.Format = dialect.FormatUnknown
		}
	}
	packed, foreign := strings.CutPrefix(given, sealPrefix)
	if !foreign {
		return detail
	}
	detail = dialect.ReasoningDetail{Type: detail.Type, Text: detail.Text, Format: dialect.FormatUnknown}
	var s sealed
	text, err := base64.RawURLEncoding.DecodeString(packed)
	if err != nil || json.Unmarshal(text, &s) != nil || s.Format == dialect.FormatAnthropic {
		return detail // a client changed it: nobody would take it
	}
	switch s.Type {
	case dialect.ReasoningText, dialect.ReasoningSummary, dialect.ReasoningEncrypted:
	default:
		return detail
	}
	detail.Type, detail.Format, detail.ID, detail.Signature, detail.Data = s.Type, s.Format, s.ID, s.Signature, s.Data
	return detail
}
