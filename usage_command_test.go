package main

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestAuditTellsWhatHasChanged(t *testing.T) {
	for _, test := range []struct{ before, after, want string }{
		{`{"limit":5,"name":"k","updated_at":"a"}`, `{"limit":7,"name":"k","updated_at":"b","disabled":true}`, "disabled null → true, limit 5 → 7"},
		{`null`, `{"limit":7}`, ""},
		{`{"limit":7}`, `null`, ""},
		{`["a"]`, `null`, ""},
	} {
		if got := changes(jsontext.Value(test.before), jsontext.Value(test.after)); got != test.want {
			t.Errorf("from %s to %s: %q", test.before, test.after, got)
		}
	}
}
