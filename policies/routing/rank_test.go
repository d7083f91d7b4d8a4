package routing

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/health"
)

func TestRows20To24Order(t *testing.T) {
	models := abc(t)
	plan := always(t, of(t, `{"order":["C","A"]}`), models, statistics{}, "c", "a", "b")
	if got := plan.Candidates[1].Reason.String(); got != "order[1]" {
		t.Errorf("reason %q", got)
	}
	always(t, of(t, `{"order":["openai","B"]}`), models, statistics{}, "b", "a", "c")
	plan = always(t, of(t, `{"order":["C"],"allow_fallbacks":false}`), models, statistics{}, "c")
	if len(plan.Dropped) != 2 || plan.Dropped[0].Step != "Filter by Fallback" {
		t.Errorf("dropped %+v", plan.Dropped)
	}
	always(t, of(t, `{"sort":"price","allow_fallbacks":false}`), models, statistics{}, "a")
	none := refused(t, of(t, `{"order":["zzz"],"allow_fallbacks":false}`), models, "No endpoints found among the providers in provider.order")
	if none.FailedStep != "Filter by Fallback" {
		t.Errorf("%+v", none)
	}
}

func TestRows37To41Sort(t *testing.T) {
	models := abc(t)
	fast := func(throughput, latency float64) health.Summary {
		return health.Summary{Throughput: health.Percentiles{P50: throughput}, Latency: health.Percentiles{P50: latency}}
	}
	view := statistics{"m/x|a": fast(10, 3), "m/x|b": fast(30, 1), "m/y|b": fast(99, 0.1)}
	always(t, of(t, `{"sort":"price"}`), models, view, "a", "b", "c")
	always(t, of(t, `{"sort":"throughput"}`), models, view, "b", "a", "c")
	always(t, of(t, `{"sort":"latency"}`), models, view, "b", "a", "c")
	model := of(t, `{"sort":{"by":"throughput","partition":"model"}}`)
	model.Models = []string{"m/y"}
	always(t, model, models, view, "b", "a", "c", "m/y|b")
	none := of(t, `{"sort":{"by":"throughput","partition":"none"}}`)
	none.Models = []string{"m/y"}
	always(t, none, models, view, "m/y|b", "b", "a", "c")
	route, err := ParsePreferences([]byte(`{"sort":"throughput"}`), nil, nil, "sort")
	if err != nil {
		t.Fatal(err)
	}
	always(t, Request{Models: []string{"m/x", "m/y"}, Preferences: route}, models, view, "m/y|b", "b", "a", "c")
}

// Over 10,000 seeds the first choices are as 36 to 9 to 4, by Pearson's test: a
// statistic above 13.8 has a chance of one in a thousand.
func TestRow42InverseSquareOfPrice(t *testing.T) {
	models := abc(t)
	counts := map[string]float64{}
	const seeds = 10_000
	for seed := range uint64(seeds) {
		plan, err := Build(Request{Model: "m/x", Seed: seed, Now: now}, models, statistics{}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		counts[tags(plan)[0]]++
	}
	statistic := 0.0
	for tag, share := range map[string]float64{"a": 36.0 / 49, "b": 9.0 / 49, "c": 4.0 / 49} {
		expected := share * seeds
		statistic += (counts[tag] - expected) * (counts[tag] - expected) / expected
	}
	if statistic > 13.8 {
		t.Errorf("statistic %.1f of %v", statistic, counts)
	}
}

func TestRows43And44Outage(t *testing.T) {
	models := abc(t)
	request := of(t, `{"sort":"price"}`)
	for name, bad := range map[string]health.Summary{
		"outage":  {Outage: true},
		"cooling": {CoolingUntil: now.Add(time.Second)},
		"down":    {Uptime: health.Windows[float64]{Last30m: 79}, Requests: health.Windows[int64]{Last30m: 100}},
	} {
		t.Run(name, func(t *testing.T) { always(t, request, models, statistics{"m/x|b": bad}, "a", "c", "b") })
	}
	for name, fine := range map[string]health.Summary{
		"cool-down over": {CoolingUntil: now},
		"half open":      {HalfOpen: true},
		"few requests":   {Uptime: health.Windows[float64]{Last30m: 10}, Requests: health.Windows[int64]{Last30m: 99}},
		"uptime of 95":   {Uptime: health.Windows[float64]{Last30m: 95}, Requests: health.Windows[int64]{Last30m: 100}},
	} {
		t.Run(name, func(t *testing.T) { always(t, request, models, statistics{"m/x|b": fine}, "a", "b", "c") })
	}
	degraded := health.Summary{Uptime: health.Windows[float64]{Last30m: 94}, Requests: health.Windows[int64]{Last30m: 100}}
	always(t, request, models, statistics{"m/x|a": {Outage: true}, "m/x|b": degraded}, "c", "b", "a")
}

func TestRows47To49Thresholds(t *testing.T) {
	models := abc(t)
	with := func(p50, p90 float64) health.Summary {
		return health.Summary{Latency: health.Percentiles{P50: p50, P75: p90, P90: p90, P99: p90}, Throughput: health.Percentiles{P50: 100 / p50, P75: 1, P90: 1, P99: 1}}
	}
	view := statistics{"m/x|a": with(0.9, 4), "m/x|b": with(1, 3), "m/x|c": with(5, 9)}
	request := of(t, `{"sort":"price","preferred_max_latency":{"p50":1,"p90":3}}`)
	always(t, request, models, view, "b", "a", "c")
	always(t, of(t, `{"sort":"price","preferred_min_throughput":1e9}`), models, view, "a", "b", "c")
	always(t, of(t, `{"sort":"price","preferred_min_throughput":101}`), models, statistics{"m/x|a": with(1, 1), "m/x|b": with(0.5, 1)}, "b", "a", "c")
	request.Models = []string{"m/y"}
	always(t, request, models, statistics{"m/y|b": with(1, 1)}, "m/y|b", "a", "b", "c")
}

func TestTiersWeightsAndCanaries(t *testing.T) {
	tiered := yard(t, map[string]*configpb.Model{"m/x": {Endpoints: []*configpb.Endpoint{
		with(priced("a", "1"), func(e *configpb.Endpoint) { e.Tier = new(uint32(1)) }), priced("b", "2"),
		with(priced("c", "0"), func(e *configpb.Endpoint) { e.CanaryPercent = new(uint32(0)) }),
		with(priced("d", "9"), func(e *configpb.Endpoint) { e.CanaryPercent = new(uint32(100)) }),
	}}}, nil)
	always(t, Request{Model: "m/x"}, tiered, statistics{}, "d", "b", "a", "c")
	always(t, Request{Model: "m/x"}, tiered, statistics{"m/x|d": {Outage: true}}, "b", "a", "c", "d")
	always(t, of(t, `{"order":["a"]}`), tiered, statistics{}, "a", "d", "b", "c")
	// What fails stands back, whatever its tier: own hardware too.
	always(t, Request{Model: "m/x"}, tiered, statistics{"m/x|d": {Outage: true}, "m/x|b": {CoolingUntil: now.Add(1)}}, "a", "c", "b", "d")
	// Row 37: who names a sort gets it, within the tiers.
	always(t, of(t, `{"sort":"price"}`), tiered, statistics{}, "c", "b", "d", "a")

	unweighted := yard(t, map[string]*configpb.Model{"m/x": {Endpoints: []*configpb.Endpoint{
		with(priced("a", "1"), func(e *configpb.Endpoint) { e.Weight = proto.Uint32(0) }),
		with(priced("b", "2"), func(e *configpb.Endpoint) { e.Weight = proto.Uint32(5) }),
	}}}, nil)
	always(t, Request{Model: "m/x"}, unweighted, statistics{}, "b", "a")
	weighted := yard(t, map[string]*configpb.Model{"m/x": {Endpoints: []*configpb.Endpoint{
		priced("a", "1"), with(priced("b", "2"), func(e *configpb.Endpoint) { e.Weight = proto.Uint32(3) }),
	}}}, nil)
	first := map[string]int{}
	for seed := range uint64(4000) {
		plan, err := Build(Request{Model: "m/x", Seed: seed, Now: now}, weighted, statistics{}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		first[tags(plan)[0]]++
	}
	if first["b"] < 2850 || first["b"] > 3150 {
		t.Errorf("b is first %d times of 4000, want about 3000", first["b"])
	}
}

func TestFreeEndpointsComeFirstAndShareEvenly(t *testing.T) {
	models := yard(t, map[string]*configpb.Model{"m/x": {Endpoints: []*configpb.Endpoint{priced("a", "1"), priced("b", "0"), priced("c", "0")}}}, nil)
	first := map[string]int{}
	for seed := range uint64(1000) {
		plan, err := Build(Request{Model: "m/x", Seed: seed, Now: now}, models, statistics{}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		first[tags(plan)[0]]++
	}
	if first["a"] > 0 || first["b"] < 420 || first["b"] > 580 {
		t.Errorf("first choices %v", first)
	}
}

func TestRows105To107Pin(t *testing.T) {
	cached := func(provider, price, read string) *configpb.Endpoint {
		return with(priced(provider, price), func(e *configpb.Endpoint) { e.Prices.CacheRead = read })
	}
	models := yard(t, map[string]*configpb.Model{"m/x": {Endpoints: []*configpb.Endpoint{priced("a", "1"), priced("b", "2"), cached("c", "3", "0.3")}}}, nil)
	request := of(t, `{"sort":"price"}`)
	request.Pin = &Pin{Model: "m/x", EndpointID: "m/x|c", Provider: "c"}
	if plan := always(t, request, models, statistics{}, "c", "a", "b"); !plan.Pinned || plan.Candidates[0].Reason.String() != "pinned" {
		t.Errorf("%+v", plan)
	}
	always(t, request, models, statistics{"m/x|c": {Outage: true}}, "a", "b", "c")
	request.Pin = &Pin{Model: "m/x", EndpointID: "m/x|b", Provider: "b"}
	always(t, request, models, statistics{}, "a", "b", "c")
	request.Pin.Session = true
	always(t, request, models, statistics{}, "b", "a", "c")
	ordered := of(t, `{"order":["C"]}`)
	ordered.Pin = request.Pin
	always(t, ordered, models, statistics{}, "c", "a", "b")
	request.Pin.Bound = true
	plan := always(t, request, models, statistics{}, "b")
	if plan.Dropped[0].Step != "Keep Provider of Tool Loop" {
		t.Errorf("dropped %+v", plan.Dropped)
	}
	request.Pin.Provider = "zzz"
	refused(t, request, models, "No endpoints found that can go on with this tool loop")
}

func TestExactoOnToolRequests(t *testing.T) {
	models := yard(t, map[string]*configpb.Model{"m/x": {Endpoints: []*configpb.Endpoint{
		priced("bad", "1"), priced("new", "1"), priced("b", "5"), priced("c", "6"), priced("d", "7"), priced("e", "8"),
	}}}, nil)
	calls := func(success float64) health.Summary {
		return health.Summary{
			Requests: health.Windows[int64]{Last30m: 100}, Uptime: health.Windows[float64]{Last30m: 100},
			ToolCalls: 200, ToolSuccess: success, Throughput: health.Percentiles{P50: 50},
		}
	}
	view := statistics{"m/x|bad": calls(0.5), "m/x|b": calls(0.99), "m/x|c": calls(0.98), "m/x|d": calls(0.99), "m/x|e": calls(1)}
	for seed := range uint64(100) {
		plan, err := Build(Request{Model: "m/x", Tools: true, Seed: seed, Now: now}, models, view, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := tags(plan); got[4] != "new" || got[5] != "bad" {
			t.Fatalf("order %v", got)
		}
	}
	request := of(t, `{"sort":"price"}`)
	request.Tools = true
	always(t, request, models, view, "bad", "new", "b", "c", "d", "e")
	always(t, of(t, `{"sort":"exacto"}`), models, view, "b", "c", "d", "e", "new", "bad")
	delete(view, "m/x|e")
	delete(view, "m/x|d")
	always(t, of(t, `{"sort":"exacto"}`), models, view, "bad", "b", "c", "new", "d", "e")
}
