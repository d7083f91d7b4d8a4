package dialect_test

import (
	"bytes"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// Another conversation in the place of the client's reaches every provider, also one that
// speaks the client's dialect, and the answer comes back.
func TestRewrittenConversations(t *testing.T) {
	for _, client := range speakers(t) {
		for _, s := range sides {
			t.Run(client.name+" to "+s.name, func(t *testing.T) {
				request, err := client.client.Parse(client.conversation(1 << 10))
				if err != nil {
					t.Fatal(err)
				}
				chat, err := request.Chat()
				if err != nil {
					t.Fatal(err)
				}
				other := *chat
				other.Messages = []dialect.Message{{Role: dialect.RoleUser, Parts: []dialect.Part{{Kind: dialect.PartText, Text: "something else"}}}}
				rewritten := request.WithChat(&other)
				upstream, err := s.dialect.Request(rewritten.WithToolNames(s.dialect), s.target)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Contains(upstream.Body, []byte("something else")) || bytes.Contains(upstream.Body, []byte("Lorem")) {
					t.Errorf("the provider gets %s", upstream.Body)
				}
				if again, err := s.dialect.Request(request, s.target); err != nil || !bytes.Contains(again.Body, []byte("Lorem")) {
					t.Errorf("the request itself was changed: error %v, %s", err, again.Body)
				}
				delta, measured := deltas[s.name]
				if !measured {
					return
				}
				pipe := dialect.NewPipe(client.client, s.dialect, rewritten, dialect.Meta{Price: func(dialect.Usage) dialect.Cost { return dialect.Cost{Total: "0"} }})
				out, err := pipe.Event(nil, delta)
				if err != nil || !bytes.Contains(pipe.Finish(out), []byte("word")) {
					t.Errorf("error %v, the client gets %s", err, out)
				}
			})
		}
	}
}
