package health

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// export is a small export that holds some of everything.
func export() []byte {
	tracker := New(options)
	for i := range 20 {
		tracker.Record(mixed(i))
	}
	fail(tracker, "f", RateLimited, time.Hour, after(2*time.Second))
	return tracker.Export(after(2*time.Second), all)
}

func TestDecodeRefuses(t *testing.T) {
	numbers := func(numbers ...uint64) []byte {
		data := []byte{exportVersion, 0, 1, 'e'}
		for _, n := range numbers {
			data = binary.AppendUvarint(data, n)
		}
		return data
	}
	tests := []struct {
		name, want string
		data       []byte
	}{
		{"nothing", `"version" cannot be read`, nil},
		{"another version", "version 1; run the same release", []byte{1}},
		{"no number", `"number" cannot be read`, []byte{exportVersion}},
		{"an id that is cut off", `"id" is cut off`, []byte{exportVersion, 0, 5, 'e'}},
		{"an id without bounds", `"id" is`, binary.AppendUvarint([]byte{exportVersion, 0}, 1<<62)},
		{"a class that does not exist", `"class" is 9; at most 8`, numbers(uint64(len(classNames)))},
		{"a cool-down without end", `"until" is`, numbers(1, 1, 1<<50)},
		{"a count that overflows", `"recent attempts" is`, numbers(1, 1, 0, 0, 1<<63)},
		{"more invalid calls than calls", `"invalid tool calls" is 2; at most 1`, numbers(1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2)},
		{"too many bins", `"latency of 5 minutes" is 257`, numbers(1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 257)},
		{"a bin far away", `"latency of 5 minutes" has a bin out of range`, numbers(1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2*(maxBinIndex+1))},
		{"more than a network carries", "at most 33554432", make([]byte, maxExport+1)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tracker := New(options)
			err := tracker.Import("peer", test.data, start)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if tracker.count+len(tracker.peers) != 0 {
				t.Error("something was kept all the same")
			}
		})
	}
}

func TestDecodeBoundsEndpoints(t *testing.T) {
	var said encoder
	said.begin(start)
	for i := range maxEndpoints + 1 {
		said.report(strings.Repeat("e", i%2000)+string(rune(i+1000)), &report{}, start)
	}
	if _, err := decode(said.bytes, start); err == nil || !strings.Contains(err.Error(), "one too many") {
		t.Errorf("error %v", err)
	}
}

// Every export that is cut off is refused, or read as the reports that are whole.
func TestDecodeCutOff(t *testing.T) {
	whole := export()
	read := 0
	for size := range whole {
		if _, err := decode(whole[:size], start); err == nil {
			read++
		}
	}
	// Those of no report, and the first of two reports: a number that is cut off
	// cannot be read.
	if read != 2 {
		t.Errorf("%d of the beginnings are read, want 2", read)
	}
}

// What can be read can be written, and then says the same.
func FuzzDecode(f *testing.F) {
	f.Add(export())
	f.Add([]byte{exportVersion, 1})
	f.Add([]byte{})
	empty := encoder{}
	empty.begin(start)
	empty.report("", &report{}, start)
	f.Add(empty.bytes)
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := decode(data, start)
		if err != nil {
			return
		}
		first := encode(h)
		again, err := decode(first, start)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if second := encode(again); !slices.Equal(first, second) {
			t.Errorf("written %x, then %x", first, second)
		}
		tracker := New(options)
		if err := tracker.Import("peer", data, start); err != nil {
			t.Fatal(err)
		}
		for id := range h.reports {
			tracker.Snapshot(id, start)
		}
	})
}

func encode(h heard) []byte {
	var e encoder
	e.begin(time.Unix(0, h.number))
	for _, id := range slices.Sorted(maps.Keys(h.reports)) {
		r := h.reports[id]
		e.report(id, &r, start)
	}
	return e.bytes
}
