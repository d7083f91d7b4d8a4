package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
)

// patch changes one thing of a kind: Members are those of a request, Terms what they
// change of it, and Kept is the thing as it is kept then.
type patch[Members, Terms, Kept any] struct {
	// check refuses members before the database is asked, which no change should wait for.
	// Nil finds nothing.
	check func(m *Members) error
	// apply changes terms as the members say, within the store's change. It may refuse.
	apply func(m *Members, terms *Terms) error
	// update is the store's change of the thing with an id.
	update func(ctx context.Context, by keystore.Actor, id string, alter func(*Terms) error) (Kept, error)
	reply  func(kept Kept) error
}

// serve answers a request to change what its path names. Nothing is changed in part.
func (p patch[Members, Terms, Kept]) serve(s *server, r *http.Request, by *identity.Key) error {
	var members Members
	if err := readBody(r, &members); err != nil {
		return err
	}
	if p.check != nil {
		if err := p.check(&members); err != nil {
			return err
		}
	}
	id := cmp.Or(r.PathValue("id"), r.PathValue("hash"))
	kept, err := p.update(r.Context(), actor(by), id, func(terms *Terms) error { return p.apply(&members, terms) })
	if err != nil {
		return err
	}
	s.refresh(r)
	return p.reply(kept)
}

// replyWith answers with what clients get of a thing.
func replyWith[Kept, Wire any](w http.ResponseWriter, show func(Kept) Wire) func(Kept) error {
	return func(kept Kept) error {
		reply(w, http.StatusOK, data[Wire]{show(kept)})
		return nil
	}
}
