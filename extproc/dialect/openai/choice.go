package openai

import (
	"fmt"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// choice is one of the answers in a chunk or in a whole answer, which differ in the
// name of the member that speaks: "delta" and "message".
type choice struct {
	index          int64
	said           []byte
	finish, native string // reasons, "" where the choice goes on
	logprobs       []byte // null if there are none
	extra          bool   // there are members beyond choiceNames
}

// choiceNames are the members that [choice] has places for, and the speaker that it
// leaves out: some providers repeat the answer so far beside each delta.
var choiceNames = []string{
	"index", "delta", "message", "finish_reason", "native_finish_reason", "logprobs", "error",
}

// mostChoices is what the API allows for n.
const mostChoices = 128

// readChoice fails with a *dialect.ProviderFailure where an error stands in the
// place of an answer.
func readChoice(object []byte, speaker string) (choice, error) {
	read := choice{logprobs: null}
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "index":
			read.index, _ = rawjson.Int(c.Value)
		case "delta", "message":
			if string(c.Name) == speaker {
				read.said = c.Value
			}
		case "finish_reason":
			read.finish = rawjson.Text(c.Value)
		case "native_finish_reason":
			read.native = rawjson.Text(c.Value)
		case "logprobs":
			read.logprobs = c.Value
		case "error":
			if isError(c.Value) {
				return read, dialect.ReadStreamFailure(c.Value)
			}
		default:
			read.extra = read.extra || rawjson.Present(c.Value)
		}
	}
	if read.index < 0 || read.index >= mostChoices {
		return read, fmt.Errorf("the provider's answer: choice index %d is out of range", read.index)
	}
	if read.native == "" {
		read.native = read.finish
	}
	return read, nil
}
