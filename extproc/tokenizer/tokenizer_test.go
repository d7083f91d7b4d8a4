package tokenizer

import (
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// known are texts with what OpenAI's own library, tiktoken 0.14.0, makes of them.
type known struct {
	Name, Text string
	O200k      int64 `json:"o200k_base"`
	Cl100k     int64 `json:"cl100k_base"`
}

func readKnown(t testing.TB) []known {
	t.Helper()
	text, err := os.ReadFile("testdata/tiktoken.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []known
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// Texts of up to a piece's length are counted exactly; longer ones may be off by a token
// where they are cut, once in a piece.
func TestCountsAreTiktokens(t *testing.T) {
	for _, text := range readKnown(t) {
		cuts := int64(len(text.Text)) / (longestPiece / 2)
		for name, count := range map[string]struct {
			tokenizer *Tokenizer
			want      int64
		}{"o200k": {o200k, text.O200k}, "cl100k": {cl100k, text.Cl100k}} {
			got := count.tokenizer.Count(text.Text)
			if text.Name == `800 of " \n"` {
				cuts = count.want // the library takes each of such lines by itself
			}
			if got < count.want || got > count.want+cuts {
				t.Errorf("%s by %s: %d tokens, want %d, or up to %d more", text.Name, name, got, count.want, cuts)
			}
			if strings.HasPrefix(text.Name, "long english") && got != count.want {
				t.Errorf("%s by %s: %d tokens, want %d: words are not to be cut", text.Name, name, got, count.want)
			}
		}
	}
}

func TestModelsHaveTheirTokenizers(t *testing.T) {
	for model, want := range map[string]*Tokenizer{
		"gpt-4": cl100k, "openai/gpt-4": cl100k, "gpt-4-turbo-2024-04-09": cl100k, "gpt-3.5-turbo": cl100k, "gpt-35-turbo": cl100k,
		"ft:gpt-3.5-turbo:acme": cl100k, "text-embedding-3-small": cl100k,
		"gpt-4o": o200k, "openai/gpt-4.1-mini": o200k, "gpt-5": o200k, "o3": o200k, "openai/gpt-oss-120b": o200k,
		"anthropic/claude-sonnet-4.5": o200k, "": o200k, "a/": o200k,
	} {
		if For(model) != want {
			t.Errorf("%q has the other tokenizer", model)
		}
	}
}

// Texts that make byte-pair merging, or the expression that splits words, take the square
// of their length: each is counted, or sampled, within a bound whatever its size.
func TestWorstTextsAreCountedInBoundedTime(t *testing.T) {
	for _, unit := range []string{"a", "A", "aA", "^", " ", "\n", " \n", "\r\n\t", "中", "🎉", "\xff", "a\u0301", "'s", "1"} {
		began := time.Now()
		tokens := o200k.Count(strings.Repeat(unit, 8<<20/len(unit)))
		// It takes 20 ms; on a busy machine with the race detector some seconds. Counted
		// whole, the worst of them take hours.
		if took := time.Since(began); took > time.Minute || tokens <= 0 {
			t.Errorf("8 MiB of %q: %d tokens in %v", unit, tokens, took)
		}
	}
}

// What is sampled comes out near what is counted.
func TestLongTextsAreSampled(t *testing.T) {
	var text strings.Builder
	for text.Len() < 4*longestCounted {
		for _, part := range readKnown(t) {
			text.WriteString(part.Text)
		}
	}
	sampled, whole := o200k.Count(text.String()), o200k.count(text.String())
	if off := float64(sampled-whole) / float64(whole); off < -0.1 || off > 0.1 {
		t.Errorf("%d tokens by samples, %d by all", sampled, whole)
	}
}

// Any text is cut into pieces that are characters whole, if it is of such, and none is lost.
func FuzzCut(f *testing.F) {
	f.Add(strings.Repeat("中", 700), 1024)
	f.Add(strings.Repeat("a b", 700), 1024)
	f.Add(strings.Repeat("\xff", 2000), 1024)
	f.Add(strings.Repeat("x", 1023)+" yz", 1024)
	f.Fuzz(func(t *testing.T, text string, most int) {
		most = max(most%longestPiece, 8)
		valid := utf8.ValidString(text)
		for rest := text; len(rest) > 0; {
			end := cut(rest, most)
			if end <= 0 || end > most && end != len(rest) {
				t.Fatalf("%q is cut at %d of %d", rest, end, most)
			}
			if valid && !utf8.ValidString(rest[:end]) {
				t.Fatalf("%q is cut within a character, at %d", rest, end)
			}
			rest = rest[end:]
		}
	})
}

func TestManyCountAtOnce(t *testing.T) {
	var counting sync.WaitGroup
	all := readKnown(t)
	for range 8 {
		counting.Go(func() {
			for _, text := range all[:10] {
				if got := o200k.Count(text.Text); got != text.O200k {
					t.Errorf("%s: %d tokens, want %d", text.Name, got, text.O200k)
				}
			}
		})
	}
	counting.Wait()
}

func BenchmarkCount(b *testing.B) {
	var text strings.Builder
	for _, part := range readKnown(b) {
		if strings.HasPrefix(part.Name, "long") {
			text.WriteString(part.Text)
		}
	}
	for _, size := range []struct {
		name  string
		bytes int
	}{{"1KB", 1 << 10}, {"100KB", 100 << 10}, {"1MB", 1 << 20}} {
		b.Run(size.name, func(b *testing.B) {
			said := strings.Repeat(text.String(), size.bytes/text.Len()+1)[:size.bytes]
			b.SetBytes(int64(len(said)))
			b.ReportAllocs()
			for b.Loop() {
				o200k.Count(said)
			}
		})
	}
}
