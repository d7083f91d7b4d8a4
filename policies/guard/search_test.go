package guard

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// patternsInTests are of every kind that the search, or what narrows it, treats in a
// way of its own.
var patternsInTests = []string{
	`ab`, `a+b`, `a|ab`, `ab|a`, `a.*b`, `a.*?b`, `(?s)a.*b`, `(?i)key`, `\bab\b`, `\b[ab]x?`, `\b(?:-|a)`, `\Bb`, `(?m)^a`, `(?m)b$`, `^a`, `b$`, `\Aab?`, `b\z`,
	`[a-c]{2,4}`, `(?:ab){1,3}c?`, `é+`, `[^a]b`, `a(?:b|bc)(?:c|cd)`, `(?i)ſ|k`, `x?y?a`, `(a|b)(c|d)`, `.é`, `a\sb`, `[[:digit:]]+-[[:digit:]]+`,
	`(?:a|ab)(?:c|bcd)(?:d*)`, `a{3}`, `\w+@\w+`, `@`, "a\nb", `(?s).b`,
}

func texts(chance *rand.Rand) string {
	const letters = "aaabbbccd xy@-_19.\nékKſ"
	runes := []rune(letters)
	var text strings.Builder
	for range chance.IntN(60) {
		text.WriteRune(runes[chance.IntN(len(runes))])
	}
	return text.String()
}

func offsets(pattern, text string) (want []span) {
	for _, at := range regexp.MustCompile(pattern).FindAllStringIndex(text, -1) {
		want = append(want, span{at[0], at[1]})
	}
	return want
}

// all is what a search finds in a whole text.
func all(p *pattern, text []byte, meter Meter) (found []span) {
	h := hits{pattern: p, meter: meter, text: text}
	for at, ok := h.next(); ok; at, ok = h.next() {
		found = append(found, at)
	}
	return found
}

// ended is the meter of a search that nobody waits for any more.
type ended struct{}

func (ended) GoOn() bool    { return false }
func (ended) Grow(int) bool { return false }

// inPieces is what a search finds in a text that comes cut at random.
func inPieces(p *pattern, text string, chance *rand.Rand) (found []span) {
	s := newSearch(p, nil)
	held := 0
	for {
		held = min(len(text), held+chance.IntN(4))
		ended := held == len(text)
		found = s.advance(found, []byte(text[:held]), 0, ended)
		if s.undecided() > held {
			panic("undecided reaches beyond the text")
		}
		if ended {
			return found
		}
	}
}

func FuzzSearchFindsWhatRegexpFinds(f *testing.F) {
	for i, text := range patternsInTests {
		f.Add(text, "aab ab.b\nab abcd kK é", uint64(i))
	}
	f.Add(`a`, "\xff\xc3a\xc3", uint64(1))
	f.Fuzz(func(t *testing.T, pattern, text string, seed uint64) {
		p, err := compile(pattern)
		if err != nil || len(text) > longestMatch || len(p.program.Inst) > 1000 {
			t.Skip()
		}
		want := offsets(pattern, text)
		if got := inPieces(p, text, rand.New(rand.NewPCG(seed, 1))); !slices.Equal(got, want) {
			t.Errorf("%q in %q in pieces: %v, want %v", pattern, text, got, want)
		}
		if got := all(p, []byte(text), nil); !slices.Equal(got, want) {
			t.Errorf("%q in %q: %v, want %v", pattern, text, got, want)
		}
	})
}

func TestSearchFindsWhatRegexpFinds(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	for _, text := range patternsInTests {
		p, err := compile(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for range 300 {
			in := texts(chance)
			want := offsets(text, in)
			if got := inPieces(p, in, chance); !slices.Equal(got, want) {
				t.Fatalf("%q in %q in pieces: %v, want %v", text, in, got, want)
			}
			if got := all(p, []byte(in), nil); !slices.Equal(got, want) {
				t.Fatalf("%q in %q: %v, want %v", text, in, got, want)
			}
		}
	}
}

// A match that goes on for too long is given up, and hides no shorter one behind it.
func TestSearchHoldsABoundedText(t *testing.T) {
	p := mustCompile(`a[^z]*z`)
	s := newSearch(p, nil)
	var text []byte
	for range 20 {
		text = append(text, []byte(strings.Repeat("a.", 1000))...)
		if got := s.advance(nil, text, 0, false); len(got) > 0 {
			t.Fatalf("found %v", got)
		}
		if held := len(text) - s.undecided(); held > longestHeld {
			t.Fatalf("%d bytes are held", held)
		}
	}
	text = append(text, 'z')
	got := s.advance(nil, text, 0, true)
	if len(got) != 1 || got[0].end != len(text) || got[0].end-got[0].start < longestMatch {
		t.Errorf("found %v in %d bytes", got, len(text))
	}
}

// Of a text that is at hand nothing need be held, and no match is too long to be found.
func TestWholeTextsHaveMatchesOfAnyLength(t *testing.T) {
	for _, pattern := range []string{`(?s)BEGIN PRIVATE KEY.+END`, `(?s)BEGIN PRIVATE KEY.+?END`, `(?s)BEGIN (?:.+END)?`} {
		p := mustCompile(pattern)
		for _, n := range []int{3000, 9000, 200_000} {
			text := "see BEGIN PRIVATE KEY" + strings.Repeat("x", n) + "END"
			want := offsets(pattern, text)
			if n > longestHeld && strings.HasSuffix(pattern, "?") {
				want = []span{{4, len("see BEGIN ")}} // that is one, and a longer one is not sought for so long
			}
			if got := all(p, []byte(text), nil); !slices.Equal(got, want) {
				t.Errorf("%s with %d bytes between: %v, want %v", pattern, n, got, want)
			}
		}
	}
	lines := "BEGIN PRIVATE KEY" + strings.Repeat("xEND", 10_000)
	if got, want := all(mustCompile(`(?s)BEGIN.+END`), []byte(lines), nil), []span{{0, len(lines)}}; !slices.Equal(got, want) {
		t.Errorf("of one that grows: %v, want %v", got, want)
	}
}

func TestSearchesEndWhenNobodyWaits(t *testing.T) {
	text := []byte(strings.Repeat("a", 100_000) + "Z")
	for _, p := range []*pattern{mustCompile(`a{1,500}Z`), mustCompile(`(?s).{1,10}Z`)} {
		if found := all(p, text, nil); len(found) != 1 {
			t.Errorf("%v", found)
		}
		if found := all(p, text, ended{}); len(found) != 0 {
			t.Errorf("%v is found all the same", found)
		}
		s := newSearch(p, ended{})
		if found := s.advance(nil, text, 0, true); len(found) != 0 || s.at > 2*checkEvery {
			t.Errorf("%v is found in %d bytes all the same", found, s.at)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	for _, slug := range []string{"email", "credit-card", slugInjection} {
		rule, err := builtinOf(slug)
		if err != nil {
			b.Fatal(err)
		}
		text := []byte(prose(100 << 10))
		b.Run(fmt.Sprintf("%s/100KB", slug), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				for _, p := range rule.patterns {
					newSearch(p, nil).advance(nil, text, 0, true)
				}
			}
		})
	}
}

// prose is a text of so many bytes with a match now and then.
func prose(size int) string {
	const paragraph = "The quick brown fox jumps over the lazy dog, while 12 clerks in 1984 wrote letters to the ministry. " +
		"Nobody answered; the phone rang, and the show went on without any interruption until 10.30 in the evening. "
	var text strings.Builder
	for i := 0; text.Len() < size; i++ {
		text.WriteString(paragraph)
		if i%20 == 19 {
			text.WriteString("Write to jane.doe@example.com, or pay with 4111 1111 1111 1111. ")
		}
	}
	return text.String()[:size]
}
