package sticky

import (
	"testing"
	"time"
)

func TestFullMemoryForgetsTheLongestSilent(t *testing.T) {
	memory := newMemory(2)
	key := func(i byte) Key { return ConversationKey("alice", "m/x", [16]byte{i}) }
	memory.Put(t.Context(), key(1), pin, time.Hour, start)
	memory.Put(t.Context(), key(2), pin, time.Hour, start)
	memory.Get(t.Context(), key(1), start)
	memory.Put(t.Context(), key(3), pin, time.Hour, start)
	for i, want := range map[byte]bool{1: true, 2: false, 3: true} {
		if _, known := memory.Get(t.Context(), key(i), start); known != want {
			t.Errorf("conversation %d is known: %t, want %t", i, known, want)
		}
	}
}

func BenchmarkMemoryGet(b *testing.B) {
	memory := NewMemory()
	memory.Put(b.Context(), hello, pin, time.Hour, start)
	b.ReportAllocs()
	for b.Loop() {
		if _, known := memory.Get(b.Context(), hello, start); !known {
			b.Fatal("not known")
		}
	}
}

func BenchmarkConversationKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		ConversationKey("alice", "anthropic/claude-sonnet-4.5", [16]byte{1})
	}
}
