package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// cpu is CPU time of the two processes of a way.
type cpu struct{ envoy, processor time.Duration }

// figures are what one phase measured on one way.
type figures struct {
	first   distribution // time to the first event
	whole   distribution // time to the end of the answer
	delay   distribution // from the upstream's write of an event to the client
	elapsed time.Duration
	answers int
	events  int
	used    cpu
}

// caller is one connection with what it has seen in the current phase. Only its
// own goroutine touches it.
type caller struct {
	*client
	began                 time.Time
	events                int // of the current answer
	first, whole, delayed []time.Duration
}

// closedLoop keeps each connection busy with one request after the other. Set-up
// and the first request of each connection are not measured.
func closedLoop(ctx context.Context, w *way, kind answerKind, connections int, duration time.Duration) (figures, error) {
	callers := make([]*caller, connections)
	request := w.request(kind)
	for i := range callers {
		client, err := dial(w.address)
		if err != nil {
			return figures{}, err
		}
		defer client.close()
		callers[i] = &caller{client: client}
		if err := callers[i].call(request, kind); err != nil {
			return figures{}, fmt.Errorf("%s, %s: %w", w.name, kind, err)
		}
		callers[i].forget(duration / time.Duration(connections))
	}
	var f figures
	var err error
	f.used, f.elapsed, err = w.measure(func() error {
		began := time.Now()
		group, ctx := errgroup.WithContext(ctx)
		for _, c := range callers {
			group.Go(func() error {
				for time.Since(began) < duration && ctx.Err() == nil {
					if err := c.call(request, kind); err != nil {
						return fmt.Errorf("%s, %s: %w", w.name, kind, err)
					}
				}
				return ctx.Err()
			})
		}
		return group.Wait()
	})
	if err != nil {
		return figures{}, err
	}
	f.first = distributionOf(collect(callers, func(c *caller) []time.Duration { return c.first }))
	whole := collect(callers, func(c *caller) []time.Duration { return c.whole })
	f.whole, f.answers = distributionOf(whole), len(whole)
	if kind == burst {
		f.events = f.answers * burstEvents
	}
	return f, nil
}

// forget drops what was seen and makes room for what can be seen in a while, so
// that the measured part does not allocate.
func (c *caller) forget(duration time.Duration) {
	const fastest = 20 * time.Microsecond // an exchange is hardly shorter
	room := int(duration/fastest) + 1
	c.first, c.whole, c.delayed = make([]time.Duration, 0, room), make([]time.Duration, 0, room), nil
}

var errShort = errors.New("the answer has fewer events than the upstream sent")

// call makes one exchange and notes its times.
func (c *caller) call(request []byte, kind answerKind) error {
	c.began, c.events = time.Now(), 0
	if err := c.exchange(request, c.see); err != nil {
		return err
	}
	if kind == burst && c.events < burstEvents {
		return errShort
	}
	c.whole = append(c.whole, time.Since(c.began))
	return nil
}

func (c *caller) see([]byte) error {
	if c.events == 0 {
		c.first = append(c.first, time.Since(c.began))
	}
	c.events++
	return nil
}

func collect(callers []*caller, part func(*caller) []time.Duration) []time.Duration {
	parts := make([][]time.Duration, len(callers))
	for i, c := range callers {
		parts[i] = part(c)
	}
	return slices.Concat(parts...)
}
