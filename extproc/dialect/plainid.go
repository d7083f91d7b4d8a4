package dialect

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// PlainID puts a tool call's id into ASCII letters, digits, '_' and '-', and into at
// most so many bytes, which must be 16 or more. An id that is like that stays as it
// is, and different ids stay different.
func PlainID(id string, most int) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, id)
	if clean == id && id != "" && len(id) <= most {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	mark := "_" + hex.EncodeToString(sum[:4])
	return clean[:min(len(clean), most-len(mark))] + mark
}
