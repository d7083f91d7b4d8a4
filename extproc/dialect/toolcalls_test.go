package dialect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestSection24ToolCallsOfAnAnswer holds that pieces find their call, and that no
// answer can make the gateway keep more than there is room for.
func TestSection24ToolCallsOfAnAnswer(t *testing.T) {
	type piece struct {
		choice, index int
		name, text    string
	}
	half := strings.Repeat("x", mostToolBytes/2)
	for _, test := range []struct {
		name   string
		pieces []piece
		want   []FunctionCall
	}{
		{name: "parallel calls, interleaved",
			pieces: []piece{{name: "f"}, {index: 1, name: "g"}, {text: "{"}, {index: 1, text: "[1"}, {text: "}"}, {index: 1, text: "]"}},
			want:   []FunctionCall{{Name: "f", Arguments: []byte("{}")}, {Name: "g", Arguments: []byte("[1]")}}},
		{name: "two choices with the same index",
			pieces: []piece{{name: "f"}, {choice: 1, name: "g"}, {text: "1"}, {choice: 1, text: "2"}},
			want:   []FunctionCall{{Name: "f", Arguments: []byte("1")}, {Choice: 1, Name: "g", Arguments: []byte("2")}}},
		{name: "arguments of a call that was not noted",
			pieces: []piece{{text: "{}"}}},
		{name: "arguments beyond what there is room for leave room for others",
			pieces: []piece{{name: "f"}, {text: half}, {text: half}, {index: 1, name: "g"}, {index: 1, text: "{}"}, {text: "more"}},
			want:   []FunctionCall{{Name: "f", Cut: true}, {Name: "g", Arguments: []byte("{}")}}},
		{name: "a name beyond what there is room for",
			pieces: []piece{{name: "f"}, {text: half}, {index: 1, name: half}, {index: 1, text: "{}"}},
			want:   []FunctionCall{{Name: "f", Arguments: []byte(half)}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var progress Progress
			for _, p := range test.pieces {
				if p.name != "" {
					progress.BeginToolCall(p.choice, p.index, p.name)
				} else {
					progress.AddToolArguments(p.choice, p.index, p.text)
				}
			}
			if diff := cmp.Diff(test.want, progress.ToolCalls, cmpopts.IgnoreUnexported(FunctionCall{})); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("more calls than are kept", func(t *testing.T) {
		var progress Progress
		for i := range mostToolCalls + 1 {
			progress.BeginToolCall(0, i, "f")
			progress.AddToolArguments(0, i, "{}")
		}
		if len(progress.ToolCalls) != mostToolCalls {
			t.Errorf("%d calls are kept", len(progress.ToolCalls))
		}
	})
}
