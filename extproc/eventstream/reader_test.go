package eventstream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"github.com/switchyard/switchyard/extproc/sse"
)

// message encodes one message, of pairs of header names and values.
func message(t testing.TB, payload string, headers ...string) []byte {
	t.Helper()
	m := eventstream.Message{Payload: []byte(payload)}
	for i := 0; i < len(headers); i += 2 {
		m.Headers.Set(headers[i], eventstream.StringValue(headers[i+1]))
	}
	var b bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func event(t testing.TB, name, payload string) []byte {
	t.Helper()
	return message(t, payload, ":message-type", "event", ":event-type", name, ":content-type", "application/json")
}

// read feeds the pieces and returns copies of all events, and the error.
func read(r *Reader, pieces ...[]byte) ([]sse.Event, error) {
	var events []sse.Event
	for i := 0; i <= len(pieces); i++ {
		if i < len(pieces) {
			r.Feed(pieces[i])
		} else {
			r.End()
		}
		for {
			event, ok, err := r.Next()
			if err != nil {
				return events, err
			}
			if !ok {
				break
			}
			event.Data = bytes.Clone(event.Data)
			events = append(events, event)
		}
	}
	return events, nil
}

func stream(t testing.TB) []byte {
	t.Helper()
	return bytes.Join([][]byte{
		event(t, "messageStart", `{"role":"assistant"}`),
		event(t, "contentBlockDelta", `{"delta":{"text":"Grüße 🌍"}}`),
		event(t, "empty", ""),
		message(t, `{"message":"Too many requests"}`, ":message-type", "exception", ":exception-type", "throttlingException"),
		message(t, "", ":message-type", "error", ":error-code", "InternalFailure", ":error-message", `said "no"`),
	}, nil)
}

func TestEventsHoweverTheyAreCut(t *testing.T) {
	whole := stream(t)
	want := []sse.Event{
		{Name: "messageStart", Data: []byte(`{"role":"assistant"}`)},
		{Name: "contentBlockDelta", Data: []byte(`{"delta":{"text":"Grüße 🌍"}}`)},
		{Name: "empty"},
		{Name: "error:throttlingException", Data: []byte(`{"message":"Too many requests"}`)},
		{Name: "error:InternalFailure", Data: []byte(`{"message":"said \"no\""}`)},
	}
	cuts := map[string][][]byte{"whole": {whole}, "byte by byte": nil, "at random": nil}
	for i := range whole {
		cuts["byte by byte"] = append(cuts["byte by byte"], whole[i:i+1])
	}
	for rest := whole; len(rest) > 0; {
		n := min(len(rest), rand.IntN(40))
		cuts["at random"] = append(cuts["at random"], rest[:n])
		rest = rest[n:]
	}
	for name, pieces := range cuts {
		got, err := read(&Reader{}, pieces...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !equal(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func equal(a, b []sse.Event) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || !bytes.Equal(a[i].Data, b[i].Data) {
			return false
		}
	}
	return true
}

// Whichever bit is wrong, no event comes of it (known-failures 29).
func TestCorruptMessages(t *testing.T) {
	good := event(t, "a", `{"x":1}`)
	for i := range good {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			if events, err := read(&Reader{}, bad, good); err == nil || len(events) > 0 {
				t.Fatalf("byte %d, bit %d: %q, error %v", i, bit, events, err)
			}
		}
	}
}

func TestErrorIsFinal(t *testing.T) {
	r := &Reader{}
	if _, err := read(r, []byte("<html>502 Bad Gateway</html>")); err == nil {
		t.Error("a page of HTML is read as events")
	}
	if _, err := read(r, stream(t)); err == nil {
		t.Error("the reader has forgotten its error")
	}
}

func prelude(size, headers uint32) []byte {
	text := binary.BigEndian.AppendUint32(nil, size)
	text = binary.BigEndian.AppendUint32(text, headers)
	return binary.BigEndian.AppendUint32(text, crc32.ChecksumIEEE(text))
}

func TestLengthsAreBounded(t *testing.T) {
	for _, test := range []struct {
		name          string
		size, headers uint32
		large         bool
	}{
		{"huge message", 1<<32 - 1, 0, true},
		{"above the bound", 1001, 0, true},
		{"huge headers", 900, 1<<32 - 1, true},
		{"headers beyond the message", 100, 90, false},
		{"no room for checksums", 15, 0, false},
	} {
		_, err := read(&Reader{MaxMessage: 1000}, prelude(test.size, test.headers))
		var large *TooLargeError
		if err == nil || errors.As(err, &large) != test.large {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if _, err := read(&Reader{}, event(t, "a", strings.Repeat("x", 1<<20))); err != nil {
		t.Errorf("a message of a megabyte: %v", err)
	}
}

func TestMessageWithoutType(t *testing.T) {
	if _, err := read(&Reader{}, message(t, "{}", ":event-type", "a")); err == nil {
		t.Error("read")
	}
}

// A stream that is cut inside a message ends without it.
func TestCutStream(t *testing.T) {
	whole := append(event(t, "a", "{}"), event(t, "b", "{}")...)
	if events, err := read(&Reader{}, whole[:len(whole)-1]); err != nil || len(events) != 1 {
		t.Errorf("%q, error %v", events, err)
	}
}

// What is fed is not kept once it is read.
func TestMemoryIsBounded(t *testing.T) {
	r, one := &Reader{}, event(t, "a", strings.Repeat("x", 1000))
	for range 1000 {
		if _, err := read(r, one); err != nil {
			t.Fatal(err)
		}
	}
	if cap(r.buffer) > 8*len(one) {
		t.Errorf("holds %d bytes for messages of %d", cap(r.buffer), len(one))
	}
}

func FuzzReader(f *testing.F) {
	f.Add(stream(f), 7)
	f.Add(stream(f)[:50], 1)
	f.Add(prelude(1<<31, 3), 5)
	f.Add(prelude(16, 0), 16)
	f.Add(message(f, "x", ":message-type", "event"), 3)
	f.Fuzz(func(t *testing.T, text []byte, length int) {
		whole, wholeErr := read(&Reader{MaxMessage: 1 << 16}, text)
		length = max(1, length)
		var pieces [][]byte
		for rest := text; len(rest) > 0; {
			n := min(length, len(rest))
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		cut, cutErr := read(&Reader{MaxMessage: 1 << 16}, pieces...)
		if !equal(whole, cut) || (wholeErr == nil) != (cutErr == nil) {
			t.Errorf("whole %q (%v), in pieces of %d %q (%v)", whole, wholeErr, length, cut, cutErr)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	for name, count := range map[string]int{"1": 1, "1000": 1000} {
		b.Run(name, func(b *testing.B) {
			text := bytes.Repeat(event(b, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":" word"},"p":"abcdefghijk"}`), count)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				r := Reader{}
				for rest := text; len(rest) > 0; {
					n := min(len(rest), 1500)
					r.Feed(rest[:n])
					rest = rest[n:]
					for {
						if _, ok, err := r.Next(); err != nil {
							b.Fatal(err)
						} else if !ok {
							break
						}
					}
				}
			}
		})
	}
}
