package dialect

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// CallNamer is a decoder that makes ids for tool calls which come without.
type CallNamer interface {
	Decoder
	// NameCalls is told the generation id before anything of the answer. Conversations
	// hold the calls of many answers, and some providers give all of those one id.
	NameCalls(generation string)
}

// CallIDs gives the tool calls of one answer ids that no other call of it has. The
// zero value is ready.
type CallIDs struct {
	// Generation is the gateway's id of the answer, "" where it is not known.
	Generation string

	taken map[string]bool
}

// ID is the provider's id of a call if it gave one that is still free. Otherwise one is
// made of what tells calls apart, so that the same answer always has the same ids:
// answer is the provider's id of it, which stands in for that of the generation, and
// number the call's place.
func (c *CallIDs) ID(given, answer string, number int, name, arguments string) string {
	id := given
	if id == "" || c.taken[id] {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %q %q", cmp.Or(c.Generation, answer), number, name, arguments))
		id = "call_" + hex.EncodeToString(sum[:12])
	}
	if c.taken == nil {
		c.taken = map[string]bool{}
	}
	c.taken[id] = true
	return id
}
