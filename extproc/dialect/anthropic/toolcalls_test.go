package anthropic

import (
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/sse"
)

// TestSection24CallsOfAPassedAnswer holds that calls are noted where nothing is
// translated, too.
func TestSection24CallsOfAPassedAnswer(t *testing.T) {
	check := func(t *testing.T, pipe dialect.Pipe, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		calls := pipe.Progress().ToolCalls
		if len(calls) != 1 || calls[0].Name != "f" || string(calls[0].Arguments) != `{"n":1}` {
			t.Errorf("calls are %+v", calls)
		}
	}
	t.Run("whole", func(t *testing.T) {
		pipe := dialect.NewPipe(Client{}, Provider{}, &dialect.Request{}, dialect.Meta{Price: free})
		_, err := pipe.Whole(nil, []byte(`{"id":"m","type":"message","content":[{"type":"tool_use","id":"x","name":"f","input":{"n":1}}],"stop_reason":"tool_use","usage":{}}`))
		check(t, pipe, err)
	})
	t.Run("streamed", func(t *testing.T) {
		pipe := dialect.NewPipe(Client{}, Provider{}, &dialect.Request{Stream: true}, dialect.Meta{Price: free})
		var err error
		for _, data := range []string{
			`{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"x","name":"f","input":{}}}`,
			`{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"n\""}}`,
			`{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":":1}"}}`,
			`{"type":"content_block_stop","index":0}`,
		} {
			if err == nil {
				_, err = pipe.Event(nil, sse.Event{Data: []byte(data)})
			}
		}
		check(t, pipe, err)
	})
}

func free(dialect.Usage) dialect.Cost { return dialect.Cost{Total: "0", Prompt: "0", Completion: "0"} }
