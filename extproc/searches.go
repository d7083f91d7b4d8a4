package extproc

import (
	"container/list"
	"context"
	"slices"
	"sync"
)

// searches are the turns of searches for what guardrails forbid, so that those that take
// long leave a processor to all else, and one key's to another's. It is safe for concurrent
// use.
type searches struct {
	// most is how many run at a time. While more want to, keys take turns.
	most int

	mu      sync.Mutex
	running int
	keys    list.List                // of *keySearches, in the order of their turns
	waiting map[string]*list.Element // of keys, by key
}

// keySearches are the searches of a key that wait, the oldest first.
type keySearches struct {
	key   string
	turns []chan struct{} // closed when it is their turn
}

func newSearches(most int) *searches {
	return &searches{most: most, waiting: make(map[string]*list.Element)}
}

// begin waits for a turn of a key's. The error is the context's.
func (s *searches) begin(ctx context.Context, key string) error {
	s.mu.Lock()
	if s.running < s.most && s.keys.Len() == 0 {
		s.running++
		s.mu.Unlock()
		return nil
	}
	turn := s.queue(key)
	s.mu.Unlock()
	return s.await(ctx, key, turn)
}

// again gives a turn back, and waits for another one, as begin does. The key has its place
// before others have the turn, or they would have two for each of its.
func (s *searches) again(ctx context.Context, key string) error {
	s.mu.Lock()
	turn := s.queue(key)
	s.running--
	s.admit()
	s.mu.Unlock()
	return s.await(ctx, key, turn)
}

// end gives a turn back.
func (s *searches) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	s.admit()
}

// queue has a search of a key's wait for its turn.
func (s *searches) queue(key string) (turn chan struct{}) {
	turn = make(chan struct{})
	place, ok := s.waiting[key]
	if !ok {
		place = s.keys.PushBack(&keySearches{key: key})
		s.waiting[key] = place
	}
	of := place.Value.(*keySearches)
	of.turns = append(of.turns, turn)
	return turn
}

func (s *searches) await(ctx context.Context, key string, turn chan struct{}) error {
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-turn: // just now
		return nil
	default:
	}
	place := s.waiting[key]
	of := place.Value.(*keySearches)
	at := slices.Index(of.turns, turn)
	if of.turns = slices.Delete(of.turns, at, at+1); len(of.turns) == 0 {
		s.forget(place)
	}
	return ctx.Err()
}

// admit grants the turns that have come.
func (s *searches) admit() {
	for s.running < s.most && s.keys.Len() > 0 {
		place := s.keys.Front()
		of := place.Value.(*keySearches)
		close(of.turns[0])
		s.running++
		if of.turns = slices.Delete(of.turns, 0, 1); len(of.turns) == 0 {
			s.forget(place)
		} else {
			s.keys.MoveToBack(place)
		}
	}
}

func (s *searches) forget(place *list.Element) {
	delete(s.waiting, s.keys.Remove(place).(*keySearches).key)
}

// wanted reports whether anybody waits for a turn.
func (s *searches) wanted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys.Len() > 0
}
