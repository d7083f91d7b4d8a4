package guard

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// streamRules overlap one another, and begin alike.
func streamRules(t testing.TB) []*Rule {
	filter := func(pattern, label string) *configpb.ContentFilter {
		return &configpb.ContentFilter{Pattern: pattern, Action: redacted, Label: label}
	}
	return guardrail(t, "g", &configpb.Guardrail{
		ContentFilters: []*configpb.ContentFilter{
			filter(`a.{0,9}b`, "<1>"), filter(`b+c`, "<2>"), filter(`\bcd\b`, "<3>"), filter(`é+`, "<4>"), filter(`(?m)^x`, "<5>"), filter(`d$`, "<6>"),
			{Pattern: "y", Action: flag},
		},
		ContentFilterBuiltins: []*configpb.BuiltinFilter{{Slug: "email", Action: redacted}, {Slug: "credit-card", Action: redacted}, {Slug: "phone", Action: redacted}},
	}).Input
}

func cut(rules []*Rule, text string, chance *rand.Rand, most int) (string, Findings) {
	var found Findings
	s := NewStream(nil, rules, &found)
	var out []byte
	for len(text) > 0 {
		n := min(len(text), 1+chance.IntN(most))
		out = s.Next(out, text[:n])
		text = text[n:]
	}
	return string(s.Flush(out)), found
}

func FuzzStreamIsTheSameHoweverItIsCut(f *testing.F) {
	rules := streamRules(f)
	for _, text := range []string{
		"", "a.b.c bbc cd ééé", "x\nx", "mail jane.doe@example.com now", "4111 1111 1111 1111", "ab@b.cc 22 4111-1111-1111-1111 12", "call +1 (555) 123-4567 d",
		"\xff\xc3", strings.Repeat("a@", 300), strings.Repeat("1 ", 2500), strings.Repeat("ab.", 2000) + "@x.de",
	} {
		f.Add(text, uint64(1), 1)
		f.Add(text, uint64(2), 7)
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64, most int) {
		if len(text) > longestMatch {
			t.Skip()
		}
		var found Findings
		want := string(Scan(nil, rules, User, []byte(text), &found))
		got, foundToo := cut(rules, text, rand.New(rand.NewPCG(seed, 1)), 1+max(0, most)%64)
		if got != want {
			t.Errorf("%q in pieces became %q, want %q", text, got, want)
		}
		for _, finding := range found {
			if !hasFinding(foundToo, finding) {
				t.Errorf("%q in pieces: %+v is not among %+v", text, finding, foundToo)
			}
		}
	})
}

func hasFinding(all Findings, want Finding) bool {
	for _, finding := range all {
		if finding.Rule == want.Rule && finding.Count == want.Count {
			return true
		}
	}
	return false
}

func TestStreamIsTheSameHoweverItIsCut(t *testing.T) {
	rules, chance := streamRules(t), rand.New(rand.NewPCG(3, 4))
	for range 500 {
		text := texts(chance) + " jane@example.com" + texts(chance)
		var found Findings
		want := string(Scan(nil, rules, User, []byte(text), &found))
		for _, most := range []int{1, 3, 40} {
			if got, _ := cut(rules, text, chance, most); got != want {
				t.Fatalf("%q in pieces of up to %d became %q, want %q", text, most, got, want)
			}
		}
	}
}

func TestStreamHoldsOnlyWhatMayBegin(t *testing.T) {
	var found Findings
	s := NewStream(nil, guardrail(t, "g", built("email", redacted)).Input, &found)
	for _, step := range []struct{ piece, want string }{
		{"Write to ", "Write to "}, {"jane", ""}, {".doe@exa", ""}, {"mple.com", ""}, {" or", "[EMAIL] "}, {" to ", "or to "}, {"nobody, ", "nobody, "},
	} {
		if got := string(s.Next(nil, step.piece)); got != step.want {
			t.Errorf("behind %q: %q, want %q", step.piece, got, step.want)
		}
	}
	if s.Held() != 0 || len(s.Flush(nil)) != 0 {
		t.Errorf("%d bytes are held", s.Held())
	}
}

// A match that goes on where the text was taken to end is found all the same, and once.
func TestStreamGoesOnBehindItsEnd(t *testing.T) {
	for name, test := range map[string]struct {
		pieces []string // each is flushed
		want   string
		count  int
	}{
		"a match across":       {[]string{"to jane@exam", "ple.com!"}, "to jane@exam[EMAIL]!", 1},
		"in three":             {[]string{"jane@", "exam", "ple.com "}, "jane@exam[EMAIL] ", 1},
		"one that was whole":   {[]string{"jane@example.com", " and"}, "[EMAIL] and", 1},
		"one that grows":       {[]string{"jane@example.co", "m "}, "[EMAIL] ", 2},
		"one that was none":    {[]string{"jane@exam", " ple.com"}, "jane@exam ple.com", 0},
		"one behind another":   {[]string{"a@b.de, jane@exam", "ple.com "}, "[EMAIL], jane@exam[EMAIL] ", 2},
		"no word begins there": {[]string{"x", "a@b.de "}, "x[EMAIL] ", 1},
		"far behind":           {[]string{strings.Repeat("x ", 9000) + "jane@exam", "ple.com "}, strings.Repeat("x ", 9000) + "jane@exam[EMAIL] ", 1},
		"nothing":              {[]string{"", "", "a@b.de "}, "[EMAIL] ", 1},
		"one that is long":     {append(slices.Repeat([]string{strings.Repeat("a", 1000)}, 30), "@b.de "), strings.Repeat("a", 30_000) + "[EMAIL] ", 1},
	} {
		var found Findings
		var got []byte
		s := NewStream(nil, guardrail(t, "g", built("email", redacted)).Input, &found)
		for _, piece := range test.pieces {
			got = s.Flush(s.Next(got, piece))
			if len(s.text) > longestHeld+64 {
				t.Fatalf("%s: %d bytes are kept", name, len(s.text))
			}
		}
		count := 0
		for _, finding := range found {
			count += finding.Count
		}
		if string(got) != test.want || count != test.count {
			t.Errorf("%s: %.60q, %d bytes, with %d found, want %.60q, %d bytes, with %d", name, got, len(got), count, test.want, len(test.want), test.count)
		}
	}
}

// However the text goes on, what is held is bounded, and so is the work.
func TestStreamIsBounded(t *testing.T) {
	from := custom(`a[^!]*!`, redacted, "")
	from.ContentFilters = append(from.ContentFilters, &configpb.ContentFilter{Pattern: `(?s)-----BEGIN.*?-----END`, Action: redacted, Label: "[KEY]"})
	var found Findings
	s := NewStream(nil, guardrail(t, "g", from).Input, &found)
	passed := 0
	for i := range 5000 {
		passed += len(s.Next(nil, "an answer without an end, "))
		if held := s.Held(); held > longestHeld+64 || passed+held != (i+1)*26 || len(s.text) > held+8 {
			t.Fatalf("%d bytes are held, %d kept, %d passed of %d", held, len(s.text), passed, (i+1)*26)
		}
	}
	key := "-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("x", 3000) + "\n-----END"
	if got := string(s.Next(nil, key+"!")); strings.Contains(got, "xxx") {
		t.Errorf("a key passed in %d bytes", len(got))
	}
}

func BenchmarkStream(b *testing.B) {
	for _, bench := range []struct {
		name  string
		rules []*Rule
	}{{"email", guardrail(b, "g", built("email", redacted)).Input}, {"builtins", allBuiltins(b, 0)}, {"builtins+20", allBuiltins(b, 20)}} {
		b.Run(bench.name+"/1000 pieces of 4 bytes", func(b *testing.B) {
			text := prose(4000)
			b.ReportAllocs()
			for b.Loop() {
				var found Findings
				var out []byte
				s := NewStream(nil, bench.rules, &found)
				for i := 0; i < len(text); i += 4 {
					out = s.Next(out[:0], text[i:i+4])
				}
				s.Flush(out)
			}
		})
	}
}
