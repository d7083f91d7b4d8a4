package dialect

import "github.com/switchyard/switchyard/extproc/dialect/rawjson"

// TextEditor is a client dialect in whose answers the text of the model can be changed.
type TextEditor interface {
	Client
	// EditText appends answer to dst, a whole one in this dialect, with edit applied to
	// what the model said: to each choice that it ended by itself, without a bound on its
	// length, and that is one text. Nothing else changes.
	EditText(dst, answer []byte, edit func(text string) string) []byte
}

// EditText appends value with edit applied if it is a string.
func EditText(dst, value []byte, edit func(text string) string) []byte {
	if rawjson.Kind(value) != '"' {
		return append(dst, value...)
	}
	text := rawjson.Text(value)
	if changed := edit(text); changed != text {
		return rawjson.AppendQuoted(dst, changed)
	}
	return append(dst, value...)
}

// EditOnlyText appends list, of the parts of a message, with edit applied to the member
// "text" of the one for which said is true. Where there are several they are one text
// together, and stay.
func EditOnlyText(dst, list []byte, said func(part []byte) bool, edit func(text string) string) []byte {
	texts := 0
	for c := rawjson.Walk(list); c.Next(); {
		if said(c.Value) {
			texts++
		}
	}
	if texts != 1 {
		return append(dst, list...)
	}
	return rawjson.AppendEdited(dst, list, func(dst []byte, part *rawjson.Cursor) []byte {
		if !said(part.Value) {
			return append(dst, part.Value...)
		}
		return rawjson.AppendReplaced(dst, part.Value, "text", func(dst, text []byte) []byte {
			return EditText(dst, text, edit)
		})
	})
}
