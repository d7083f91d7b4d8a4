package main

import (
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

func TestExactFigureIsToldUnlessOthersAreAhead(t *testing.T) {
	const nano = money.Dollar / 1e9
	for _, test := range []struct {
		name           string
		counted, exact money.USD
		requests       int64
		want           money.USD
	}{
		{"rounded up twice", 2 * nano, 30, 2, 30},
		{"nothing spent", 0, 0, 0, 0},
		{"the ledger is ahead of a counter that was lost", 0, 30, 1, 30},
		{"another gateway's request is not in the ledger", 3 * nano, 30, 2, 3 * nano},
	} {
		if got := nearest(test.counted, test.exact, test.requests); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

func TestTighterLimitOnRequests(t *testing.T) {
	slow, fast := identity.Limit{Requests: 40, Window: 10 * time.Second}, identity.Limit{Requests: 10, Window: time.Second}
	if !tighter(slow, fast) || tighter(fast, slow) || tighter(slow, slow) {
		t.Error("4 requests a second are not told from 10")
	}
}
