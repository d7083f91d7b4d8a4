package extproc

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// known-failures 47: whatever clients make up, be it models, users, sessions or titles of
// applications, no series of a metric comes of it.
func TestClientsMakeNoSeries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, limited(&configpb.Limits{}), func(cfg *configpb.Config, _ *Policy) {
			anything := true
			cfg.Providers["a"].AnyModel = &anything
		})
		ask := func(n int) {
			for how, body := range []string{
				`{"model":"a/made-up-%d","user":"u%[1]d","messages":[{"role":"user","content":"hello"}]}`,
				`{"model":"none/made-up-%d","messages":[{"role":"user","content":"hello"}]}`,
				`{"model":"m/x","user":"u%d","session_id":"s%[1]d","messages":[{"role":"user","content":"hello"}]}`,
			} {
				id := fmt.Sprintf("%d-%d", n, how)
				e := g.attempt("1", "x-request-id", id, "x-title", "App "+id, "http-referer", "https://"+id+".example", "user-agent", id)
				e.asks(fmt.Sprintf(body, n), true)
				if how == 1 {
					e.refused()
					continue
				}
				e.forwarded()
				e.replies("200", viaUpstream, "content-type", "application/json")
				e.sends(wholeAnswer, true)
				e.begins()
				e.rest()
			}
		}
		ask(0)
		before := g.series()
		for n := range 100 {
			ask(1 + n)
		}
		if after := g.series(); after != before || before == 0 {
			t.Errorf("%d series became %d", before, after)
		}
		g.wantCount(202, "requests_total", "ok")
	})
}

// series is how many series the gateway's metrics have.
func (g *gateway) series() (count int) {
	g.t.Helper()
	families, err := g.registry.Gather()
	if err != nil {
		g.t.Fatal(err)
	}
	for _, family := range families {
		count += len(family.GetMetric())
	}
	return count
}
