package routing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/health"
)

// chance makes catalogs, requests and statistics up.
type chance struct{ *rand.Rand }

func (c chance) is(percent int) bool { return c.IntN(100) < percent }

func (c chance) of(list ...string) string { return list[c.IntN(len(list))] }

var sites = []string{"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7"}

func (c chance) models() map[string]*configpb.Model {
	models := map[string]*configpb.Model{}
	for i := range 4 {
		model := &configpb.Model{Distillable: c.is(70)}
		for _, j := range c.Perm(len(sites))[:1+c.IntN(5)] {
			model.Endpoints = append(model.Endpoints, with(priced(sites[j], fmt.Sprint(c.IntN(5))), func(e *configpb.Endpoint) {
				e.Quantization = c.of(quantizations...)
				e.Region = c.of("eu", "us-east", "")
				e.DataPolicy = &configpb.DataPolicy{NoTraining: c.is(60), NoRetention: c.is(60)}
				e.ServiceTier = c.of("", "", "", "flex", "priority")
				e.Tier = new(uint32(c.IntN(2)))
				e.ContextLength = int64(1000 * c.IntN(4))
				if c.is(10) {
					e.CanaryPercent = new(uint32(c.IntN(101)))
				}
			}))
		}
		models[fmt.Sprintf("m/%d", i)] = model
	}
	return models
}

func (c chance) constraints() Constraints {
	var made Constraints
	if c.is(20) {
		made.Only = []string{c.of(sites...), c.of(sites...), c.of(sites...)}
	}
	if c.is(30) {
		made.Ignore = []string{c.of(sites...)}
	}
	if c.is(20) {
		made.Regions = []string{"eu", "us"}
	}
	if c.is(20) {
		made.MinQuantization = c.of("fp4", "fp8")
	}
	if c.is(20) {
		made.MaxPrice.Prompt = usd(2_000_000)
	}
	made.ZDR, made.DenyDataCollection, made.Distillable = c.is(10), c.is(10), c.is(10)
	return made
}

func (c chance) request() Request {
	request := Request{
		Model: "m/0", Models: []string{"m/1", "m/2"}, Seed: c.Uint64(), Now: now, Tools: c.is(30),
		ServiceTier: c.of("", "", "flex", "priority"), PromptTokens: int64(c.IntN(2500)),
	}
	policy := c.constraints()
	request.Policies = []*Constraints{&policy}
	request.Preferences.Constraints = c.constraints()
	request.Preferences.Global = c.is(20)
	request.Preferences.Compression = Switch(c.IntN(3))
	request.Preferences.Sort = Sort(c.of("", "", "price", "throughput", "latency", "exacto"))
	if c.is(30) {
		request.Preferences.Order = []string{c.of(sites...), c.of(sites...)}
	}
	return request
}

func (c chance) view() statistics {
	view := statistics{}
	for i := range 4 {
		for _, site := range sites {
			summary := health.Summary{Outage: c.is(10), Throughput: health.Percentiles{P50: float64(c.IntN(50))}}
			if c.is(10) {
				summary.CoolingUntil = now.Add(time.Second)
			}
			view[fmt.Sprintf("m/%d|%s", i, site)] = summary
		}
	}
	return view
}

// made builds catalogs and requests of 500 seeds, with plans that are not cut off.
func made(t *testing.T, check func(c chance, models map[string]*configpb.Model, request Request, view statistics, plan Plan, err error)) {
	t.Helper()
	for seed := range uint64(500) {
		c := chance{rand.New(rand.NewPCG(seed, 7))}
		models, request, view := c.models(), c.request(), c.view()
		plan, err := Build(request, yard(t, models, nil), view, Options{MaxCandidates: 100})
		check(c, models, request, view, plan, err)
		if t.Failed() {
			t.Fatalf("seed %d: request %+v", seed, request)
		}
	}
}

func TestNoCandidateViolatesAConstraint(t *testing.T) {
	candidates := 0
	made(t, func(_ chance, _ map[string]*configpb.Model, request Request, _ statistics, plan Plan, _ error) {
		for _, candidate := range plan.Candidates {
			candidates++
			e := candidate.Endpoint
			for _, c := range []*Constraints{&request.Preferences.Constraints, request.Policies[0]} {
				// Said in other words than the filters say it: these providers have no
				// names but their slugs.
				switch {
				case c.Only != nil && !slices.Contains(c.Only, e.Provider.Slug), slices.Contains(c.Ignore, e.Provider.Slug),
					c.ZDR && !e.NoRetention, c.DenyDataCollection && !(e.NoTraining && e.NoRetention), c.Distillable && !e.Model.Distillable,
					c.Regions != nil && e.Region == "",
					c.MinQuantization != "" && e.Quantization == "unknown", c.MinQuantization == "fp8" && slices.Contains([]string{"int4", "fp4", "mxfp4", "nvfp4", "fp6"}, e.Quantization),
					c.MaxPrice.Prompt != nil && e.Prices.Prompt > *c.MaxPrice.Prompt:
					t.Errorf("%s violates %+v", e.ID, c)
				}
			}
			if candidate.Compress && request.Preferences.Compression == Off {
				t.Errorf("%s compresses", e.ID)
			}
			if e.ServiceTier != "" && e.ServiceTier != request.ServiceTier || e.ContextLength > 0 && request.PromptTokens > e.ContextLength && !candidate.Compress {
				t.Errorf("%s cannot serve", e.ID)
			}
		}
	})
	if candidates < 500 {
		t.Errorf("only %d candidates were checked", candidates)
	}
}

// Of the endpoints of one model, those that the order names come first, as named.
func TestOrderIsRespected(t *testing.T) {
	made(t, func(_ chance, _ map[string]*configpb.Model, request Request, _ statistics, plan Plan, _ error) {
		last := map[*catalog.Model]int{}
		for _, candidate := range plan.Candidates {
			at := slices.Index(request.Preferences.Order, candidate.Endpoint.Provider.Slug)
			if at < 0 || candidate.Endpoint.ServiceTier != "" {
				at = len(request.Preferences.Order)
			}
			if at < last[candidate.Model] {
				t.Errorf("%s comes after what stands later in the order: %v", candidate.Endpoint.ID, plan.order())
			}
			last[candidate.Model] = at
		}
	})
}

func TestSameSeedSamePlan(t *testing.T) {
	made(t, func(_ chance, models map[string]*configpb.Model, request Request, view statistics, plan Plan, _ error) {
		again, _ := Build(request, yard(t, models, nil), view, Options{MaxCandidates: 100})
		if diff := cmp.Diff(plan.order(), again.order()); diff != "" {
			t.Errorf("(-first +again):\n%s", diff)
		}
	})
}

// Ignoring one more provider takes candidates away and never adds one. Service tiers
// and compression aside: without its flex endpoints a model falls back on the others, and
// without those that a prompt fits on those that it is compressed for.
func TestRemovingAProviderNeverAddsACandidate(t *testing.T) {
	made(t, func(c chance, models map[string]*configpb.Model, request Request, view statistics, _ Plan, _ error) {
		request.ServiceTier, request.Preferences.Compression = "", Off
		models2 := yard(t, models, nil)
		before, err := Build(request, models2, view, Options{MaxCandidates: 100})
		if err != nil {
			return
		}
		gone := c.of(sites...)
		request.Policies = append(request.Policies, &Constraints{Ignore: []string{gone}})
		after, _ := Build(request, models2, view, Options{MaxCandidates: 100})
		for _, candidate := range after.Candidates {
			if candidate.Endpoint.Provider.Slug == gone || !slices.Contains(before.order(), candidate.Endpoint.ID) {
				t.Errorf("without %s %s was added", gone, candidate.Endpoint.ID)
			}
		}
	})
}
