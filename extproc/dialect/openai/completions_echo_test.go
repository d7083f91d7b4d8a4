package openai

import (
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// Row 115 is of chats: a stream of text completions has no chunk of another kind.
func TestRow115CompletionsEchoNothing(t *testing.T) {
	var client dialect.Echoer = Completions{}
	if got := client.Echo(nil, dialect.Meta{}, []byte(`{"a":1}`)); len(got) > 0 {
		t.Errorf("a stream of completions begins with %s", got)
	}
}
