package usage

import (
	"slices"
	"strings"
	"time"

	"github.com/switchyard/switchyard/policies/money"
)

// Generation is what the ledger keeps of one request of a client: counts, money and
// times, and of what was said nothing but Content. It is a value: what is recorded is not
// changed.
type Generation struct {
	// ID is the generation id, "gen-<unix seconds>-<20 alphanumerics>". It is the
	// same for every attempt at the request, and no other request has it.
	ID string `json:"id"`
	// RequestID is Envoy's id of the request.
	RequestID string `json:"request_id,omitzero"`
	// Created is when the request came in, to the microsecond.
	Created time.Time `json:"created"`
	// KeyHash and KeyName say whose request it was; the hash is "" at a gateway
	// without keys.
	KeyHash string `json:"key_hash,omitzero"`
	KeyName string `json:"key_name,omitzero"`
	// Workspace is the one that the key is in.
	Workspace string `json:"workspace,omitzero"`
	// API is the kind of the request: "completions", "embeddings" or "rerank".
	API string `json:"api,omitzero"`
	// Requested is the model that the client named.
	Requested string `json:"requested,omitzero"`
	Streamed  bool   `json:"streamed,omitzero"`
	// Cancelled: the client did not wait for the end.
	Cancelled bool `json:"cancelled,omitzero"`
	// Estimated: no provider said what was used, at least in one attempt that may be
	// billed. The counts are then the gateway's own.
	Estimated bool `json:"estimated,omitzero"`

	// Session, User, Preset, Referer, Title and UserAgent are the client's words, ""
	// if it said nothing.
	Session   string `json:"session,omitzero"`
	User      string `json:"user,omitzero"`
	Preset    string `json:"preset,omitzero"`
	Referer   string `json:"referer,omitzero"`
	Title     string `json:"title,omitzero"`
	UserAgent string `json:"user_agent,omitzero"`

	// FinishReason is normalised (spec row 4), NativeFinishReason the provider's own;
	// "" where none was given.
	FinishReason       string `json:"finish_reason,omitzero"`
	NativeFinishReason string `json:"native_finish_reason,omitzero"`

	// ResponseCacheSource is the generation whose answer the client got once more, out of
	// the cache; "" if a provider answered.
	ResponseCacheSource string `json:"response_cache_source,omitzero"`

	// Attempts are all those that were forwarded to a provider, in their order. The
	// last one that was answered is what the client got. What came out of the cache has
	// one, at which nobody was asked: [Cached].
	Attempts []Attempt `json:"attempts"`

	// Content is what was said, nil unless the key has it kept. Stores keep it apart: a
	// generation that is read from one is without.
	Content *Content `json:"content,omitzero"`
}

// Clone returns a copy to be kept for long. Its texts are together in a piece of memory of
// their own: those of g may be parts of a whole request. Content is shared.
func (g *Generation) Clone() Generation {
	c := *g
	c.Attempts = slices.Clone(g.Attempts)
	texts := append(make([]*string, 0, 48), // three attempts
		&c.ID, &c.RequestID, &c.KeyHash, &c.KeyName, &c.Workspace, &c.API, &c.Requested, &c.Session, &c.User, &c.Preset, &c.Referer, &c.Title, &c.UserAgent,
		&c.FinishReason, &c.NativeFinishReason, &c.ResponseCacheSource)
	for i := range c.Attempts {
		a := &c.Attempts[i]
		texts = append(texts, &a.Endpoint, &a.Model, &a.Provider, &a.ProviderName, &a.OwnKey, &a.UpstreamID, &a.Outcome, &a.Reason, &a.ServiceTier, &a.Prices)
	}
	size := 0
	for _, text := range texts {
		size += len(*text)
	}
	var all strings.Builder
	all.Grow(size)
	for _, text := range texts {
		at := all.Len()
		all.WriteString(*text)
		*text = all.String()[at:]
	}
	return c
}

// Cached is the outcome of the attempt that took an answer out of the cache. Its endpoint
// is the one that made the answer, and it costs nothing.
const Cached = "cached"

// Lost is the outcome of an attempt that was under way when the gateway was killed.
const Lost = "lost"

// Attempt is one try at one provider.
type Attempt struct {
	// Number counts from 1; attempts that asked nobody are left out.
	Number int `json:"number"`
	// Endpoint is the endpoint's id, Model the model's, Provider the slug and
	// ProviderName what clients see.
	Endpoint     string `json:"endpoint,omitzero"`
	Model        string `json:"model,omitzero"`
	Provider     string `json:"provider,omitzero"`
	ProviderName string `json:"provider_name,omitzero"`
	// OwnKey is the id of the client's own key that the provider was asked with, "" for
	// the gateway's.
	OwnKey string `json:"own_key,omitzero"`
	// UpstreamID is the provider's own id of the answer, "" if it gave none.
	UpstreamID string `json:"upstream_id,omitzero"`
	// Status is the provider's HTTP status, zero if none came.
	Status int `json:"status,omitzero"`
	// Outcome is "ok", "failed_over", "failed", "cancelled", [Cached] or [Lost]. Reason is the
	// class of a failure.
	Outcome string `json:"outcome,omitzero"`
	Reason  string `json:"reason,omitzero"`
	// Latency runs from the provider's request to the first token, zero if none
	// came; Duration to the end of the attempt.
	Latency  Micros `json:"latency,omitzero"`
	Duration Micros `json:"duration,omitzero"`
	// ServiceTier is the tier that served, "" for the default.
	ServiceTier string `json:"service_tier,omitzero"`
	// Prices identifies the price list that was charged by.
	Prices string `json:"prices,omitzero"`
	// Tokens and Charge are what the provider bills for the attempt; Estimated says
	// that it did not tell.
	Tokens    Tokens `json:"tokens,omitzero"`
	Charge    Charge `json:"charge,omitzero"`
	Estimated bool   `json:"estimated,omitzero"`
}

// Micros is a duration in microseconds.
type Micros int64

// MicrosOf rounds a duration down.
func MicrosOf(d time.Duration) Micros { return Micros(d.Microseconds()) }

// Milliseconds rounds down.
func (m Micros) Milliseconds() int64 { return int64(m) / 1000 }

// Cost is what all attempts cost together: providers bill for answers that a client
// did not wait for, too.
func (g *Generation) Cost() money.USD {
	var sum money.USD
	for i := range g.Attempts {
		sum = sum.Add(g.Attempts[i].Charge.Total)
	}
	return sum
}

// Upstream is what providers bill keys of the client's own for all attempts together.
func (g *Generation) Upstream() money.USD {
	var sum money.USD
	for i := range g.Attempts {
		sum = sum.Add(g.Attempts[i].Charge.Upstream)
	}
	return sum
}

// Merge adds what another record of the same request knows: attempts that g lacks, and
// the truth about those of which g has an estimate. It reports whether that changed
// anything. Of two that ended otherwise, the one that the client was served by counts.
func (g *Generation) Merge(other *Generation) bool {
	changed := false
	for _, attempt := range other.Attempts {
		at := slices.IndexFunc(g.Attempts, func(a Attempt) bool { return a.Number == attempt.Number })
		switch {
		case at < 0:
			g.Attempts = append(g.Attempts, attempt)
		case g.Attempts[at].Outcome == Lost && attempt.Outcome != Lost:
			g.Attempts[at] = attempt
		default:
			continue
		}
		changed = true
	}
	if !changed {
		return false
	}
	slices.SortFunc(g.Attempts, func(a, b Attempt) int { return a.Number - b.Number })
	g.Estimated = slices.ContainsFunc(g.Attempts, func(a Attempt) bool { return a.Estimated })
	g.Cancelled = g.Cancelled && other.Cancelled
	if other.FinishReason != "" {
		g.FinishReason, g.NativeFinishReason = other.FinishReason, other.NativeFinishReason
	}
	return true
}

// Served is the attempt whose answer the client got, or the last one if none.
// Nil is no attempt.
func (g *Generation) Served() *Attempt {
	for i := len(g.Attempts) - 1; i >= 0; i-- {
		if a := &g.Attempts[i]; a.Outcome == "ok" {
			return a
		}
	}
	if len(g.Attempts) == 0 {
		return nil
	}
	return &g.Attempts[len(g.Attempts)-1]
}
