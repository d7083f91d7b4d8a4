package extproc

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/policies/cache"
	"github.com/switchyard/switchyard/policies/routing"
	"github.com/switchyard/switchyard/policies/usage"
)

// caching is what an attempt has to do with the cache of answers.
type caching struct {
	wish   cache.Wish
	marks  dialect.Marks
	key    cache.Key
	answer []byte       // that the client gets, so far
	tooBig bool         // it will not be kept
	entry  *cache.Entry // the answer is this one
}

// source is the generation whose answer is given once more, or "".
func (c *caching) source() string {
	if c.entry == nil {
		return ""
	}
	return c.entry.SourceID
}

// recall answers a request that was answered before (spec section 4.8), if its client or
// its preset asks for that. Only the first attempt looks: what another request puts there
// meanwhile is not for a request that is under way.
func (a *attempt) recall() error {
	replayer, ok := a.client.(dialect.Replayer)
	if !ok || a.policy.MaxCacheEntry == 0 {
		return nil
	}
	wish, err := a.said().Wish()
	if err != nil {
		return &dialect.Error{Status: http.StatusBadRequest, Type: "invalid_request", Message: err.Error()}
	}
	if !wish.Enabled || a.keepsNothing() || a.echoer() != nil { // out of the cache there is nothing to echo
		return nil
	}
	c := &a.caching
	c.wish, c.marks = wish, replayer.Marks()
	c.key = cache.NewKey(a.key.Hash, a.request.Raw, slices.Concat([]string{a.headers[":path"]}, a.head, a.outputRules())...)
	if a.number != 1 {
		return nil
	}
	now := time.Now()
	if wish.Refresh {
		a.Cache.Delete(a.stream.Context(), c.key, now)
		a.metrics.caching.WithLabelValues("refresh").Inc()
		return nil
	}
	entry, known := a.Cache.Get(a.stream.Context(), c.key, now)
	if known {
		// Whoever may not be asked any more may not answer either: the policy, the catalog
		// and the prices may have changed since.
		var candidate routing.Candidate
		if candidate, known = a.policy.admits(Asked{Request: a.request, Key: a.key, Seed: seedOf(a.requestID), Now: now}, a.Health, entry.EndpointID); known {
			a.candidate = candidate
			return a.replay(entry, now)
		}
	}
	a.metrics.caching.WithLabelValues("miss").Inc()
	return nil
}

// outputRules tell answers apart that were searched for other things.
func (a *attempt) outputRules() []string {
	var rules []string
	for _, rule := range a.policy.GuardOf(a.key).Rules.Output {
		rules = append(rules, rule.Entity, rule.Action.String(), rule.Label)
	}
	return rules
}

// said is what the request says of the cache.
func (a *attempt) said() *cache.Said {
	said := &cache.Said{
		Cache: a.headers["x-openrouter-cache"], TTL: a.headers["x-openrouter-cache-ttl"], Clear: a.headers["x-openrouter-cache-clear"],
	}
	if a.merged == nil {
		return said
	}
	if enabled := rawjson.Get(a.merged.Config, "cache_enabled"); rawjson.Kind(enabled) == 't' || rawjson.Kind(enabled) == 'f' {
		said.Preset = rawjson.Optional(rawjson.True(enabled), true)
	}
	said.PresetTTL = rawjson.Optional(rawjson.Int(rawjson.Get(a.merged.Config, "cache_ttl_seconds")))
	return said
}

// keepsNothing tells whether zero data retention is required, which the gateway's own
// memory is not exempt from.
func (a *attempt) keepsNothing() bool {
	for _, constraints := range slices.Concat(a.policy.Constraints(a.key), a.policy.GuardOf(a.key).Constraints) {
		if constraints != nil && (constraints.ZDR || len(constraints.ZDRAuthors) > 0) {
			return true
		}
	}
	preferences, err := routing.ParsePreferences(a.request.Provider, a.request.Plugins, a.request.Transforms, a.request.Route)
	return err != nil || preferences.ZDR // the plan will say what is wrong
}

// replay gives an answer once more. A request of the key's limit is used up, and nothing
// else is.
func (a *attempt) replay(entry *cache.Entry, now time.Time) error {
	if err := a.reserveRequest(); err != nil {
		return err
	}
	a.metrics.caching.WithLabelValues("hit").Inc()
	a.caching.entry = entry
	stream := entry.MediaType == eventStream
	body := dialect.Replay(nil, a.caching.marks, dialect.Again{ID: a.generationID(), SourceID: entry.SourceID, Now: a.started}, entry.Body, stream)
	if entry.BoundReasoning && a.policy.StickyFor > 0 {
		a.tie(true) // the conversation goes on where its reasoning can be read
	}
	a.outcome.finished, a.outcome.recalled = true, true
	record := a.asked()
	record.Outcome, record.Prices = usage.Cached, ""
	record.Latency = usage.MicrosOf(time.Since(a.started))
	record.Duration = record.Latency
	a.shared.account(a.generation, record, entry.FinishReason, entry.NativeFinishReason)

	headers := append(a.crossOrigin(), []dialect.Header{
		{Name: "x-generation-id", Value: a.generationID()},
		{Name: "x-provider-name", Value: a.candidate.Endpoint.Provider.Name},
		{Name: "content-type", Value: entry.MediaType},
		{Name: "x-openrouter-cache-status", Value: "HIT"},
		{Name: "x-openrouter-cache-age", Value: wholeSeconds(entry.Age(now))},
		{Name: "x-openrouter-cache-ttl", Value: wholeSeconds(entry.Left(now))},
		{Name: "x-openrouter-cache-source-id", Value: entry.SourceID},
	}...)
	if stream {
		headers = append(headers, dialect.Header{Name: "cache-control", Value: "no-cache"})
	}
	a.sendAtOnce(http.StatusOK, body, headers)
	return errAnswered
}

// missed are the headers of an answer that the cache was asked for and had not.
func (a *attempt) missed() []dialect.Header {
	if !a.caching.wish.Enabled {
		return nil
	}
	return []dialect.Header{
		{Name: "x-openrouter-cache-status", Value: "MISS"},
		{Name: "x-openrouter-cache-ttl", Value: wholeSeconds(a.caching.wish.TimeToLive)},
	}
}

func wholeSeconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// capture notes a piece of the answer that the client gets. Comments are none.
func (a *attempt) capture(piece []byte) {
	c := &a.caching
	if !c.wish.Enabled || c.tooBig || len(piece) == 0 {
		return
	}
	// What there is no room for is not kept; the client gets it all the same.
	if int64(len(c.answer)+len(piece)) > a.policy.MaxCacheEntry || !a.answer.held.growAtOnce(int64(len(piece)), a.policy.MaxHeldAnswers) {
		c.answer, c.tooBig = nil, true
		return
	}
	c.answer = append(c.answer, piece...)
}

// keep puts an answer into the cache that ended well. It runs when nothing is left to come
// of it and before the client has its end: the client's next request may be the same.
func (a *attempt) keep() {
	c := &a.caching
	if len(c.answer) == 0 || a.Policy().MaxCacheEntry == 0 { // which may have been turned off meanwhile
		return
	}
	progress := a.answer.pipe.Progress()
	converses := a.request.OutputModality == ""
	if !progress.Started || progress.Empty || progress.FinishReason == "error" || converses && progress.FinishReason == "" {
		return
	}
	a.Cache.Put(a.stream.Context(), c.key, &cache.Entry{
		SourceID: a.generationID(), EndpointID: a.candidate.Endpoint.ID,
		MediaType:    a.mediaType(),
		FinishReason: progress.FinishReason, NativeFinishReason: word(progress.NativeFinishReason),
		BoundReasoning: progress.BoundReasoning,
		Stored:         time.UnixMilli(time.Now().UnixMilli()), TimeToLive: c.wish.TimeToLive,
		Body: bytes.Clone(c.answer), // without what it could grow by
	})
}
