package openai

import (
	"slices"
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// readDetail reads an element of reasoning_details.
func readDetail(object []byte) dialect.ReasoningDetail {
	var detail dialect.ReasoningDetail
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "type":
			detail.Type = rawjson.Text(c.Value)
		case "text", "summary":
			if text := rawjson.Text(c.Value); text != "" {
				detail.Text = text
			}
		case "signature":
			detail.Signature = rawjson.Text(c.Value)
		case "data":
			detail.Data = rawjson.Text(c.Value)
		case "id":
			detail.ID = rawjson.Text(c.Value)
		case "format":
			detail.Format = rawjson.Text(c.Value)
		case "index":
			index, _ := rawjson.Int(c.Value)
			detail.Index = int(index)
		}
	}
	return detail
}

// appendDetail appends one detail to the list that is open at the end of dst.
func appendDetail(dst []byte, detail dialect.ReasoningDetail) []byte {
	dst = rawjson.AppendText(append(rawjson.Comma(dst), '{'), "type", detail.Type)
	switch detail.Type {
	case dialect.ReasoningEncrypted:
		dst = rawjson.AppendText(dst, "data", detail.Data)
	case dialect.ReasoningSummary:
		dst = rawjson.AppendText(dst, "summary", detail.Text)
	default:
		dst = rawjson.AppendText(dst, "text", detail.Text)
		if detail.Signature != "" {
			dst = rawjson.AppendText(dst, "signature", detail.Signature)
		}
	}
	if detail.ID != "" {
		dst = rawjson.AppendText(dst, "id", detail.ID)
	}
	if !isFormat(detail.Format) {
		detail.Format = dialect.FormatUnknown
	}
	dst = rawjson.AppendText(dst, "format", detail.Format)
	return append(strconv.AppendInt(rawjson.AppendName(dst, "index"), int64(detail.Index), 10), '}')
}

// appendDetails appends a provider's reasoning_details as they stand, but for formats
// that the API does not have: clients drop details with those.
func appendDetails(dst, details []byte) []byte {
	dst = append(rawjson.AppendName(dst, "reasoning_details"), '[')
	for c := rawjson.Walk(details); c.Next(); {
		format := rawjson.Get(c.Value, "format")
		if !rawjson.Present(format) || isFormat(rawjson.Text(format)) {
			dst = rawjson.AppendRaw(dst, c.Value)
			continue
		}
		dst = appendExtra(append(rawjson.Comma(dst), '{'), c.Value, "format")
		dst = append(rawjson.AppendText(dst, "format", dialect.FormatUnknown), '}')
	}
	return append(dst, ']')
}

// isFormat reports whether the API has a format of this name (spec section 4.5).
func isFormat(name string) bool {
	return slices.Contains(formats, name)
}

var formats = []string{
	dialect.FormatUnknown, dialect.FormatAnthropic, dialect.FormatResponses, "azure-openai-responses-v1",
	"bedrock-openai-responses-v1", "bedrock-xai-responses-v1", "xai-responses-v1", "meta-responses-v1",
	dialect.FormatGemini,
}

// isBound reports whether reasoning_details hold anything that only the provider
// which made it can read or verify.
func isBound(details []byte) bool {
	for detail := rawjson.Walk(details); detail.Next(); {
		for c := rawjson.Walk(detail.Value); c.Next(); {
			switch string(c.Name) {
			case "signature", "data":
				if len(rawjson.Unquote(c.Value)) > 0 {
					return true
				}
			}
		}
	}
	return false
}
