package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// opening is how many streams are opened at a time: a thousand at once would
// measure the machine's listen queue.
const opening = 32

var (
	// errHungUp is how a caller leaves a stream that has no end.
	errHungUp = errors.New("hung up")
	// errOver is what a stream that has no end must not do.
	errOver = errors.New("the stream has come to its end")
)

// crowd is a number of open streams.
type crowd struct {
	way       *way
	callers   []*caller
	group     *errgroup.Group
	measuring atomic.Bool
	leaving   atomic.Bool
}

// gather opens streams and returns when each has had its first event.
func gather(ctx context.Context, w *way, kind answerKind, streams int) (*crowd, error) {
	c := &crowd{way: w, callers: make([]*caller, streams)}
	var failing context.Context
	c.group, failing = errgroup.WithContext(ctx)
	request := w.request(kind)
	tickets := make(chan struct{}, opening)
	var opened sync.WaitGroup
	for i := range c.callers {
		select {
		case tickets <- struct{}{}:
		case <-failing.Done():
			return nil, errors.Join(ctx.Err(), c.disperse())
		}
		client, err := dial(w.address)
		if err != nil {
			return nil, errors.Join(err, c.disperse())
		}
		c.callers[i] = &caller{client: client}
		opened.Add(1)
		entered := sync.OnceFunc(func() { <-tickets; opened.Done() })
		c.group.Go(func() error {
			defer entered()
			err := c.callers[i].exchange(request, func(line []byte) error {
				entered()
				return c.see(c.callers[i], line)
			})
			if c.leaving.Load() {
				return nil
			}
			return fmt.Errorf("%s: stream %d of %d: %w", w.name, i, streams, cmp.Or(err, errOver))
		})
	}
	opened.Wait()
	if failing.Err() != nil {
		return nil, errors.Join(ctx.Err(), c.disperse())
	}
	return c, nil
}

func (c *crowd) see(one *caller, line []byte) error {
	if c.leaving.Load() {
		return errHungUp
	}
	if !c.measuring.Load() {
		return nil
	}
	if delay, ok := delayOf(line); ok {
		one.delayed = append(one.delayed, delay)
	}
	return nil
}

// disperse hangs up all streams and waits until the upstream has noticed. It
// fails if a stream had come to an end before.
func (c *crowd) disperse() error {
	c.leaving.Store(true)
	for _, one := range c.callers {
		if one != nil {
			one.close()
		}
	}
	return errors.Join(c.group.Wait(), awaitIdle(c.way.upstream))
}

// pacedStreams measures a number of streams while they go on: neither their
// start nor their end is part of it.
func pacedStreams(ctx context.Context, w *way, streams int, duration time.Duration) (figures, error) {
	c, err := gather(ctx, w, paced, streams)
	if err != nil {
		return figures{}, err
	}
	for _, one := range c.callers {
		one.delayed = make([]time.Duration, 0, 2*int(duration/pace)+1)
	}
	var f figures
	f.used, f.elapsed, err = w.measure(func() error {
		c.measuring.Store(true)
		defer c.measuring.Store(false)
		return wait(ctx, duration)
	})
	if err := errors.Join(err, c.disperse()); err != nil {
		return figures{}, err
	}
	delayed := collect(c.callers, func(one *caller) []time.Duration { return one.delayed })
	f.delay, f.events = distributionOf(delayed), len(delayed)
	return f, nil
}

func wait(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
