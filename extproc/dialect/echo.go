package dialect

import "github.com/switchyard/switchyard/extproc/dialect/rawjson"

// Echoer is a client dialect whose streams can begin with what providers were sent (spec
// row 115).
type Echoer interface {
	// Echo appends an event that shows body, the JSON object that meta's provider was
	// sent. It stands before all that the dialect's Encoder writes.
	Echo(dst []byte, meta Meta, body []byte) []byte
}

// readDebug reads `debug`, of which the gateway knows echo_upstream_body.
func readDebug(r *Request, value []byte) error {
	if rawjson.Kind(value) != '{' {
		return Invalid("'debug' must be an object.")
	}
	if echo := rawjson.Get(value, "echo_upstream_body"); rawjson.Present(echo) {
		return ReadBoolean(&r.EchoUpstream, "debug.echo_upstream_body", echo)
	}
	return nil
}
