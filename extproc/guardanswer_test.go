package extproc

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/guard"
)

func newAnswerGuard(t testing.TB, from *configpb.Guardrail) *answerGuard {
	t.Helper()
	rules, err := guard.New("g", from)
	if err != nil {
		t.Fatal(err)
	}
	return &answerGuard{rules: rules.Output, meter: newTestSearch(t)}
}

// heard is what a client gets: the texts of each block put together.
func heard(events []dialect.Event) (told []string) {
	last := ""
	for _, e := range events {
		block := fmt.Sprintf("%d/%d/%d/%s", e.Choice, e.Kind, e.Index, e.Reasoning.Type)
		text := e.Text + e.Reasoning.Text
		if e.Reasoning.Signature != "" || e.Reasoning.Data != "" {
			text += "<" + e.Reasoning.Signature + e.Reasoning.Data + ">"
		}
		if len(e.Raw) > 0 {
			text += string(e.Raw)
		}
		if block == last {
			told[len(told)-1] += text
		} else {
			told = append(told, block+": "+text)
		}
		last = block
	}
	return told
}

func text(choice int, text string) dialect.Event {
	return dialect.Event{Kind: dialect.EventText, Choice: choice, Text: text}
}

func thought(text, signature string) dialect.Event {
	return dialect.Event{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{Type: dialect.ReasoningText, Text: text, Signature: signature}}
}

func call(index int, name string) dialect.Event {
	return dialect.Event{Kind: dialect.EventToolCall, Index: index, ID: fmt.Sprint("call_", index), Text: name}
}

func arguments(index int, text string) dialect.Event {
	return dialect.Event{Kind: dialect.EventToolArguments, Index: index, Text: text}
}

func finish(choice int) dialect.Event {
	return dialect.Event{Kind: dialect.EventFinish, Choice: choice, Text: "stop"}
}

func TestAnswerGuard(t *testing.T) {
	kinds := fmt.Sprintf // blocks are named by number
	say, think, args := kinds("0/%d/0/", dialect.EventText), kinds("0/%d/0/%s", dialect.EventReasoning, dialect.ReasoningText), func(i int) string { return kinds("0/%d/%d/", dialect.EventToolArguments, i) }
	begin := func(i int) string { return kinds("0/%d/%d/", dialect.EventToolCall, i) }
	end := kinds("0/%d/0/: stop", dialect.EventFinish)
	for name, test := range map[string]struct {
		events []dialect.Event
		want   []string
	}{
		"a text":             {[]dialect.Event{text(0, "to a"), text(0, "@b"), text(0, ".de, yes"), finish(0)}, []string{say + ": to [EMAIL], yes", end}},
		"its end":            {[]dialect.Event{text(0, "a@b.de"), finish(0)}, []string{say + ": [EMAIL]", end}},
		"behind the end":     {[]dialect.Event{text(0, "x"), finish(0), text(0, "a@b.de")}, []string{say + ": x", end, say + ": [EMAIL]"}},
		"no end":             {[]dialect.Event{text(0, "a@b.de")}, []string{say + ": [EMAIL]"}},
		"the last word":      {[]dialect.Event{text(0, "a@b.de"), {Kind: dialect.EventDone}}, []string{say + ": [EMAIL]", kinds("0/%d/0/: ", dialect.EventDone)}},
		"reasoning":          {[]dialect.Event{thought("a@", ""), thought("b.de", ""), text(0, "@c.de"), finish(0)}, []string{think + ": [EMAIL]", say + ": @c.de", end}},
		"nothing between":    {[]dialect.Event{thought("a@", ""), text(0, ""), thought("b.de", ""), thought("", ""), call(0, "f"), arguments(0, `{"a":`), text(0, ""), arguments(0, `"a@b.de"}`), finish(0)}, []string{say + ": ", think + ": [EMAIL]", begin(0) + ": f", say + ": ", args(0) + `: {"a":"[EMAIL]"}`, end}},
		"proven reasoning":   {[]dialect.Event{thought("plain", ""), thought("", "sig"), finish(0)}, []string{think + ": plain<sig>", end}},
		"its proof is void":  {[]dialect.Event{thought("a@b", ""), thought(".de", ""), thought("", "sig"), text(0, "x"), finish(0)}, []string{think + ": [EMAIL]", say + ": x", end}},
		"proof with text":    {[]dialect.Event{thought("a@b.de", "sig"), thought(" plain", "sig2"), finish(0)}, []string{think + ": [EMAIL] plain", end}},
		"a call":             {[]dialect.Event{call(0, "mail"), arguments(0, `{"to":"a@`), arguments(0, `b.de"}`), finish(0)}, []string{begin(0) + ": mail", args(0) + `: {"to":"[EMAIL]"}`, end}},
		"an escaped call":    {[]dialect.Event{call(0, "mail"), arguments(0, `{"to":"a\u0040b.de"}`), finish(0)}, []string{begin(0) + ": mail", args(0) + `: {"to":"[EMAIL]"}`, end}},
		"a broken call":      {[]dialect.Event{call(0, "mail"), arguments(0, `{"to":"a@b.de`), finish(0)}, []string{begin(0) + ": mail", args(0) + `: {"to":"[EMAIL]`, end}},
		"calls at once":      {[]dialect.Event{text(0, "x"), call(0, "f"), arguments(0, `{"a":`), call(1, "g"), arguments(1, `"a@b.de"`), arguments(0, `1}`), finish(0)}, []string{say + ": x", begin(0) + ": f", args(0) + `: {"a":1}`, begin(1) + ": g", args(1) + `: "[EMAIL]"`, end}},
		"text behind a call": {[]dialect.Event{call(0, "f"), arguments(0, "{}"), text(0, "a@b.de"), finish(0)}, []string{begin(0) + ": f", args(0) + ": {}", say + ": [EMAIL]", end}},
		"reasoning between":  {[]dialect.Event{text(0, "to a@"), thought("hm.", ""), text(0, "b"), thought(" b@", ""), text(0, ".de "), thought("c.de", ""), finish(0)}, []string{say + ": to ", think + ": hm. ", say + ": [EMAIL] ", think + ": [EMAIL]", end}},
		"a call between":     {[]dialect.Event{text(0, "a@b.d"), call(0, "f"), arguments(0, "{}"), text(0, "e "), finish(0)}, []string{say + ": a@b.d", begin(0) + ": f", args(0) + ": {}", say + ": [EMAIL] ", end}},
		"reasoning goes on":  {[]dialect.Event{thought("a@b.d", ""), text(0, "x "), thought("e ", ""), finish(0)}, []string{think + ": a@b.d", say + ": x ", think + ": [EMAIL] ", end}},
		"annotations wait":   {[]dialect.Event{text(0, "see a@b"), {Kind: dialect.EventAnnotation, Raw: []byte(`{"title":"a@b.de"}`)}, text(0, ".de !"), finish(0)}, []string{say + ": see [EMAIL] !", kinds("0/%d/0/: {\"title\":\"[EMAIL]\"}", dialect.EventAnnotation), end}},
		"logprobs are lost":  {[]dialect.Event{text(0, "x"), {Kind: dialect.EventLogprobs, Raw: []byte(`{}`)}, finish(0)}, []string{say + ": x", end}},
	} {
		t.Run(name, func(t *testing.T) {
			g := newAnswerGuard(t, builtin("email", redacted, outward))
			var all []dialect.Event
			for i := range test.events {
				passed, err := g.Filter(test.events[i : i+1])
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, slices.Clone(passed)...)
			}
			rest, err := g.End()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, heard(append(all, rest...))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What the client puts together is searched as one, whatever comes between.
func TestAnswerGuardBlocksAcrossWhatComesBetween(t *testing.T) {
	for name, between := range map[string][]dialect.Event{
		"reasoning":      {thought(".", "")},
		"a call":         {call(0, "f"), arguments(0, "{}")},
		"an image":       {{Kind: dialect.EventImage}},
		"its end":        {finish(0)},
		"a signed block": {thought("x", "sig"), thought("y", "sig")},
	} {
		for kind, parts := range map[string][2]dialect.Event{"text": {text(0, "jane@exam"), text(0, "ple.com")}, "reasoning": {thought("jane@exam", ""), thought("ple.com", "")}} {
			middle := between
			if kind == "reasoning" && between[0].Kind == dialect.EventReasoning {
				middle = []dialect.Event{text(0, "x ")}
			}
			g := newAnswerGuard(t, builtin("email", blocked, outward))
			events := slices.Concat(parts[:1], middle, parts[1:])
			_, err := g.Filter(events)
			if err == nil {
				_, err = g.End()
			}
			var told *dialect.Error
			if !errors.As(err, &told) || told.Status != 403 {
				t.Errorf("%s across %s: %v", kind, name, err)
			}
		}
	}
}

// Each choice has its own text, and what comes of one tells nothing of another.
func TestAnswerGuardKeepsChoicesApart(t *testing.T) {
	g := newAnswerGuard(t, builtin("email", redacted, outward))
	passed, err := g.Filter([]dialect.Event{text(0, "a@b"), text(1, "c@d"), text(0, ".de"), text(1, " no"), finish(1), finish(0)})
	if err != nil {
		t.Fatal(err)
	}
	said := map[int]string{}
	for _, e := range passed {
		if e.Kind == dialect.EventText {
			said[e.Choice] += e.Text
		}
	}
	if said[0] != "[EMAIL]" || said[1] != "c@d no" {
		t.Errorf("%v", said)
	}
}

// Whatever of an answer is held, it is bounded, and what has passed is held no more.
func TestAnswerGuardBoundsWhatIsHeld(t *testing.T) {
	annotation := dialect.Event{Kind: dialect.EventAnnotation, Raw: []byte(`{"type":"url_citation"}`)}
	for name, test := range map[string]struct {
		first dialect.Event
		next  func(i int) dialect.Event
	}{
		"arguments":                     {call(0, "f"), func(int) dialect.Event { return arguments(0, strings.Repeat("x", 1024)) }},
		"calls without arguments":       {call(0, "f"), func(i int) dialect.Event { return call(i+1, "f") }},
		"arguments that nothing began":  {call(0, "f"), func(i int) dialect.Event { return arguments(i+1, "x") }},
		"annotations behind a text":     {text(0, "jane@"), func(int) dialect.Event { return annotation }},
		"choices without much in them":  {text(0, "x"), func(i int) dialect.Event { return text(i+1, "jane@") }},
		"calls of a choice of each own": {text(0, "x"), func(i int) dialect.Event { c := call(0, "f"); c.Choice = i; return c }},
	} {
		t.Run(name, func(t *testing.T) {
			g := newAnswerGuard(t, builtin("email", redacted, outward))
			pass := func(event dialect.Event) error {
				_, err := g.Filter([]dialect.Event{event})
				return err
			}
			err := pass(test.first)
			i := 0
			for ; err == nil && i <= largestGuarded/guardedEntry; i++ {
				err = pass(test.next(i))
			}
			var told *dialect.Error
			if !errors.As(err, &told) || told.Status != 502 || g.held > largestGuarded+1024 {
				t.Errorf("%v with %d bytes held behind %d events", err, g.held, i)
			}
			few := newAnswerGuard(t, builtin("email", redacted, outward))
			for i := range 10 {
				if _, err := few.Filter([]dialect.Event{test.first, test.next(i)}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := few.End(); err != nil {
				t.Fatal(err)
			}
			if few.held != guardedEntry*len(few.choices) {
				t.Errorf("%d bytes are held of %d choices at the end", few.held, len(few.choices))
			}
		})
	}
}

// However an answer is cut into events, its client gets the same.
func FuzzAnswerGuard(f *testing.F) {
	for i, answer := range []string{"write to jane.doe@example.com, or to joe@x.io", "4111 1111 1111 1111 is no 4111 1111 1111 1112", `{"to":"a@b.de"}`, "no@", "é@é.de \xff"} {
		f.Add(answer, uint64(i))
	}
	f.Fuzz(func(t *testing.T, answer string, seed uint64) {
		if len(answer) > 2<<10 {
			t.Skip()
		}
		from := builtin("email", redacted, outward)
		from.ContentFilterBuiltins = append(from.ContentFilterBuiltins, builtin("credit-card", redacted, outward).ContentFilterBuiltins...)
		chance := rand.New(rand.NewPCG(seed, 1))
		run := func(most int) map[string]string {
			g := newAnswerGuard(t, from)
			said := map[string]string{}
			note := func(events []dialect.Event, err error) {
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range events {
					said[fmt.Sprint(e.Choice, e.Kind, e.Index)] += e.Text + e.Reasoning.Text
				}
			}
			note(g.Filter([]dialect.Event{call(0, "f")}))
			for rest := answer; rest != ""; {
				n := min(len(rest), 1+chance.IntN(most))
				note(g.Filter([]dialect.Event{arguments(0, rest[:n]), text(1, rest[:n]), {Kind: dialect.EventReasoning, Choice: 2, Reasoning: dialect.ReasoningDetail{Text: rest[:n]}}}))
				rest = rest[n:]
			}
			note(g.End())
			return said
		}
		if diff := cmp.Diff(run(len(answer)+1), run(3)); diff != "" {
			t.Errorf("in one piece and in several:\n%s", diff)
		}
	})
}

func BenchmarkAnswerGuard(b *testing.B) {
	rules := builtin("email", redacted, outward)
	for _, slug := range []string{"phone", "ssn", "credit-card", "ip-address"} {
		rules.ContentFilterBuiltins = append(rules.ContentFilterBuiltins, builtin(slug, redacted, outward).ContentFilterBuiltins...)
	}
	compiled := newAnswerGuard(b, rules).rules
	for _, events := range []int{1, 1000} {
		b.Run(fmt.Sprintf("%d events", events), func(b *testing.B) {
			b.ReportAllocs()
			pieces := []dialect.Event{text(0, "The "), text(0, "quick "), text(0, "brown "), text(0, "fox"), text(0, " 12.")}
			for b.Loop() {
				g := &answerGuard{rules: compiled, meter: newTestSearch(b)}
				for i := range events {
					at := i % len(pieces)
					if _, err := g.Filter(pieces[at : at+1]); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
