package dialect

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// What is kept of an answer's text is bounded, whatever the answer's size.
const (
	mostTranscript = 128 << 10 // of all choices together
	mostChoices    = 8         // the text of further ones is kept with the last
)

// Transcript is what an answer has said so far, also what the client does not get to see.
// Text beyond 128 KiB, or behind the first of that, is not in it.
type Transcript struct {
	choices []spoken
	kept    int
	cut     bool // there was more
	// tokens is what a count at so many bytes of output came to.
	tokens, countedAt int64
}

type spoken struct{ text, reasoning []byte }

// Text is what a choice said, and Reasoning what it thought; "" of one that said nothing.
func (t *Transcript) Text(choice int) string { return string(t.of(choice).text) }

// Reasoning is what a choice thought.
func (t *Transcript) Reasoning(choice int) string { return string(t.of(choice).reasoning) }

// Cut reports whether there was more text than is kept.
func (t *Transcript) Cut() bool { return t != nil && t.cut }

func (t *Transcript) of(choice int) spoken {
	if t == nil || choice < 0 || choice >= len(t.choices) {
		return spoken{}
	}
	return t.choices[choice]
}

// Say adds text to what a choice has said.
func (p *Progress) Say(choice int, text []byte) { say(p, choice, text, false) }

// SayReasoning adds text to what a choice has thought.
func (p *Progress) SayReasoning(choice int, text []byte) { say(p, choice, text, true) }

func say[T string | []byte](p *Progress, choice int, text T, thought bool) {
	p.OutputBytes += int64(len(text))
	if len(text) == 0 || choice < 0 {
		return
	}
	if p.Transcript == nil {
		p.Transcript = &Transcript{}
	}
	t := p.Transcript
	if room := mostTranscript - t.kept; len(text) > room {
		for room > 0 && !utf8.RuneStart(text[room]) {
			room--
		}
		text, t.kept, t.cut = text[:room], mostTranscript, true // nothing behind a gap
	} else {
		t.kept += len(text)
	}
	choice = min(choice, mostChoices-1)
	for len(t.choices) <= choice {
		t.choices = append(t.choices, spoken{})
	}
	if s := &t.choices[choice]; thought {
		s.reasoning = append(s.reasoning, text...)
	} else {
		s.text = append(s.text, text...)
	}
}

// outputTokens counts the answer's tokens. Of what is not kept it is taken to have as many
// as the rest has.
func (p *Progress) outputTokens(request *Request) int64 {
	t := p.Transcript
	if t != nil && t.countedAt == p.OutputBytes && p.OutputBytes > 0 {
		return t.tokens
	}
	tokens, counted := int64(0), int64(0)
	count := func(text string) {
		tokens, counted = tokens+request.TokensOf(text), counted+int64(len(text))
	}
	if t != nil {
		for i := range t.choices {
			count(t.Text(i))
			count(t.Reasoning(i))
		}
	}
	for i := range p.ToolCalls {
		count(p.ToolCalls[i].Name)
		count(string(p.ToolCalls[i].Arguments))
	}
	switch {
	case counted == 0:
		tokens = Tokens(p.OutputBytes)
	case counted < p.OutputBytes:
		tokens = (tokens*p.OutputBytes + counted - 1) / counted
	}
	if t != nil {
		t.tokens, t.countedAt = tokens, p.OutputBytes
	}
	return tokens
}

// Tokenizer counts the tokens of texts.
type Tokenizer interface {
	// Count may take some milliseconds. It is called by several goroutines at once.
	Count(text string) int64
}

// TokensOf is how many tokens a text is, by the request's tokenizer, or else by its length.
func (r *Request) TokensOf(text string) int64 {
	if r.Tokenizer == nil {
		return Tokens(int64(len(text)))
	}
	return r.Tokenizer.Count(text)
}

const (
	// What OpenAI adds to each message and to a request by its cookbook, "How to count
	// tokens with tiktoken"; the role is taken to be as long as the end of a line.
	messageTokens = 3
	answerTokens  = 3
)

// WithTokenizer is the request with a tokenizer, for whatever is to be counted of it and of
// its answer. It costs nothing until then.
func (r *Request) WithTokenizer(tokenizer Tokenizer) *Request {
	counted := *r
	counted.Tokenizer = tokenizer
	counted.CountPrompt = sync.OnceValue(func() int64 { return r.countPrompt(tokenizer) })
	return &counted
}

// PromptTokens is an estimate of the prompt's tokens: of its text, and of the words for
// tools. Images, sounds and files are not in it. With a tokenizer it reads the whole
// request, once, which may take some milliseconds.
func (r *Request) PromptTokens() int64 {
	if r.CountPrompt == nil {
		return Tokens(r.PromptBytes)
	}
	return r.CountPrompt()
}

func (r *Request) countPrompt(tokenizer Tokenizer) int64 {
	if r.OutputModality != "" {
		return Tokens(r.PromptBytes)
	}
	chat, err := r.Chat()
	if err != nil {
		return Tokens(r.PromptBytes) // what its own dialect alone can read
	}
	var text strings.Builder
	for i := range chat.Messages {
		for j := range chat.Messages[i].Parts {
			chat.Messages[i].Parts[j].appendText(&text)
		}
	}
	for i := range chat.Tools {
		tool := &chat.Tools[i]
		line(&text, tool.Name, tool.Description, string(tool.Parameters), string(tool.Other))
	}
	return tokenizer.Count(text.String()) + messageTokens*int64(len(chat.Messages)) + answerTokens
}

// appendText appends what a part says, also in a call or in its result.
func (p *Part) appendText(text *strings.Builder) {
	line(text, p.Text)
	if p.Reasoning != nil {
		line(text, p.Reasoning.Text)
	}
	if p.Call != nil {
		line(text, p.Call.Name, p.Call.Arguments)
	}
	if p.Result != nil {
		for i := range p.Result.Parts {
			p.Result.Parts[i].appendText(text)
		}
	}
}

// line appends texts, each on a line of its own.
func line(text *strings.Builder, said ...string) {
	for _, s := range said {
		if s != "" {
			text.WriteString(s)
			text.WriteByte('\n')
		}
	}
}
