package extproc

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/guard"
)

const (
	// largestGuarded bounds what of one answer is held to be searched when it is whole,
	// the arguments of calls, and what has to stay behind a text that is, in bytes.
	largestGuarded = 1 << 20
	// guardedEntry is what a call, an annotation or a choice takes besides its text.
	guardedEntry = 512
)

// mostGrown bounds by how much labels may make an answer longer than its model made it, in
// bytes.
const mostGrown = 8 << 20

// newPipe joins the client to the provider that answers. Where rules hold for what a
// model says in words, they stand between.
func (a *attempt) newPipe(meta dialect.Meta) dialect.Pipe {
	rules := a.policy.GuardOf(a.key).Rules.Output
	if len(rules) == 0 || a.request.OutputModality != "" {
		return dialect.NewPipe(a.client, a.provider, a.request, meta)
	}
	meter := a.newSearch(a.stream.Context(), mostGrown, "answers", &a.answer.held, a.policy.MaxHeldAnswers)
	a.answer.guard = &answerGuard{rules: rules, meter: meter}
	return dialect.NewFilteredPipe(a.client, a.provider, a.request, meta, a.answer.guard)
}

// answerGuard applies rules to an answer: to its text, refusals and reasoning as they
// come, and to the arguments of calls and to annotations value by value.
//
// Each choice has a text of each kind, which clients put together whatever comes between
// its pieces. What is held of reasoning passes when something else begins, and what is held
// of a text when a call or the end does, so that the order stays; a match that goes on
// behind that blocks all the same, and the rest of it is redacted.
type answerGuard struct {
	rules   []*guard.Rule
	meter   *searchMeter
	found   guard.Findings
	choices []guardedChoice
	passed  []dialect.Event
	held    int // bytes, up to largestGuarded
}

var _ dialect.AnswerFilter = (*answerGuard)(nil)

// guardedChoice is what is held of one choice.
type guardedChoice struct {
	number int
	spoken []*guardedText
	// later are events behind the text that is held.
	later    []dialect.Event
	calls    []guardedCall
	finished bool
}

// guardedText is all the text of one kind in a choice.
type guardedText struct {
	*guard.Stream
	// pattern is an event of it, in which the text itself is to be put.
	pattern dialect.Event
	// interrupted: something else has begun behind it once.
	interrupted bool
	// altered: the reasoning under way is not as its maker signed it.
	altered bool
}

// guardedCall is a call of a tool. The first of several is told at once, so that the
// client sees that the answer goes on.
type guardedCall struct {
	begin     dialect.Event
	told      bool
	arguments []byte
}

// Filter takes the next events.
func (g *answerGuard) Filter(events []dialect.Event) ([]dialect.Event, error) {
	g.passed = g.passed[:0]
	g.meter.begin()
	defer g.meter.end()
	for i := range events {
		if err := g.take(&events[i]); err != nil {
			return nil, err
		}
		if err := g.refused(); err != nil {
			return nil, err
		}
	}
	return g.passed, nil
}

// End passes on what is held.
func (g *answerGuard) End() ([]dialect.Event, error) {
	g.passed = g.passed[:0]
	g.meter.begin()
	defer g.meter.end()
	g.flushAll()
	if err := g.refused(); err != nil {
		return nil, err
	}
	return g.passed, nil
}

// refused is why no more of the answer may pass: a rule blocks it, or it was not searched
// to its end.
func (g *answerGuard) refused() error {
	if blocked := g.found.Blocked(); blocked != nil {
		return answerRefusal(blocked)
	}
	told := &dialect.Error{Status: http.StatusBadGateway, Type: "provider_unavailable"}
	switch err := g.meter.err; {
	case err == nil:
		return nil
	case errors.Is(err, errSearchLong):
		told.Message = fmt.Sprintf("The answer is too long to be searched: what a guardrail looks for was not ruled out within %v.", longestSearch)
	case errors.Is(err, errSearchGrown):
		told.Message = fmt.Sprintf("The answer is more than %d MiB longer with the labels of guardrails in the place of what they redact.", mostGrown>>20)
	case errors.Is(err, errSearchLate):
		return searchLate()
	default:
		return err
	}
	return told
}

func (g *answerGuard) flushAll() {
	for i := range g.choices {
		g.choices[i].flush(g)
	}
}

func (g *answerGuard) choice(number int) (*guardedChoice, error) {
	for i := range g.choices {
		if g.choices[i].number == number {
			return &g.choices[i], nil
		}
	}
	if err := g.hold(1, 0); err != nil {
		return nil, err
	}
	g.choices = append(g.choices, guardedChoice{number: number})
	return &g.choices[len(g.choices)-1], nil
}

// hold counts calls, annotations and choices that are held, and the bytes of their texts,
// for which it takes room.
func (g *answerGuard) hold(entries, text int) error {
	if g.held += entries*guardedEntry + text; g.held > largestGuarded {
		return &dialect.Error{Status: http.StatusBadGateway, Type: "provider_unavailable",
			Message: "The model's calls of tools, or its annotations, are longer than 1 MiB, and a guardrail cannot search them."}
	}
	g.meter.hold(text)
	return nil
}

// release takes hold back.
func (g *answerGuard) release(entries, text int) {
	g.held -= entries*guardedEntry + text
	g.meter.held -= text
}

// pass passes on what was held behind a text.
func (c *guardedChoice) pass(g *answerGuard) {
	for i := range c.later {
		g.release(1, len(c.later[i].Raw))
	}
	g.passed = append(g.passed, c.later...)
	c.later = c.later[:0]
}

func (g *answerGuard) take(event *dialect.Event) error {
	switch event.Kind {
	case dialect.EventEnding, dialect.EventDone:
		g.flushAll()
		g.passed = append(g.passed, *event)
		return nil
	case dialect.EventStart, dialect.EventUsage, dialect.EventTier:
		g.passed = append(g.passed, *event)
		return nil
	case dialect.EventLogprobs:
		if slices.ContainsFunc(g.rules, func(rule *guard.Rule) bool { return rule.Action != guard.Flag }) {
			return nil // they spell out the text as it was
		}
		g.passed = append(g.passed, *event)
		return nil
	}
	if saysNothing(event) {
		g.passed = append(g.passed, *event)
		return nil
	}
	c, err := g.choice(event.Choice)
	if err != nil {
		return err
	}
	switch event.Kind {
	case dialect.EventText, dialect.EventRefusal:
		text := c.goOn(g, event)
		c.tell(g, text, text.Next(nil, event.Text))
	case dialect.EventReasoning:
		c.reason(g, c.goOn(g, event), event)
	case dialect.EventToolCall:
		if len(c.calls) == 0 {
			c.flush(g)
			g.passed = append(g.passed, *event)
		}
		if err := g.hold(1, 0); err != nil {
			return err
		}
		c.calls = append(c.calls, guardedCall{begin: *event, told: len(c.calls) == 0})
	case dialect.EventToolArguments:
		if err := g.hold(0, len(event.Text)); err != nil {
			return err
		}
		for i := range c.calls {
			if c.calls[i].begin.Index == event.Index {
				c.calls[i].arguments = append(c.calls[i].arguments, event.Text...)
				return nil
			}
		}
		// Of a call that nothing began.
		if err := g.hold(1, 0); err != nil {
			return err
		}
		c.calls = append(c.calls, guardedCall{begin: *event, told: true, arguments: []byte(event.Text)})
	case dialect.EventAnnotation:
		annotation := *event
		edited, _ := g.meter.edit(event.Raw, func(most int) ([]byte, error) { return dialect.EditTexts(event.Raw, most, g.scan) })
		annotation.Raw = slices.Clone(edited)
		if c.held() > 0 {
			if err := g.hold(1, len(annotation.Raw)); err != nil {
				return err
			}
			c.later = append(c.later, annotation)
		} else {
			g.passed = append(g.passed, annotation)
		}
	default: // an image, or the end of the choice
		c.flush(g)
		c.finished = c.finished || event.Kind == dialect.EventFinish
		g.passed = append(g.passed, *event)
	}
	if c.finished {
		c.flush(g) // whatever comes behind a choice's end, no other end may follow
	}
	return nil
}

func (g *answerGuard) scan(text []byte) []byte {
	return guard.Scan(g.meter, g.rules, guard.Other, text, &g.found)
}

// goOn is the text that an event goes on with.
func (c *guardedChoice) goOn(g *answerGuard, event *dialect.Event) *guardedText {
	if len(c.calls) > 0 {
		c.flush(g)
	}
	var text *guardedText
	for _, t := range c.spoken {
		switch {
		case t.pattern.Kind == event.Kind:
			text = t
		case t.pattern.Kind == dialect.EventReasoning && !t.interrupted:
			// Once: a model that thinks between letters would be told letter by letter.
			t.interrupted = true
			c.tell(g, t, t.Flush(nil))
		}
	}
	if text == nil {
		text = &guardedText{Stream: guard.NewStream(g.meter, g.rules, &g.found)}
		c.spoken = append(c.spoken, text)
	} else if text.pattern.Reasoning.Index == event.Reasoning.Index && text.pattern.Reasoning.Type == event.Reasoning.Type {
		return text
	} else {
		c.tell(g, text, text.Flush(nil))
		text.altered = false
		text.Redacted() // what was is of another block
	}
	text.pattern = *event
	text.pattern.Text, text.pattern.Raw, text.pattern.Reasoning.Text = "", nil, ""
	text.pattern.Reasoning.Signature, text.pattern.Reasoning.Data = "", ""
	return text
}

// held is how much text is held, in bytes.
func (c *guardedChoice) held() int {
	sum := 0
	for _, text := range c.spoken {
		sum += text.Held()
	}
	return sum
}

// saysNothing tells of pieces without any text. Some providers send one of the text with
// each of the reasoning: it must not end what is under way.
func saysNothing(event *dialect.Event) bool {
	switch event.Kind {
	case dialect.EventText, dialect.EventRefusal, dialect.EventToolArguments:
		return event.Text == ""
	case dialect.EventReasoning:
		return event.Reasoning.Text == "" && event.Reasoning.Signature == "" && event.Reasoning.Data == ""
	}
	return false
}

// tell passes on what may pass of a text.
func (c *guardedChoice) tell(g *answerGuard, of *guardedText, text []byte) {
	if len(text) == 0 {
		return
	}
	event := of.pattern
	if event.Kind == dialect.EventReasoning {
		event.Reasoning.Text = string(text)
	} else {
		event.Text = string(text)
	}
	g.passed = append(g.passed, event)
	if len(c.later) > 0 && c.held() == 0 {
		c.pass(g)
	}
}

// reason passes on reasoning. What proves it does not prove what was changed; what only
// its maker can read nobody can search.
func (c *guardedChoice) reason(g *answerGuard, text *guardedText, event *dialect.Event) {
	if event.Reasoning.Text != "" {
		c.tell(g, text, text.Next(nil, event.Reasoning.Text))
	}
	if event.Reasoning.Signature == "" && event.Reasoning.Data == "" {
		return
	}
	c.tell(g, text, text.Flush(nil))
	text.altered = text.Redacted() || text.altered
	proof := *event
	proof.Reasoning.Text = ""
	if text.altered {
		proof.Reasoning.Signature = ""
	}
	if proof.Reasoning.Signature != "" || proof.Reasoning.Data != "" {
		g.passed = append(g.passed, proof)
	}
}

// flush passes on all that is held of a choice. Its texts may go on.
func (c *guardedChoice) flush(g *answerGuard) {
	for _, text := range c.spoken {
		c.tell(g, text, text.Flush(nil))
	}
	c.pass(g)
	for i := range c.calls {
		call := &c.calls[i]
		if !call.told {
			g.passed = append(g.passed, call.begin)
		}
		if len(call.arguments) > 0 {
			edited, _ := g.meter.edit(call.arguments, func(most int) ([]byte, error) { return dialect.EditArguments(call.arguments, most, g.scan) })
			g.passed = append(g.passed, dialect.Event{
				Kind: dialect.EventToolArguments, Choice: c.number, Index: call.begin.Index, Text: string(edited),
			})
		}
		g.release(1, len(call.arguments))
	}
	c.calls = c.calls[:0]
}

// answerRefusal is what a client is told of an answer that a rule has refused.
func answerRefusal(blocked *guard.Finding) *dialect.Error {
	told := refusal(blocked)
	told.Message = "Response blocked by content filter: " + blocked.Title
	return told
}
