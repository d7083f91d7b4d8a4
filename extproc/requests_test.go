package extproc

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/policies/routing"
)

func TestLaterAttemptsFollowTheFirstPlan(t *testing.T) {
	r := newRequests()
	first := r.enter("id")
	made := 0
	plan := func() (routing.Plan, error) {
		made++
		return routing.Plan{Candidates: make([]routing.Candidate, 2)}, nil
	}
	if _, err := first.planOnce(plan); err != nil {
		t.Fatal(err)
	}
	r.leave("id", first, false)
	second := r.enter("id")
	got, err := second.planOnce(plan)
	if err != nil || len(got.Candidates) != 2 || made != 1 {
		t.Errorf("second plan = %d candidates, %v, after %d plannings; want 2, nil, 1", len(got.Candidates), err, made)
	}
}

func TestFailedPlanIsNotKept(t *testing.T) {
	q := newRequests().enter("id")
	if _, err := q.planOnce(func() (routing.Plan, error) { return routing.Plan{}, errors.New("no") }); err == nil {
		t.Fatal("the error is lost")
	}
	if _, err := q.planOnce(func() (routing.Plan, error) { return routing.Plan{}, nil }); err != nil {
		t.Errorf("the second planning is not asked: %v", err)
	}
}

func TestRequestIsForgottenWithItsLastAttempt(t *testing.T) {
	r := newRequests()
	q := r.enter("id")
	r.leave("id", q, true)
	if len(r.byID) != 0 {
		t.Errorf("%d requests remembered, want none", len(r.byID))
	}
}

func TestRequestThatNeverComesBackIsForgottenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRequests()
		q := r.enter("id")
		r.leave("id", q, false)
		time.Sleep(rememberFor - time.Second)
		if r.enter("id") != q {
			t.Fatal("forgotten before the next attempt could begin")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(r.byID) != 1 {
			t.Fatal("forgotten while an attempt is in flight")
		}
		r.leave("id", q, false)
		time.Sleep(rememberFor + time.Second)
		synctest.Wait()
		if len(r.byID) != 0 {
			t.Error("never forgotten")
		}
	})
}

func TestAloneWakesWhenAnotherAttemptEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRequests()
		q := r.enter("id")
		if q.alone() != nil || !q.only() {
			t.Fatal("a single attempt is not alone")
		}
		r.enter("id")
		woken := q.alone()
		if woken == nil || q.only() {
			t.Fatal("two attempts in flight are taken for one")
		}
		go r.leave("id", q, false)
		<-woken
		if q.alone() != nil {
			t.Error("still not alone")
		}
	})
}

func TestLostAttemptsAreFailuresOnceAnotherFollows(t *testing.T) {
	q := newRequests().enter("id")
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
