package anthropic

import (
	"encoding/base64"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// sealPrefix begins a signature, or redacted thinking, that another maker's proof is
// wrapped in. Anthropic's own are base64, which has no colon.
const sealPrefix = "switchyard.reasoning:"

// proof is what stands for a detail's signature or data in a block: Anthropic's as
// they are, others sealed, "" if there is nothing to prove.
func proof(detail *dialect.ReasoningDetail) string {
	own := detail.Format == dialect.FormatAnthropic && detail.Type != dialect.ReasoningSummary
	if own {
		return detail.Signature + detail.Data
	}
	text := dialect.SealThought(detail)
	if text == nil {
		return ""
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
	text, err := base64.RawURLEncoding.DecodeString(packed)
	if err != nil {
		return detail // a client changed it: nobody would take it
	}
	proved, ok := dialect.UnsealThought(text)
	if !ok || proved.Format == dialect.FormatAnthropic {
		return detail
	}
	proved.Text = detail.Text
	return proved
}
