package responses

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// thought is an item of reasoning on its way back to its maker.
type thought struct {
	id, blob, summary string
}

// think takes up a piece of reasoning. Only its maker can read what is encrypted, and
// without that nothing of an item can go back, as nothing is stored (rows 101 and 102).
func (b *builder) think(detail *dialect.ReasoningDetail) {
	if !b.takesThought(detail) {
		return
	}
	last := len(b.thoughts) - 1
	if last < 0 || b.thoughts[last].id != detail.ID || b.thoughts[last].blob != "" && detail.Data != "" {
		b.thoughts = append(b.thoughts, thought{id: detail.ID})
		last++
	}
	at := &b.thoughts[last]
	at.blob += detail.Data
	if detail.Type == dialect.ReasoningSummary {
		at.summary += detail.Text
	}
}

func (b *builder) takesThought(detail *dialect.ReasoningDetail) bool {
	foreign := detail.Endpoint != "" && b.target.Endpoint != "" && detail.Endpoint != b.target.Endpoint
	return detail.Format == dialect.FormatResponses && !foreign
}

// recall writes the items of reasoning that led to the item which is to follow. The API
// refuses one that nothing follows.
func (b *builder) recall() {
	for i := range b.thoughts {
		at := &b.thoughts[i]
		if at.blob == "" {
			continue
		}
		dst := append(rawjson.Comma(b.dst), `{"type":"reasoning"`...)
		if at.id != "" {
			dst = rawjson.AppendText(dst, "id", at.id)
		}
		dst = append(rawjson.AppendName(dst, "summary"), '[')
		if at.summary != "" {
			dst = appendTextPart(dst, "summary_text", []byte(at.summary))
		}
		b.dst = append(rawjson.AppendText(append(dst, ']'), "encrypted_content", at.blob), '}')
	}
	b.thoughts = b.thoughts[:0]
}
