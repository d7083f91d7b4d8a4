package sticky

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestKeysThatMustDiffer(t *testing.T) {
	keys := map[string]Key{
		"session":                    SessionKey("alice", "m/x", "s"),
		"another account":            SessionKey("bob", "m/x", "s"),
		"another model":              SessionKey("alice", "m/y", "s"),
		"another session":            SessionKey("alice", "m/x", "t"),
		"the same text, cut earlier": SessionKey("alicem/", "x", "s"),
		"the same text, cut later":   SessionKey("alice", "m/xs", ""),
		"conversation":               ConversationKey("alice", "m/x", [16]byte{'s'}),
		"its bytes as a session":     SessionKey("alice", "m/x", "s\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
		"another conversation":       ConversationKey("alice", "m/x", [16]byte{'t'}),
		"of another account":         ConversationKey("bob", "m/x", [16]byte{'s'}),
	}
	seen := map[Key]string{}
	for name, key := range keys {
		if other, ok := seen[key]; ok {
			t.Errorf("%q and %q have the same key", name, other)
		}
		seen[key] = name
	}
}

func TestRow106SameSessionSameKey(t *testing.T) {
	if SessionKey("alice", "m/x", "s") != SessionKey("alice", "m/x", "s") {
		t.Error("two requests of a session have different keys")
	}
}
