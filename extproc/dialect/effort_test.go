package dialect_test

import (
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// Row 100 and spec section 3.1: what a model does not know becomes the nearest that it does.
func TestRow100SupportedEffort(t *testing.T) {
	for _, test := range []struct {
		asked     string
		supported []string
		mandatory bool
		want      string
	}{
		{"", []string{"high"}, true, ""},
		{"none", nil, false, "none"},
		{"none", []string{"low"}, false, "none"}, // to be off is no level
		{"none", nil, true, "low"},
		{"none", []string{"high", "low", "none"}, true, "low"},
		{"none", []string{"none"}, true, "low"},
		{"minimal", []string{"none", "high", "medium"}, false, "medium"},
		{"medium", []string{"low", "high"}, false, "low"},
		{"max", []string{"low", "medium", "high"}, false, "high"},
		{"high", []string{"high"}, false, "high"},
		{"high", nil, false, "high"},
		{"low", []string{"none"}, false, "low"},
		{"of a new kind", []string{"low"}, true, "of a new kind"},
	} {
		if got := dialect.SupportedEffort(test.asked, test.supported, test.mandatory); got != test.want {
			t.Errorf("%q of %v (mandatory %v) = %q, want %q", test.asked, test.supported, test.mandatory, got, test.want)
		}
	}
}
