package dialect

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Opening is what tells one conversation from another and stays the same while it
// goes on: what its first instructions and its first other message say.
type Opening struct{ Instructions, First Beginning }

// Beginning is the first of several contents, as the client wrote it.
type Beginning struct {
	content []byte
	seen    bool
}

// See takes the content of the next message; the first one counts. content must not
// change until Hash is called.
func (b *Beginning) See(content []byte) {
	if !b.seen {
		b.content, b.seen = content, true
	}
}

// mostHashed bounds what hashing costs, in bytes: of a longer text, such as an image
// in base64, the first part and the length tell it apart.
const mostHashed = 4 << 10

// Hash is the same in every replica. It allocates only where the opening is long.
func (o *Opening) Hash() [16]byte {
	var short [2048]byte
	text := appendContent(short[:0], o.Instructions.content)
	text = appendContent(text, o.First.content)
	sum := sha256.Sum256(text)
	return [16]byte(sum[:16])
}

// appendContent appends the same for a string as for one part of text. Cache markers
// are left out: clients move them along as a conversation grows.
func appendContent(dst, content []byte) []byte {
	if rawjson.Kind(content) == '"' {
		dst = appendLimited(dst, content)
	}
	for part := rawjson.Walk(content); part.Next(); {
		for c := rawjson.Walk(part.Value); c.Next(); {
			switch string(c.Name) {
			case "type", "cache_control", "prompt_cache_breakpoint":
			default:
				dst = appendLimited(dst, c.Value)
			}
		}
	}
	return appendLimited(dst, nil) // the end, so that nothing moves from one content to the next
}

func appendLimited(dst, text []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(text)))
	return append(dst, text[:min(len(text), mostHashed)]...)
}
