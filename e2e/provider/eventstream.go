package provider

import (
	"bytes"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// awsFraming is AWS's own framing. An event's name is its type; with exceptionPrefix
// that of an exception.
type awsFraming struct{}

const exceptionPrefix = "exception:"

func (awsFraming) streamType() string { return "application/vnd.amazon.eventstream" }

func (awsFraming) frame(e event) []byte {
	message := eventstream.Message{Payload: []byte(e.data)}
	set := func(name, value string) { message.Headers.Set(name, eventstream.StringValue(value)) }
	if exception, failed := strings.CutPrefix(e.name, exceptionPrefix); failed {
		set(":exception-type", exception)
		set(":message-type", "exception")
	} else {
		set(":event-type", e.name)
		set(":message-type", "event")
	}
	set(":content-type", "application/json")
	var b bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&b, message); err != nil {
		panic(err) // a mistake here
	}
	return b.Bytes()
}
