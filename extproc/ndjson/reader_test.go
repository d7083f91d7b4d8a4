package ndjson

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// read returns the lines of a stream that comes in these chunks.
func read(t *testing.T, r *Reader, chunks ...[]byte) []string {
	t.Helper()
	var lines []string
	drain := func() {
		for {
			event, ok, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				return
			}
			if event.Name != "" {
				t.Errorf("a line has the name %q", event.Name)
			}
			lines = append(lines, string(event.Data))
		}
	}
	for _, chunk := range chunks {
		r.Feed(chunk)
		drain()
	}
	r.End()
	drain()
	return lines
}

func TestReader(t *testing.T) {
	for _, test := range []struct {
		name, stream string
		want         []string
	}{
		{"lines", "{\"a\":1}\n{\"b\":2}\n", []string{`{"a":1}`, `{"b":2}`}},
		{"the last line lacks its end", "{\"a\":1}\n{\"b\":2}", []string{`{"a":1}`, `{"b":2}`}},
		{"CRLF and blank lines", "\r\n{\"a\":1}\r\n\n \r\n{\"b\":2}\r\n", []string{`{"a":1}`, `{"b":2}`}},
		{"characters of several bytes", "{\"a\":\"世界🌍\"}\n", []string{`{"a":"世界🌍"}`}},
		{"nothing", "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, read(t, new(Reader), []byte(test.stream))); diff != "" {
				t.Errorf("whole: %s", diff)
			}
			var bytewise [][]byte
			for i := range len(test.stream) {
				bytewise = append(bytewise, []byte(test.stream[i:i+1]))
			}
			if diff := cmp.Diff(test.want, read(t, new(Reader), bytewise...)); diff != "" {
				t.Errorf("byte by byte: %s", diff)
			}
		})
	}
}

// A provider that never ends its line cannot fill the memory.
func TestReaderBound(t *testing.T) {
	for name, stream := range map[string]string{
		"a line without an end": strings.Repeat("x", 101),
		"a line":                strings.Repeat("x", 101) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := Reader{MaxLine: 100}
			r.Feed([]byte(stream))
			_, _, err := r.Next()
			var tooLarge *TooLargeError
			if !errors.As(err, &tooLarge) || tooLarge.Limit != 100 {
				t.Fatalf("Next returned %v, want a TooLargeError of 100", err)
			}
			r.Feed([]byte("\n{}\n"))
			if _, ok, err := r.Next(); ok || err == nil || cap(r.buffer) > 0 {
				t.Error("the reader went on after a line that is too large")
			}
		})
	}
	r := Reader{MaxLine: 100}
	if got := read(t, &r, bytes.Repeat([]byte(strings.Repeat("x", 100)+"\n"), 50)); len(got) != 50 {
		t.Errorf("many lines in one chunk: read %d of 50", len(got))
	}
}

// FuzzReader holds that the way a stream is cut never changes what is read.
func FuzzReader(f *testing.F) {
	f.Add([]byte("{\"a\":1}\r\n\n{\"b\":2}"), uint64(1))
	f.Add([]byte("\n\r\n  {}\n"), uint64(2))
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		want := read(t, new(Reader), stream)
		random := rand.New(rand.NewPCG(seed, 0))
		var chunks [][]byte
		for rest := stream; len(rest) > 0; {
			n := 1 + random.IntN(min(len(rest), 9))
			chunks, rest = append(chunks, rest[:n]), rest[n:]
		}
		if diff := cmp.Diff(want, read(t, new(Reader), chunks...)); diff != "" {
			t.Errorf("cut differently (-want +got):\n%s", diff)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	chunk := bytes.Repeat([]byte(`{"model":"llama3.2","created_at":"2026-08-04T08:52:19.385406455Z","message":{"role":"assistant","content":" word"},"done":false}`+"\n"), 10)
	var r Reader
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for b.Loop() {
		r.Feed(chunk)
		for {
			if _, ok, _ := r.Next(); !ok {
				break
			}
		}
	}
}
