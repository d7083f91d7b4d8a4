package sse

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type named struct{ Name, Data string }

// read feeds chunks and collects the events with their data copied.
func read(t testing.TB, r *Reader, chunks ...[]byte) []named {
	t.Helper()
	var events []named
	drain := func() {
		for {
			event, ok, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				return
			}
			events = append(events, named{event.Name, string(event.Data)})
		}
	}
	for _, chunk := range chunks {
		r.Feed(chunk)
		drain()
	}
	r.End()
	drain()
	return events
}

// known-failures 29.
func TestReader(t *testing.T) {
	for _, test := range []struct {
		name, stream string
		want         []named
	}{
		{"one event", "data: a\n\n", []named{{"", "a"}}},
		{"no space after the colon", "data:a\n\n", []named{{"", "a"}}},
		{"only the first space is taken", "data:  a\n\n", []named{{"", " a"}}},
		{"several events in one chunk", "data: a\n\ndata: b\n\n", []named{{"", "a"}, {"", "b"}}},
		{"names do not stick", "event: x\ndata: a\n\ndata: b\n\n", []named{{"x", "a"}, {"", "b"}}},
		{"CRLF", "event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n", []named{{"x", "a"}, {"", "b"}}},
		{"CR", "event: x\rdata: a\r\rdata: b\r\r", []named{{"x", "a"}, {"", "b"}}},
		{"mixed line ends", "data: a\r\n\ndata: b\n\rdata: c\r\n\r\n", []named{{"", "a"}, {"", "b"}, {"", "c"}}},
		{"several data lines", "data: a\ndata:\ndata: b\n\n", []named{{"", "a\n\nb"}}},
		{"comments, ids and retry are skipped", ": hello\n\nid: 1\nretry: 5\n:\ndata: a\n\n", []named{{"", "a"}}},
		{"unknown fields are skipped", "what: a\nnothing\ndata: b\n\n", []named{{"", "b"}}},
		{"a name alone is no event", "event: x\n\ndata: b\n\n", []named{{"", "b"}}},
		{"empty data is an event", "data\n\ndata:\n\n", []named{{"", ""}, {"", ""}}},
		{"a byte order mark", "\uFEFFdata: a\n\n", []named{{"", "a"}}},
		{"the last blank line is missing", "data: a\n\ndata: b\n", []named{{"", "a"}, {"", "b"}}},
		{"the last line end is missing", "data: a\n\ndata: b", []named{{"", "a"}, {"", "b"}}},
		{"nothing", "", nil},
		{"extra blank lines", "\n\n\ndata: a\n\n\n\n", []named{{"", "a"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, read(t, new(Reader), []byte(test.stream))); diff != "" {
				t.Errorf("whole (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, read(t, new(Reader), byByte(test.stream)...)); diff != "" {
				t.Errorf("byte by byte (-want +got):\n%s", diff)
			}
		})
	}
}

func byByte(stream string) [][]byte {
	var chunks [][]byte
	for i := range len(stream) {
		chunks = append(chunks, []byte{stream[i]})
	}
	return chunks
}

func TestDataIsValidUntilTheNextFeed(t *testing.T) {
	var r Reader
	r.Feed([]byte("data: first\n\ndata: second\n\ndata: thi"))
	first, _, _ := r.Next()
	second, _, _ := r.Next()
	if _, ok, _ := r.Next(); ok {
		t.Fatal("a third event before its end")
	}
	if string(first.Data) != "first" || string(second.Data) != "second" {
		t.Errorf("data changed under the caller: %q, %q", first.Data, second.Data)
	}
}

// known-failures 29.
func TestReaderIsBounded(t *testing.T) {
	line := strings.Repeat("x", 40)
	for _, test := range []struct{ name, stream string }{
		{"one line without an end", "data: " + line + line + line},
		{"one line", "data: " + line + line + line + "\n\n"},
		{"many lines", strings.Repeat("data: "+line+"\n", 3)},
		{"a comment without an end", ":" + line + line + line},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := Reader{MaxEvent: 100}
			r.Feed([]byte(test.stream))
			_, _, err := r.Next()
			var tooLarge *TooLargeError
			if !errors.As(err, &tooLarge) || tooLarge.Limit != 100 {
				t.Fatalf("Next returned %v, want a TooLargeError of 100", err)
			}
			r.Feed([]byte("\n\ndata: a\n\n"))
			if _, ok, err := r.Next(); ok || err == nil {
				t.Error("the reader went on after an event that is too large")
			}
		})
	}
	r := Reader{MaxEvent: 100}
	if got := read(t, &r, bytes.Repeat([]byte("data: "+line+"\n\n"), 100)); len(got) != 100 {
		t.Errorf("many small events in one chunk: read %d of 100", len(got))
	}
}

func TestWriterRoundTrip(t *testing.T) {
	var stream []byte
	stream = AppendComment(stream, "PROCESSING")
	stream = AppendData(stream, []byte(`{"a":1}`))
	stream = AppendEvent(stream, "ping", []byte("one\ntwo\r\nthree\rfour"))
	want := []named{{"", `{"a":1}`}, {"ping", "one\ntwo\nthree\nfour"}}
	if diff := cmp.Diff(want, read(t, new(Reader), stream)); diff != "" {
		t.Error(diff)
	}
}

// FuzzReader holds that the way a stream is cut never changes what is read.
func FuzzReader(f *testing.F) {
	f.Add([]byte("event: a\r\ndata: 1\r\n\r\ndata: 2\n\n"), uint64(1))
	f.Add([]byte("\uFEFF: c\n\ndata:x\ndata: y\r\rdata"), uint64(2))
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
	chunk := bytes.Repeat([]byte(`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}`+"\n\n"), 10)
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
