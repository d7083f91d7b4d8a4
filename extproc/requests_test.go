package extproc

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/routing"
)

// nobody listens for a request's end.
func nobody(string) {}

func TestRequestEndsOnceWhicheverAttemptLeavesLast(t *testing.T) {
	for name, leave := range map[string]func(r *requests, q *request, over func(string)){
		"the loser of a hedge last": func(r *requests, q *request, over func(string)) {
			r.leave("id", q, "ok", false, over)
			r.leave("id", q, outcomeCancelled, true, over)
		},
		"the winner last": func(r *requests, q *request, over func(string)) {
			r.leave("id", q, outcomeCancelled, true, over)
			r.leave("id", q, "ok", false, over)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRequests()
			r.enter("id", 1)
			q := r.enter("id", 1)
			var ends []string
			leave(r, q, func(ended string) { ends = append(ends, ended) })
			if len(ends) != 1 || ends[0] != "ok" || len(r.byID) != 0 {
				t.Errorf("ended as %v with %d requests left, want ok, once, and none", ends, len(r.byID))
			}
		})
	}
}

// An attempt may enter when another one has left and has not ended the request yet: the
// request ends once, with the last of them.
func TestRequestDoesNotEndUnderAnAttemptThatEnters(t *testing.T) {
	r := newRequests()
	q := r.enter("id", 1)
	var ends atomic.Int32
	over := func(string) { ends.Add(1) }
	r.mu.Lock() // as enter does
	left := make(chan struct{})
	go func() {
		defer close(left)
		r.leave("id", q, "ok", false, over)
	}()
	for entered := false; !entered; runtime.Gosched() {
		q.mu.Lock()
		if q.inFlight == 0 {
			q.inFlight, entered = 1, true
		}
		q.mu.Unlock()
	}
	r.mu.Unlock()
	<-left
	if ends.Load() != 0 || r.byID["id"] != q {
		t.Fatal("the request has ended under an attempt")
	}
	r.leave("id", q, outcomeCancelled, true, over)
	if ends.Load() != 1 || len(r.byID) != 0 {
		t.Errorf("ended %d times, %d requests left", ends.Load(), len(r.byID))
	}
}

func TestLaterAttemptsFollowTheFirstPlan(t *testing.T) {
	r := newRequests()
	first := r.enter("id", 1)
	made := 0
	plan := func() (routing.Plan, error) {
		made++
		return routing.Plan{Candidates: make([]routing.Candidate, 2)}, nil
	}
	if _, err := first.planOnce(plan); err != nil {
		t.Fatal(err)
	}
	r.leave("id", first, "failed_over", true, nobody)
	second := r.enter("id", 1)
	got, err := second.planOnce(plan)
	if err != nil || len(got.Candidates) != 2 || made != 1 {
		t.Errorf("second plan = %d candidates, %v, after %d plannings; want 2, nil, 1", len(got.Candidates), err, made)
	}
}

func TestFailedPlanIsNotKept(t *testing.T) {
	q := newRequests().enter("id", 1)
	if _, err := q.planOnce(func() (routing.Plan, error) { return routing.Plan{}, errors.New("no") }); err == nil {
		t.Fatal("the error is lost")
	}
	if _, err := q.planOnce(func() (routing.Plan, error) { return routing.Plan{}, nil }); err != nil {
		t.Errorf("the second planning is not asked: %v", err)
	}
}

func TestRequestIsForgottenWithItsLastAttempt(t *testing.T) {
	r := newRequests()
	q := r.enter("id", 1)
	r.leave("id", q, "ok", false, nobody)
	if len(r.byID) != 0 {
		t.Errorf("%d requests remembered, want none", len(r.byID))
	}
}

func TestRequestThatNeverComesBackIsForgottenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRequests()
		q := r.enter("id", 1)
		r.leave("id", q, "failed_over", true, nobody)
		time.Sleep(rememberFor - time.Second)
		if r.enter("id", 1) != q {
			t.Fatal("forgotten before the next attempt could begin")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(r.byID) != 1 {
			t.Fatal("forgotten while an attempt is in flight")
		}
		r.leave("id", q, "failed_over", true, nobody)
		time.Sleep(rememberFor + time.Second)
		synctest.Wait()
		if len(r.byID) != 0 {
			t.Error("never forgotten")
		}
	})
}

func TestWaitingAttemptsWakeWhenTheLastWorkingOneEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRequests()
		q := r.enter("id", 1)
		if !q.only() {
			t.Fatal("a single attempt is not the only one")
		}
		r.enter("id", 1)
		r.enter("id", 1)
		if q.only() {
			t.Fatal("three attempts at work are taken for one")
		}
		// Two have nothing left to try: they must not wait for each other.
		q.wait()
		q.wait()
		woken := q.working()
		if woken == nil || !q.only() {
			t.Fatal("the attempt at work is not seen as the only one")
		}
		go r.leave("id", q, "ok", false, nobody)
		<-woken
		if q.working() != nil {
			t.Error("attempts that only wait count as work")
		}
	})
}

func TestLostAttemptsAreFailuresOnceAnotherFollows(t *testing.T) {
	q := newRequests().enter("id", 1)
	q.lose(1, routing.Candidate{})
	if lost := q.takeLost(1); len(lost) != 0 {
		t.Errorf("attempt 1 takes %d lost attempts, itself among them", len(lost))
	}
	if lost := q.takeLost(2); len(lost) != 1 {
		t.Errorf("attempt 2 takes %d lost attempts, want 1", len(lost))
	}
	if lost := q.takeLost(3); len(lost) != 0 {
		t.Errorf("attempt 3 takes what attempt 2 took")
	}
}

// What one attempt has fetched, the others have.
func TestMediaIsFetchedOnce(t *testing.T) {
	q := newRequests().enter("id", 1)
	one, two := dialect.Remote{URL: "https://a.test/1"}, dialect.Remote{URL: "https://a.test/2"}
	var asked []dialect.Remote
	fetch := func(missing []dialect.Remote) (map[dialect.Remote]dialect.Media, error) {
		asked = append(asked, missing...)
		fetched := make(map[dialect.Remote]dialect.Media)
		for _, piece := range missing {
			fetched[piece] = dialect.Media{Data: piece.URL}
		}
		return fetched, nil
	}
	for _, pieces := range [][]dialect.Remote{{one}, {one, two}, {two, one}} {
		got, err := q.media(t.Context(), pieces, fetch)
		if err != nil || len(got) != len(pieces) || got[one].Data != one.URL {
			t.Errorf("%v: %v, %v", pieces, got, err)
		}
	}
	if len(asked) != 2 || asked[0] != one || asked[1] != two {
		t.Errorf("fetched %v", asked)
	}
	// An attempt that ends while another one fetches does not wait for it.
	q.fetching <- struct{}{}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.media(gone, []dialect.Remote{one}, fetch); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
