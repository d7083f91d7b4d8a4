package cache

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoryIsBounded(t *testing.T) {
	const fits = 4
	memory := NewMemory(fits * (100 + overhead))
	key := func(i byte) Key { return NewKey("alice", []byte{i}) }
	put := func(i byte, size int) {
		entry := answer(time.Hour)
		entry.Body = make([]byte, size)
		memory.Put(t.Context(), key(i), entry)
	}
	known := func(i byte) bool {
		_, ok := memory.Get(t.Context(), key(i), time.Now())
		return ok
	}
	for i := range byte(fits) {
		put(i, 100)
	}
	known(0) // asked for last
	put(fits, 100)
	for i, want := range map[byte]bool{0: true, 1: false, 2: true, 3: true, fits: true} {
		if known(i) != want {
			t.Errorf("entry %d is there: %t", i, !want)
		}
	}
	put(9, fits*(100+overhead)) // more than there is room for
	for i, want := range map[byte]bool{0: true, 2: true, 3: true, fits: true, 9: false} {
		if known(i) != want {
			t.Errorf("after an entry that is larger than the whole store, entry %d is there: %t", i, !want)
		}
	}
	put(0, fits*(100+overhead))
	if known(0) {
		t.Error("an entry is there that another was put in the place of")
	}
}

func TestMemoryLetsGoOfWhatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := NewMemory(1 << 20)
		ctx, stop := context.WithCancel(t.Context())
		go memory.Run(ctx)
		memory.Put(ctx, hello, answer(time.Second))
		memory.Put(ctx, NewKey("bob", nil), answer(time.Hour))
		time.Sleep(time.Second + sweepEvery)
		synctest.Wait()
		if held := memory.entries.Metrics(); held.Insertions-held.Evictions != 1 {
			t.Errorf("%d entries are held, want the one whose time is not over", held.Insertions-held.Evictions)
		}
		memory.Clear()
		if _, ok := memory.Get(ctx, NewKey("bob", nil), time.Now()); ok {
			t.Error("an entry is there after Clear")
		}
		stop()
	})
}
