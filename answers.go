package main

import (
	"context"

	"github.com/switchyard/switchyard/policies/cache"
)

// openCache opens where answers are kept for requests that ask for it: in memory, or in
// the Redis that gateways share if the configuration says so. Which it is is read once, at
// the start.
func (g *gateway) openCache() {
	effective := g.current.Load().effective
	if effective.Config().GetCache().GetRedis() {
		shared := cache.NewRedis(g.redis, g.log)
		g.countRedisFailures("cache", shared.Failures)
		g.answers = shared
		return
	}
	g.answers = cache.NewMemory(effective.MaxCacheSize())
}

// sweepCache takes answers out of memory whose time is over, until ctx ends.
func (g *gateway) sweepCache(ctx context.Context) {
	if memory, ok := g.answers.(*cache.Memory); ok {
		memory.Run(ctx)
	}
}
