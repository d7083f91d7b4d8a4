package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/usage/store"
)

// newLimiter keeps limits in the Redis that gateways share, if there is one, else in
// memory. Budgets begin with what the ledger knows.
func (g *gateway) newLimiter() *quota.Limiter {
	options := quota.Options{Log: g.log}
	if g.redis != nil {
		options.Store, options.Bound = quota.NewRedis(g.redis), g.redis.Bound
	}
	if g.account != nil {
		options.Spent = g.account.spent
	}
	limiter := quota.New(options)
	g.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "switchyard_limit_reservations", Help: "Requests and attempts under way that hold a part of some limit.",
		}, func() float64 { return float64(limiter.Live()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "switchyard_limit_settlements_waiting", Help: "Requests that are over, and whose use the shared store of limits does not know yet.",
		}, func() float64 { return float64(limiter.Waiting()) }),
	)
	if g.redis != nil {
		g.countRedisFailures("limits", limiter.Failures)
	}
	return limiter
}

// spent is what the ledger knows under a budget, all that was settled before included.
func (a *account) spent(ctx context.Context, budget quota.Limit, since time.Time) (money.USD, error) {
	spent, _, err := a.billed(ctx, budget, since)
	return spent, err
}

// billed is spent, and in how many requests.
func (a *account) billed(ctx context.Context, budget quota.Limit, since time.Time) (spent money.USD, requests int64, err error) {
	if err := a.ledger.CatchUp(ctx); err != nil {
		return 0, 0, err
	}
	bill, err := a.generations.SpentBy(ctx, store.Who(budget.Of), since)
	if budget.IncludeBYOK {
		bill.Cost = bill.Cost.Add(bill.Upstream)
	}
	return bill.Cost, bill.Requests, err
}

// freeDaily is a key's limit on a day's requests to free models, with what counts for it.
func (g *gateway) freeDaily(limiter *quota.Limiter) func(context.Context, *identity.Key, time.Time) (limit, used int64, err error) {
	return func(ctx context.Context, key *identity.Key, now time.Time) (int64, int64, error) {
		limit, ok := g.current.Load().policy.Limits.FreeDaily(key)
		if !ok {
			return 0, 0, nil
		}
		used, err := limiter.Used(ctx, limit, now)
		return limit.Most, used, err
	}
}
