package openai

import (
	"bytes"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// All fields of a form are searched but those known to have no text, also ones that only
// a provider knows.
func TestTextsOfForms(t *testing.T) {
	field := func(name, value string) string {
		return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	}
	body := field("model", "a@b") + field("prompt", "a@b") + field("Prompt", "a@b") + field("keywords[]", "a@b") + field("user", "a@b") + field("new[deep]", "a@b") +
		"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\na@b\r\n--b--\r\n"
	edited, err := mediaForm{boundary: "b"}.EditPrompt([]byte(body), func(_ dialect.Role, text []byte) []byte { return bytes.ReplaceAll(text, []byte("a@b"), []byte("*")) })
	if err != nil {
		t.Fatal(err)
	}
	if kept := strings.Count(string(edited), "a@b"); kept != 3 || strings.Count(string(edited), "*") != 4 {
		t.Errorf("%d are kept: %s", kept, edited)
	}
}
