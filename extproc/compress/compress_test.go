package compress

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// say is a message of one text.
func say(role dialect.Role, text string) dialect.Message {
	return dialect.Message{Role: role, Parts: []dialect.Part{{Kind: dialect.PartText, Text: text}}}
}

func call(id string) dialect.Message {
	return dialect.Message{Role: dialect.RoleAssistant, Parts: []dialect.Part{{Kind: dialect.PartToolCall, Call: &dialect.ToolCall{ID: id, Name: "f", Arguments: "{}"}}}}
}

func result(id, text string) dialect.Message {
	return dialect.Message{Role: dialect.RoleTool, Parts: []dialect.Part{{Kind: dialect.PartToolResult, Result: &dialect.ToolResult{
		CallID: id, Parts: []dialect.Part{{Kind: dialect.PartText, Text: text}},
	}}}}
}

// long is a text of so many bytes that shows where its start and end are.
func long(bytes int) string { return "<" + strings.Repeat("x", bytes-2) + ">" }

// outline shows messages by role and text, calls by their ids; long texts by their
// length, with the marker if they were cut.
func outline(messages []dialect.Message) []string {
	shown := func(text string) string {
		if len(text) < 100 {
			return text
		}
		if strings.Contains(text, Marker) {
			return fmt.Sprintf("%d cut", len(text))
		}
		return fmt.Sprint(len(text))
	}
	var lines []string
	for _, message := range messages {
		line := string(message.Role)
		for _, part := range message.Parts {
			switch {
			case part.Call != nil:
				line += " calls " + part.Call.ID
			case part.Result != nil:
				line += " answers " + part.Result.CallID + " " + shown(part.Result.Parts[0].Text)
			default:
				line += " " + shown(part.Text)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

const (
	system    = dialect.RoleSystem
	developer = dialect.RoleDeveloper
	user      = dialect.RoleUser
	assistant = dialect.RoleAssistant
)

func TestMiddleOut(t *testing.T) {
	for _, test := range []struct {
		name     string
		messages []dialect.Message
		bounds   Bounds
		want     []string
	}{
		{
			name:     "what fits",
			messages: []dialect.Message{say(system, "s"), say(user, "a")},
			bounds:   Bounds{Messages: 2, Excess: 0},
			want:     []string{"system s", "user a"},
		},
		{
			name: "whole messages, from the middle outwards, the older first",
			messages: []dialect.Message{say(system, "s"), say(user, "0000"), say(assistant, "1111"), say(user, "2222"),
				say(assistant, "3333"), say(user, "4444"), say(assistant, "5555"), say(user, "6666")},
			bounds: Bounds{Excess: 9},
			want:   []string{"system s", "user 0000", "assistant 1111", "assistant 5555", "user 6666"},
		},
		{
			name: "the first turn and the last ones stay",
			messages: []dialect.Message{say(user, "a"), say(assistant, "b"), say(user, "c"), say(assistant, "d"), say(user, "e"),
				call("1"), result("1", "f")},
			bounds: Bounds{Excess: 1 << 30},
			want:   []string{"user a", "user e", "assistant calls 1", "tool answers 1 f"},
		},
		{
			name:     "instructions stay wherever they are",
			messages: []dialect.Message{say(user, "a"), say(assistant, "b"), say(developer, "c"), say(assistant, "d"), say(user, "e")},
			bounds:   Bounds{Excess: 1 << 30},
			want:     []string{"user a", "developer c", "user e"},
		},
		{
			name: "calls go with their results",
			messages: []dialect.Message{say(user, "a"), say(assistant, long(200)), call("1"), call("2"), result("1", long(200)), result("2", long(200)),
				say(assistant, long(200)), say(user, "e")},
			bounds: Bounds{Excess: 10},
			want:   []string{"user a", "assistant 200", "assistant 200", "user e"},
		},
		{
			name: "the results' ids may come again",
			messages: []dialect.Message{say(user, "a"), call("1"), result("1", long(120)), say(user, "b"), call("1"), result("1", long(120)),
				say(assistant, "c"), say(user, "d")},
			bounds: Bounds{Excess: 100},
			want:   []string{"user a", "assistant calls 1", "tool answers 1 120", "user b", "assistant c", "user d"},
		},
		{
			name:     "the last message to go stays in part",
			messages: []dialect.Message{say(user, "read this"), say(user, long(5000)), say(user, "what does it say?")},
			bounds:   Bounds{Excess: 3000},
			want:     []string{"user read this", "user 1999 cut", "user what does it say?"},
		},
		{
			name:     "unless little of it would stay",
			messages: []dialect.Message{say(user, "read this"), say(user, long(5000)), say(user, "what does it say?")},
			bounds:   Bounds{Excess: 4900},
			want:     []string{"user read this", "user what does it say?"},
		},
		{
			name:     "a message alone loses its middle",
			messages: []dialect.Message{say(system, "s"), say(user, long(5000))},
			bounds:   Bounds{Excess: 3000},
			want:     []string{"system s", "user 1999 cut"},
		},
		{
			name:     "the longest texts are cut to one length",
			messages: []dialect.Message{say(user, long(5000)), say(assistant, "b"), say(user, long(4000)), call("1"), result("1", long(1000))},
			bounds:   Bounds{Excess: 5001},
			want:     []string{"user 1999 cut", "user 1999 cut", "assistant calls 1", "tool answers 1 1000"},
		},
		{
			name:     "instructions last",
			messages: []dialect.Message{say(system, long(5000)), say(user, long(1000))},
			bounds:   Bounds{Excess: 2000},
			want:     []string{"system 3745 cut", "user 255 cut"},
		},
		{
			name:     "as far as it goes",
			messages: []dialect.Message{say(system, long(1000)), say(user, "a")},
			bounds:   Bounds{Excess: 1 << 30},
			want:     []string{"system 255 cut", "user a"},
		},
		{
			name:     "half of the messages from the start and half from the end",
			messages: []dialect.Message{say(system, "s"), say(user, "0"), say(assistant, "1"), say(user, "2"), say(assistant, "3"), say(user, "4"), say(assistant, "5"), say(user, "6")},
			bounds:   Bounds{Messages: 4},
			want:     []string{"system s", "user 0", "assistant 1", "assistant 5", "user 6"},
		},
		{
			name: "no result loses its call",
			messages: []dialect.Message{say(user, "0"), call("1"), result("1", "r"), say(assistant, "3"), say(user, "4"),
				call("5"), result("5", "r"), say(assistant, "7"), say(user, "8")},
			bounds: Bounds{Messages: 4},
			want:   []string{"user 0", "assistant 7", "user 8"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			chat := &dialect.Chat{Messages: test.messages}
			before := outline(chat.Messages)
			got, report := MiddleOut(chat, test.bounds)
			if diff := cmp.Diff(test.want, outline(got.Messages)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, outline(chat.Messages)); diff != "" {
				t.Errorf("the chat was written to (-want +got):\n%s", diff)
			}
			if removed := len(chat.Messages) - len(got.Messages); report.Removed != removed {
				t.Errorf("%d messages are gone, the report says %d", removed, report.Removed)
			}
			if saved := total(chat) - total(got); report.Saved != saved {
				t.Errorf("saved %d bytes, the report says %d", saved, report.Saved)
			}
			if report == (Report{}) != (got == chat) {
				t.Errorf("%+v of a chat that is another: %t", report, got != chat)
			}
		})
	}
}

func total(chat *dialect.Chat) int64 {
	var sum int64
	for i := range chat.Messages {
		sum += size(chat.Messages[i].Parts)
	}
	return sum
}

// Row 118: of 1200 messages the first 500 and the last 500 stay.
func TestRow118HalfFromEachEnd(t *testing.T) {
	chat := &dialect.Chat{}
	for i := range 1200 {
		chat.Messages = append(chat.Messages, say([]dialect.Role{user, assistant}[i%2], fmt.Sprint(i)))
	}
	got, report := MiddleOut(chat, Bounds{Messages: 1000})
	want := append(append([]dialect.Message(nil), chat.Messages[:500]...), chat.Messages[700:]...)
	if diff := cmp.Diff(outline(want), outline(got.Messages)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if report.Removed != 200 || report.Shortened != 0 {
		t.Errorf("%+v", report)
	}
}

// Row 118: a user's task stays whose tools were called since then for longer than a half.
func TestRow118TheTaskStays(t *testing.T) {
	chat := &dialect.Chat{}
	for i := range 600 {
		chat.Messages = append(chat.Messages, say([]dialect.Role{user, assistant}[i%2], fmt.Sprint(i)))
	}
	chat.Messages = append(chat.Messages, say(user, "the task"))
	for i := range 300 {
		id := fmt.Sprint(i)
		chat.Messages = append(chat.Messages, call(id), result(id, "r"))
	}
	got, report := MiddleOut(chat, Bounds{Messages: 1000})
	// The first 500, the task, and as many calls with their results as there is room for.
	want := append(append(append([]dialect.Message(nil), chat.Messages[:500]...), chat.Messages[600]), chat.Messages[703:]...)
	if diff := cmp.Diff(outline(want), outline(got.Messages)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if report.Removed != 202 {
		t.Errorf("%+v", report)
	}
}

func TestNoCharacterIsCutInTwo(t *testing.T) {
	text := strings.Repeat("aé€𝄞", 1000)
	for length := leastText; length < leastText+12; length++ {
		short := cut(text, length)
		if !utf8.ValidString(short) || len(short) > length || len(short) < length-8 {
			t.Errorf("length %d: %d bytes, valid %t", length, len(short), utf8.ValidString(short))
		}
	}
}

// conversationOf makes a conversation of bytes, each of which is a message.
func conversationOf(script []byte) *dialect.Chat {
	chat := &dialect.Chat{}
	for i, b := range script {
		text := strings.Repeat("é", int(b>>3)*20)
		id := fmt.Sprint(i % 5)
		switch b & 7 {
		case 0:
			chat.Messages = append(chat.Messages, say(system, text))
		case 1, 2:
			chat.Messages = append(chat.Messages, say(assistant, text))
		case 3:
			chat.Messages = append(chat.Messages, call(id))
		case 4, 5:
			chat.Messages = append(chat.Messages, result(fmt.Sprint((i+4)%5), text))
		default:
			chat.Messages = append(chat.Messages, say(user, text))
		}
	}
	return chat
}

// Whatever the conversation, no result loses its call nor a call its result, nothing
// that has to stay goes, and what fits is not touched.
func FuzzMiddleOut(f *testing.F) {
	f.Add([]byte{0, 6, 1, 3, 4, 255, 254, 250, 6}, uint16(3000), uint8(4))
	f.Add([]byte{3, 3, 4, 4, 8, 120, 122, 123, 124, 7}, uint16(100), uint8(0))
	f.Add([]byte{}, uint16(1), uint8(1))
	f.Fuzz(func(t *testing.T, script []byte, excess uint16, messages uint8) {
		chat := conversationOf(script[:min(len(script), 500)])
		bounds := Bounds{Excess: int64(excess), Messages: int(messages)}
		got, report := MiddleOut(chat, bounds)
		if saved := total(chat) - total(got); saved != report.Saved || saved < 0 {
			t.Errorf("saved %d bytes, the report says %d", saved, report.Saved)
		}
		if before, after := pairs(chat), pairs(got); after.loose > before.loose {
			t.Errorf("%d calls and results lost their other half", after.loose-before.loose)
		}
		if before, after := pairs(chat), pairs(got); before.instructions != after.instructions {
			t.Errorf("%d of %d instructions are left", after.instructions, before.instructions)
		}
		for i := range got.Messages {
			for _, part := range got.Messages[i].Parts {
				if !utf8.ValidString(part.Text) {
					t.Errorf("a character was cut in two: %q", part.Text)
				}
			}
		}
		if again, _ := MiddleOut(chat, bounds); !cmp.Equal(outline(got.Messages), outline(again.Messages)) {
			t.Error("twice is not the same")
		}
	})
}

type count struct{ loose, instructions int }

// pairs counts the results that answer no call before them, and the calls that none
// answers.
func pairs(chat *dialect.Chat) count {
	var c count
	answered := map[string]bool{}
	for _, message := range chat.Messages {
		if message.Role == system {
			c.instructions++
		}
		for _, part := range message.Parts {
			if part.Call != nil {
				if done, open := answered[part.Call.ID]; open && !done {
					c.loose++
				}
				answered[part.Call.ID] = false
			}
			if part.Result != nil {
				if _, known := answered[part.Result.CallID]; !known {
					c.loose++
				} else {
					answered[part.Result.CallID] = true
				}
			}
		}
	}
	for _, done := range answered {
		if !done {
			c.loose++
		}
	}
	return c
}

func BenchmarkMiddleOut(b *testing.B) {
	for _, size := range []int{1 << 10, 100 << 10} {
		chat := &dialect.Chat{}
		for range size / 512 {
			chat.Messages = append(chat.Messages, say(user, long(256)), say(assistant, long(256)))
		}
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				MiddleOut(chat, Bounds{Excess: int64(size) / 2})
			}
		})
	}
}

// Excess is saved to the byte wherever enough of it can be.
func TestExcessIsSaved(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		chat := &dialect.Chat{}
		for range 1 + r.IntN(20) {
			chat.Messages = append(chat.Messages, say([]dialect.Role{user, assistant}[r.IntN(2)], long(300+r.IntN(3000))))
		}
		excess := r.Int64N(total(chat) / 10 * 9)
		least := total(chat) - int64(len(chat.Messages)*leastText)
		_, report := MiddleOut(chat, Bounds{Excess: excess})
		if report.Saved < min(excess, least) {
			t.Errorf("seed %d: saved %d bytes of %d", seed, report.Saved, excess)
		}
		if report.Saved > excess+leastText+1000 {
			t.Errorf("seed %d: saved %d bytes where %d were asked for", seed, report.Saved, excess)
		}
	}
}
