package extproc

import (
	"context"
	"errors"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/guard"
)

const (
	// longestSearch bounds the search of one request, and that of one answer, with all that
	// it waits for its turns.
	longestSearch = 10 * time.Second
	// shortSearch is how long one goes on without a turn: most are over by then.
	shortSearch = 5 * time.Millisecond
	// longestTurn is how long one goes on while others wait for a turn.
	longestTurn = 20 * time.Millisecond
	// clockEvery is at which time of asking a search looks at the clock. It asks each 100 µs,
	// and for each text.
	clockEvery = 8
	// mostAhead bounds the room that is taken before it is needed, in bytes.
	mostAhead = 1 << 20
)

// Why a search has ended without having seen all.
var (
	errSearchLong  = errors.New("extproc: a search takes too long")
	errSearchLate  = errors.New("extproc: a search's turn has not come")
	errSearchGrown = errors.New("extproc: labels take too much")
)

// searchMeter bounds what the searches of one request or answer take. It belongs to one
// goroutine.
type searchMeter struct {
	searches *searches
	ctx      context.Context
	key      string // whose turns it takes
	// left is for searching, and for waiting for turns.
	left time.Duration
	// growth is by how many bytes labels may still make it longer.
	growth int
	// room takes room for so many bytes, and may wait for it.
	room func(bytes int) error

	deadline time.Time
	since    time.Time // of the turn, or of the search's beginning
	turn     bool
	asked    int // whether it may go on
	// held is what was asked for, in bytes, and taken what there is room for.
	held, taken int
	// err is why the search has ended: one of those above, errEnded, or that of room.
	err error
}

var _ guard.Meter = (*searchMeter)(nil)

// newSearch is the meter of a search of what is kept in a room of a kind for limit bytes.
func (a *attempt) newSearch(ctx context.Context, growth int, kind string, in *share, limit int64) *searchMeter {
	return &searchMeter{
		searches: a.searches, ctx: ctx, key: a.key.Hash, left: longestSearch, growth: growth,
		room: func(bytes int) error { return a.hold(kind, in, bytes, limit) },
	}
}

// newInputSearch is that of a request's texts, of so many bytes by now, which are not to
// become longer than a request may be.
func (a *attempt) newInputSearch(ctx context.Context, size int) *searchMeter {
	return a.newSearch(ctx, max(0, int(a.policy.MaxRequestBytes)-size), "requests", &a.upload, a.policy.MaxHeldRequests)
}

// begin starts the clock, and end stops it.
func (m *searchMeter) begin() {
	m.since = time.Now()
	m.deadline = m.since.Add(m.left)
}

func (m *searchMeter) end() {
	m.leave()
	m.left = time.Until(m.deadline)
}

// GoOn waits for a turn if it takes one to go on.
func (m *searchMeter) GoOn() bool {
	if m.asked++; m.err != nil || m.asked%clockEvery != 0 {
		return m.err == nil
	}
	if m.ctx.Err() != nil {
		m.err = errEnded
		return false
	}
	now := time.Now()
	switch spent := now.Sub(m.since); {
	case !now.Before(m.deadline):
		m.err = errSearchLong
	case m.turn && spent < longestTurn, !m.turn && spent < shortSearch:
	case m.turn && !m.searches.wanted():
		m.since = now
	default:
		m.err = m.enter()
	}
	return m.err == nil
}

// enter waits for a turn, or for the next one.
func (m *searchMeter) enter() error {
	ctx, cancel := context.WithDeadline(m.ctx, m.deadline)
	defer cancel()
	wait := m.searches.begin
	if m.turn {
		wait = m.searches.again
	}
	m.turn = false
	switch err := wait(ctx, m.key); {
	case err == nil:
		m.turn, m.since = true, time.Now()
		return nil
	case m.ctx.Err() != nil:
		return errEnded
	}
	return errSearchLate
}

func (m *searchMeter) leave() {
	if m.turn {
		m.turn = false
		m.searches.end()
	}
}

// Grow takes room for what labels add.
func (m *searchMeter) Grow(bytes int) bool {
	if m.err == nil && bytes > m.growth {
		m.err = errSearchGrown
	}
	m.growth -= bytes
	return m.hold(bytes)
}

// hold takes room for so many bytes more. Who waits for a turn never waits for room, which
// is held by those that wait for their turns.
func (m *searchMeter) hold(bytes int) bool {
	m.held += bytes
	if m.err != nil || m.held <= m.taken {
		return m.err == nil
	}
	m.leave()
	began := time.Now()
	more := max(m.held-m.taken, min(m.held, mostAhead))
	m.err = m.room(more)
	m.taken += more
	m.deadline = m.deadline.Add(time.Since(began))
	return m.err == nil
}

// edit has the texts in a value edited: edit returns it with what was made of them, of up
// to most bytes. What escapes add to labels counts as labels do.
func (m *searchMeter) edit(value []byte, edit func(most int) ([]byte, error)) ([]byte, error) {
	before := m.growth
	edited, err := edit(len(value) + before)
	if errors.Is(err, dialect.ErrTooLong) {
		err = errSearchGrown
	}
	if m.err == nil && err != nil {
		m.err = err
	}
	if more := len(edited) - len(value) - (before - m.growth); m.err == nil && more > 0 {
		m.Grow(more)
	}
	return edited, m.err
}
