package signing

import (
	"context"
	"errors"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// bearer signs with a token that is fetched, kept, and fetched anew before it expires.
type bearer struct {
	fetch func(context.Context) (fetched, error)
	held  renewal[[]dialect.Header]
}

// fetched is a token as it came.
type fetched struct {
	text    string
	expires time.Time
}

// Sign returns the header that carries the token.
func (b *bearer) Sign(ctx context.Context, _ Request) ([]dialect.Header, error) {
	return b.held.get(ctx, b)
}

func (b *bearer) renew(ctx context.Context) (*lease[[]dialect.Header], error) {
	got, err := b.fetch(ctx)
	if err != nil {
		return nil, err
	}
	return newToken(got, time.Now())
}

// newToken makes a header of a token, if it is one.
func newToken(from fetched, now time.Time) (*lease[[]dialect.Header], error) {
	if !from.expires.After(now) {
		return nil, errors.New("the token that was fetched has expired, or does not say when it will")
	}
	if from.text == "" {
		return nil, errors.New("the token that was fetched is empty")
	}
	for i := range len(from.text) {
		if c := from.text[i]; c <= ' ' || c >= 0x7f {
			return nil, errors.New("the token that was fetched has a character in it that no header can hold")
		}
	}
	return newLease([]dialect.Header{{Name: "authorization", Value: "Bearer " + from.text}}, from.expires, now), nil
}
