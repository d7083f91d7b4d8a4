package routing

import (
	"cmp"
	"slices"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/money"
)

// entry is an endpoint on its way into the plan. The first fields up to quality say
// where it stands: entries equal in all of them form a run, in which the sort or
// chance decides.
type entry struct {
	endpoint *catalog.Endpoint
	// own is the key of a copy that has one.
	own *OwnKey
	// target is the index of its model in the scope.
	target int

	missed  bool // a preferred threshold
	group   int  // the target, unless all are sorted together
	order   int  // in the request's order, its length if not named
	pinned  bool
	canary  int8 // -1 is tried first, 1 last
	state   state
	service bool // of the service tier asked for, which comes first
	quality quality

	sort     Sort
	balanced bool
	price    money.USD
	known    known
	reason   Reason
}

// known is the part of a [health.Summary] that the order depends on. It is a small
// one, because sorting moves entries about.
type known struct {
	throughput, latency float64 // medians, zero if unknown
	uptime              float64
	toolSuccess         float64
	cooling, outage     bool
	// measured: there are enough data to judge by how the endpoint calls tools.
	measured bool
}

func abridge(s *health.Summary, request *Request) known {
	return known{
		throughput: s.Throughput.P50, latency: s.Latency.P50,
		uptime: s.Uptime.Last30m, toolSuccess: s.ToolSuccess,
		cooling: s.CoolingUntil.After(request.Now), outage: s.Outage,
		measured: s.Requests.Last30m >= minRequests && s.ToolCalls >= minToolCalls && s.Throughput.Known(),
	}
}

// state is how much an endpoint may be relied on (spec section 2.2).
type state uint8

const (
	stable   state = iota
	degraded       // uptime below 95 percent
	down           // uptime below 80 percent
	unstable       // cooling down, or in an outage
)

// minRequests is how many requests within 30 minutes an uptime must stand for.
const minRequests = 100

// stateOf judges what is known of an endpoint. One that is half-open keeps its place:
// who sends the request asks [health.Tracker.Probe] whether it may go there.
func stateOf(s *health.Summary, request *Request) state {
	switch {
	case s.Outage || s.CoolingUntil.After(request.Now):
		return unstable
	case s.Requests.Last30m < minRequests || s.Uptime.Last30m >= 95:
		return stable
	case s.Uptime.Last30m >= 80:
		return degraded
	}
	return down
}

// rank puts the endpoints into the order in which they are tried. The request's own
// order stands above all, then the pin, and then what cools down or is in an outage
// stands back, whatever its tier; canaries, tiers and uptimes follow, and among equals
// the sort decides, or chance.
func (s *scope) rank(entries []entry) {
	for i := range entries {
		s.place(&entries[i])
	}
	s.pin(entries)
	s.drawCanaries(entries)
	s.judge(entries)
	slices.SortStableFunc(entries, func(a, b entry) int {
		if order := standing(&a, &b); order != 0 {
			return order
		}
		return sorted(&a, &b)
	})
	s.balance(entries)
}

// place says where one endpoint stands, but for what depends on the others.
func (s *scope) place(e *entry) {
	preferences := &s.request.Preferences
	summary := s.health.Summary(e.endpoint.ID, s.request.Now)
	e.known = abridge(&summary, s.request)
	e.state = stateOf(&summary, s.request)
	e.price = s.prices(e.endpoint).Nominal()
	if !preferences.Global {
		e.group = e.target
	}
	if e.order = orderOf(s.order, e.endpoint); e.order == len(preferences.Order) {
		// Ahead of the models' order: a threshold may promote a fallback model's
		// endpoint (spec section 2.6).
		e.missed = s.misses(&summary, e.state)
	}
	asked := s.serviceTier()
	e.service = asked != "" && e.endpoint.ServiceTier == asked
	e.sort = cmp.Or(s.targets[e.group].sort, preferences.Sort, s.tierSort(e), s.options.Sort)
	e.balanced = e.sort == "" && len(preferences.Order) == 0 && !e.endpoint.Model.Listed
}

// orderOf returns the place in the request's order that names the endpoint, or its
// length if none does. A base slug does not call for endpoints of a service tier.
func orderOf(order words, e *catalog.Endpoint) int {
	if e.ServiceTier == "" {
		return order.placeOf(e)
	}
	return order.place(e.Tag)
}

// tierSort is the order that a service tier brings along (spec section 2.6).
func (s *scope) tierSort(e *entry) Sort {
	switch {
	case !e.service:
		return ""
	case e.endpoint.ServiceTier == tierPriority:
		return SortThroughput
	}
	return SortPrice
}

// misses reports whether an endpoint falls short of a preferred threshold. One of
// which nothing is known does, and one that is not to be relied on.
func (s *scope) misses(summary *health.Summary, state state) bool {
	preferences := &s.request.Preferences
	if preferences.MinThroughput == (Thresholds{}) && preferences.MaxLatency == (Thresholds{}) {
		return false
	}
	return state == unstable || !atLeast(summary.Throughput, preferences.MinThroughput) || !atMost(summary.Latency, preferences.MaxLatency)
}

func atLeast(known health.Percentiles, want Thresholds) bool {
	return want == Thresholds{} ||
		known.Known() && known.P50 >= want.P50 && known.P75 >= want.P75 && known.P90 >= want.P90 && known.P99 >= want.P99
}

func atMost(known health.Percentiles, want Thresholds) bool {
	within := func(known, want float64) bool { return want == 0 || known <= want }
	return want == Thresholds{} ||
		known.Known() && within(known.P50, want.P50) && within(known.P75, want.P75) && within(known.P90, want.P90) && within(known.P99, want.P99)
}

// standing compares by what no sort and no chance overrides. Most comparisons are
// decided early, so each is made only when those before it are even.
func standing(a, b *entry) int {
	switch {
	case a.missed != b.missed:
		return first(b.missed, a.missed)
	case a.group != b.group:
		return cmp.Compare(a.group, b.group)
	case a.order != b.order:
		return cmp.Compare(a.order, b.order)
	case a.pinned != b.pinned:
		return first(a.pinned, b.pinned)
	case (a.state == unstable) != (b.state == unstable):
		return first(b.state == unstable, a.state == unstable)
	case a.canary != b.canary:
		return cmp.Compare(a.canary, b.canary)
	case a.endpoint.Tier != b.endpoint.Tier:
		return cmp.Compare(a.endpoint.Tier, b.endpoint.Tier)
	case a.state != b.state:
		return cmp.Compare(a.state, b.state)
	case a.service != b.service:
		return first(a.service, b.service)
	}
	return cmp.Compare(a.quality, b.quality)
}

// first compares so that what is true comes first.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// sorted compares endpoints of equal standing. What is not known comes last; equal
// ones keep the order of the configuration.
func sorted(a, b *entry) int {
	switch a.sort {
	case SortThroughput, SortExacto:
		return cmp.Or(cmp.Compare(b.known.throughput, a.known.throughput), cmp.Compare(a.price, b.price))
	case SortLatency:
		return cmp.Or(first(a.known.latency > 0, b.known.latency > 0),
			cmp.Compare(a.known.latency, b.known.latency), cmp.Compare(a.price, b.price))
	case "":
		if a.endpoint.Model.Listed && b.endpoint.Model.Listed {
			return 0
		}
	}
	return cmp.Compare(a.price, b.price)
}
