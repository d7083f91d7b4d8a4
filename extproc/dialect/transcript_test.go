package dialect

import (
	"strings"
	"testing"
)

// words takes each word for a token.
type words struct{ asked *int }

func (w words) Count(text string) int64 {
	*w.asked++
	return int64(len(strings.Fields(text)))
}

func TestTranscriptIsBounded(t *testing.T) {
	var p Progress
	p.Say(0, []byte("text"))
	p.SayReasoning(0, []byte("thought"))
	p.Say(99, []byte("far"))
	p.Say(-1, []byte("none"))
	p.Say(0, []byte(strings.Repeat("é", mostTranscript)))
	p.Say(0, []byte("behind a gap"))
	kept := p.Transcript
	if kept.Reasoning(0) != "thought" || kept.Text(mostChoices-1) != "far" || kept.Text(1) != "" || kept.Text(99) != "" {
		t.Errorf("%q, %q", kept.Reasoning(0), kept.Text(mostChoices-1))
	}
	if text := kept.Text(0); len(text) > mostTranscript || len(text) < mostTranscript-len("thoughtfar")-2 || strings.TrimRight(text, "é") != "text" {
		t.Errorf("%d bytes are kept, from %.10q to %q", len(text), text, text[len(text)-4:])
	}
	if want := int64(len("textthoughtfarnonebehind a gap") + 2*mostTranscript); p.OutputBytes != want {
		t.Errorf("%d bytes of output, want %d", p.OutputBytes, want)
	}
	if none := (*Transcript)(nil); none.Text(0) != "" {
		t.Error("an answer without words has some")
	}
}

func TestTranscriptThatJustFitsIsNotCut(t *testing.T) {
	var p Progress
	p.Say(0, []byte(strings.Repeat("x", mostTranscript)))
	if p.Transcript.Cut() {
		t.Error("all of it is kept")
	}
	if p.Say(0, []byte("y")); !p.Transcript.Cut() || len(p.Transcript.Text(0)) != mostTranscript {
		t.Error("a byte is left out")
	}
}

// Usage that nobody reported is counted when it is asked for, once, and not before.
func TestUnreportedUsageIsCounted(t *testing.T) {
	asked := 0
	chat := &Chat{
		Messages: []Message{{Role: RoleUser, Parts: []Part{{Text: "two words"}, {Kind: PartImage, Media: &Media{Data: "many more bytes"}}}},
			{Role: RoleTool, Parts: []Part{{Kind: PartToolResult, Result: &ToolResult{Parts: []Part{{Text: "three more words"}}}}}}},
		Tools: []Tool{{Name: "f", Description: "a tool", Parameters: []byte(`{"type": "object"}`)}},
	}
	request := (&Request{PromptBytes: 400, Chat: func() (*Chat, error) { return chat, nil }}).WithTokenizer(words{&asked})
	var p Progress
	p.Say(0, []byte("one two "))
	p.Say(0, []byte("three"))
	p.SayReasoning(0, []byte("four five"))
	p.Say(1, []byte("six"))
	p.BeginToolCall(0, 0, "seven")
	p.AddToolArguments(0, 0, `{"a": 8}`)
	if u := p.Settled(request).Usage; asked != 0 || u.Prompt != 100 || !u.Estimated {
		t.Errorf("asked %d times on the way: %+v", asked, u)
	}
	const prompt = 2 + 3 + 1 + 2 + 2 + 2*messageTokens + answerTokens
	for range 3 {
		if u := p.Counted(request).Usage; u.Prompt != prompt || u.Completion != 9 || !u.Estimated {
			t.Errorf("%+v, want %d and 9", u, prompt)
		}
	}
	once := asked
	p.Counted(request)
	if asked != once || once == 0 {
		t.Errorf("asked %d times, then %d", once, asked)
	}
	p.Say(0, []byte(" ten"))
	if u := p.Counted(request).Usage; u.Completion != 10 {
		t.Errorf("after one more word: %+v", u)
	}
	p.HasUsage, p.Done, p.Usage = true, true, Usage{Prompt: 7, Completion: 1}
	if asked = 0; p.Counted(request).Usage != (Usage{Prompt: 7, Completion: 1}) || asked != 0 {
		t.Errorf("what was reported is counted, too: %+v", p.Counted(request).Usage)
	}
	// The provider has counted the prompt, and was cut off.
	p.Done = false
	if u := p.Counted(request).Usage; u.Prompt != 7 || u.Completion != 10 || !u.Estimated {
		t.Errorf("cut off: %+v", u)
	}
}

// Text that is not kept is taken to be like the rest.
func TestLongAnswersAreCountedByWhatIsKept(t *testing.T) {
	asked := 0
	request := (&Request{OutputModality: "transcription"}).WithTokenizer(words{&asked})
	var p Progress
	for range mostTranscript {
		p.Say(0, []byte("word "))
	}
	if u := p.Counted(request).Usage; u.Completion < mostTranscript || u.Completion > mostTranscript+10 {
		t.Errorf("%d tokens, want %d", u.Completion, mostTranscript)
	}
}
