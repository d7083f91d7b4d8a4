package registry_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/sse"
)

// TestRow110EveryClientReplays holds that an answer which is given once more is, in every
// client's dialect, what the encoder would have written for the later generation.
func TestRow110EveryClientReplays(t *testing.T) {
	usage := dialect.Usage{Prompt: 100, Completion: 50, CacheRead: 40, CacheWrite: 2, Reasoning: 7, WebSearches: 1}
	first := dialect.Meta{ID: "gen-1000-a", Model: "m/x", Provider: "P", Endpoint: "m/x|p", Created: 1000, RouterMetadata: jsontext.Value(`{"requested":"m/x"}`),
		Price: func(dialect.Usage) dialect.Cost { return dialect.Cost{Total: "0.5", Prompt: "0.3", Completion: "0.2"} }}
	later := first
	// Ids of items are made of the last part and stay: they name what is said, not who says it.
	later.ID, later.Created, later.RouterMetadata, later.Price = "gen-2000-a", 2000, nil, nil
	again := dialect.Again{ID: later.ID, SourceID: first.ID, Now: time.Unix(later.Created, 0)}
	for _, r := range readers {
		replayer, ok := r.client.(dialect.Replayer)
		if !ok {
			t.Errorf("%s: its answers cannot be replayed", r.title)
			continue
		}
		marks := replayer.Marks()
		for _, said := range answers {
			for _, stream := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/stream=%t", r.title, said.name, stream), func(t *testing.T) {
					request, err := r.client.Parse([]byte(r.asks + "}"))
					if err != nil {
						t.Fatal(err)
					}
					encode := func(meta dialect.Meta) []byte {
						meta.Request = request
						encoder := r.client.Encoder(meta)
						events := append(said.events[:len(said.events):len(said.events)], dialect.Event{Kind: dialect.EventFinish, Text: "stop"})
						if !stream {
							return encoder.Whole(nil, events, usage)
						}
						var out []byte
						for _, event := range events {
							out = encoder.Event(out, event)
						}
						return encoder.Finish(out, usage)
					}
					got := objects(t, dialect.Replay(nil, marks, again, encode(first), stream), stream)
					want := objects(t, encode(later), stream)
					counts := 0
					for i := range got {
						counts += used(t, marks, got[i])
					}
					for i := range want {
						used(nil, marks, want[i])
					}
					if counts == 0 {
						t.Error("the answer tells nothing of usage")
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Error(diff)
					}
				})
			}
		}
	}
}

// objects are those of an answer, or of the events of a stream.
func objects(t *testing.T, answer []byte, stream bool) (all []map[string]any) {
	t.Helper()
	read := func(text []byte) {
		if string(text) == "[DONE]" {
			return
		}
		var object map[string]any
		if err := json.Unmarshal(text, &object); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		all = append(all, object)
	}
	if !stream {
		read(answer)
		return all
	}
	var reader sse.Reader
	reader.Feed(answer)
	for {
		event, ok, err := reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return all
		}
		read(event.Data)
	}
}

// used takes usage out of an object, wherever the dialect has it, and returns how often
// that was. With t it fails where a number in it is not zero.
func used(t *testing.T, marks dialect.Marks, object map[string]any) (count int) {
	for _, holder := range marks.Holders {
		if inner, ok := object[holder].(map[string]any); ok {
			count += used(t, marks, inner)
		}
	}
	usage := object[marks.Usage]
	if usage == nil {
		return count
	}
	delete(object, marks.Usage)
	if t != nil {
		noNumbers(t, usage)
	}
	return count + 1
}

func noNumbers(t *testing.T, value any) {
	t.Helper()
	switch value := value.(type) {
	case float64:
		if value != 0 {
			t.Errorf("usage counts %v", value)
		}
	case []any:
		for _, element := range value {
			noNumbers(t, element)
		}
	case map[string]any:
		for _, member := range value {
			noNumbers(t, member)
		}
	}
}
