package rawjson

import (
	"bytes"
	"strings"
	"testing"
)

func TestDocument(t *testing.T) {
	long := strings.Repeat(`a \"long\" text `, 40)
	text := []byte(` {"a":"` + long + `","b":["` + long + `",{"c":"` + long + `"}],"d":"short"} `)
	document, err := Read(text)
	if err != nil || !bytes.Equal(document.Text, bytes.TrimSpace(text)) {
		t.Fatalf("%q, %v", document.Text, err)
	}
	quoted := `"` + long + `"`
	c := document.Walk()
	if got := c.Get("a"); got != nil {
		t.Errorf("a cursor before the first member has a member %q", got)
	}
	noted := 0
	for c.Next() {
		for inner := c.Walk(); inner.Next(); {
			if end := document.stringEnd(inner.Value); Kind(inner.Value) == '"' && (end != len(quoted) || string(inner.Value) != quoted) {
				t.Errorf("got %q, which ends at %d", inner.Value, end)
			}
			if got := inner.Get("c"); inner.Value[0] == '{' && string(got) != quoted {
				t.Errorf("c is %q", got)
			}
		}
	}
	for _, end := range document.ends {
		if end.end > 0 {
			noted++
		}
	}
	if noted != 3 {
		t.Errorf("%d strings are noted, want 3", noted)
	}
	// Of another text, whose strings end elsewhere, nothing is noted.
	other := append([]byte(nil), document.Text[5:]...)
	other[300] = '"'
	if got, want := document.stringEnd(other), stringEnd(other); got != want {
		t.Errorf("a string of another text ends at %d, want %d", got, want)
	}
	if document, err := Read([]byte(" {\"a\":} ")); err == nil || document == nil {
		t.Errorf("got %v, %v", document, err)
	}
}
