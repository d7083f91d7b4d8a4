package main

import (
	"context"
	"errors"
	"time"
)

// heldCount is how many streams are open when memory is measured.
const heldCount = 1000

// settling is how long they stay open first.
const settling = 2 * time.Second

// footprint is a process's memory in the course of the run.
type footprint struct {
	name                string
	pid                 int
	start, loaded, held memory
}

// note fills in one point of the course.
func note(footprints []*footprint, point func(*footprint) *memory) error {
	for _, f := range footprints {
		used, err := memoryOf(f.pid)
		if err != nil {
			return err
		}
		*point(f) = used
	}
	return nil
}

// holdStreams keeps streams open through a way while the memory of the way's
// processes is noted.
func holdStreams(ctx context.Context, w *way, footprints []*footprint) error {
	c, err := gather(ctx, w, held, heldCount)
	if err != nil {
		return err
	}
	err = wait(ctx, settling)
	if err == nil {
		err = note(footprints, func(f *footprint) *memory { return &f.held })
	}
	return errors.Join(err, c.disperse())
}
