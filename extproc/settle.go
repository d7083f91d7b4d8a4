package extproc

import (
	"net/http"
	"time"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/usage"
)

// outcome gathers what an attempt comes to, for settle.
type outcome struct {
	last      bool // no other candidate is left
	begun     bool // the ledger knows that the provider is to be asked
	accounted bool // the request's record has the attempt
	forwarded bool // the provider was asked
	recalled  bool // the answer came out of the cache
	finished  bool // the client has the whole answer
	cancelled bool // the stream ended under us: the client hung up, or a hedge lost
	moved     bool // the request goes on to the next candidate
	stayed    bool // the conversation's place is noted
	denied    int  // status of a refusal that this attempt's provider did not cause
	failure   *failure
	charge    usage.Charge
}

// outcomeCancelled is the label of what nobody waited for.
const outcomeCancelled = "cancelled"

// label is the outcome's name in metrics and in the access log.
func (o *outcome) label() string {
	switch {
	case o.moved:
		return "failed_over"
	case o.failure != nil, o.denied >= 500:
		return "failed"
	case o.denied != 0:
		return "denied"
	case o.recalled:
		return usage.Cached
	case o.finished:
		return "ok"
	default:
		return outcomeCancelled
	}
}

// settle is the one place where what happened becomes statistics and money. It
// runs exactly once for each attempt, when its gRPC stream ends, for whatever
// reason that was: most SDKs hang up right behind the last event, and a reset
// or a client that went away must cost no more and no less.
//
// Each step stands for itself: a panic in one keeps none of the others from what they
// record and free.
func (a *attempt) settle() {
	label, model, shared := a.outcome.label(), a.modelLabel(), a.shared
	if a.answer.guard != nil {
		a.step("counting findings", func() { a.noteFound(a.answer.guard.found, directionOutput) })
	}
	lost := a.outcome.cancelled && a.outcome.forwarded && !a.answer.committed
	if lost {
		shared.lose(a.number, a.candidate)
	}
	if !a.step("accounting for an attempt", func() { a.account(label) }) {
		a.step("accounting for a request", func() { shared.account(a.generation, a.begun(), "", "") })
	}
	a.step("keeping content", func() { a.keepContent(label) })
	var used quota.Actual
	a.step("counting usage", func() { used = a.used() })
	a.step("settling capacity", func() { a.settleAttempt(used) })
	a.step("ending a request", func() { a.leave(model, label, lost) })
	if shared != nil && (a.outcome.moved || lost) {
		shared.freeLater()
	}
	if !a.outcome.forwarded && a.outcome.failure == nil {
		return
	}
	a.step("counting an attempt", func() { a.tell(model, label) })
	a.step("noting a conversation's place", a.stay)
	a.step("recording statistics", a.record) // last: it may take a while to judge tool calls
}

// step does a part of settling, and reports whether it came to its end.
func (a *attempt) step(what string, do func()) (done bool) {
	defer a.contain(what, &a.requestID)
	do()
	return true
}

// leave ends the attempt's part in its request, and the request with the last of them.
func (a *attempt) leave(model, label string, lost bool) {
	shared := a.shared
	if shared != nil && (a.outcome.moved || lost) {
		shared.keep(&a.upload)
	}
	// The request may outlast the attempt, and must not keep its body.
	server, id := a.Server, a.requestID
	server.requests.leave(id, shared, label, a.outcome.moved || lost, func(ended string) {
		defer server.contain("settling a request", &id)
		server.metrics.requests.WithLabelValues(model, ended).Inc()
		if shared != nil {
			server.settleRequest(shared, ended)
		}
	})
}

// tell counts and logs the attempt.
func (a *attempt) tell(model, label string) {
	endpoint := a.candidate.Endpoint
	provider := endpoint.Provider.Slug
	a.metrics.attempts.WithLabelValues(model, provider, label).Inc()
	if f := a.outcome.failure; f != nil {
		if a.outcome.moved {
			a.metrics.failovers.WithLabelValues(provider, f.class.String()).Inc()
		}
		a.Log.Warn("attempt failed", "request_id", a.requestID, "attempt", a.number, "model", model,
			"provider", provider, "class", f.class.String(), "status", f.status, "failed_over", a.outcome.moved,
			"own_key", a.asked().OwnKey, "details", f.local)
	}
	if a.outcome.forwarded {
		a.metrics.phases.WithLabelValues("request").Observe(a.worked.Seconds())
	}
	if a.answer.first > 0 {
		a.metrics.firstToken.WithLabelValues(model, provider).Observe(a.answer.first.Seconds())
	}
	if used, billed := a.usage(); billed {
		for class, count := range map[string]int64{
			"prompt": used.Prompt, "completion": used.Completion, "reasoning": used.Reasoning,
			"cache_read": used.CacheRead, "cache_write": used.CacheWrite,
		} {
			a.metrics.tokens.WithLabelValues(model, provider, class).Add(float64(count))
		}
		a.metrics.cost.WithLabelValues(model, provider).Add(a.outcome.charge.Total.Float64())
		a.metrics.settled.WithLabelValues(model, provider, label).Inc()
	}
}

// record tells the statistics how the endpoint did. An attempt that nobody waited
// for tells nothing, unless its first token had come.
func (a *attempt) record() {
	sample := health.Sample{EndpointID: a.candidate.StatisticsID(), FirstToken: a.answer.first, Now: time.Now()}
	if f := a.outcome.failure; f != nil {
		sample.Class, sample.Status, sample.RetryAfter = f.class, f.status, f.retryAfter
	} else if a.answer.first == 0 {
		return
	}
	if a.outcome.finished {
		sample.Duration = sample.Now.Sub(a.sent)
		if used, billed := a.usage(); billed && !used.Estimated {
			sample.CompletionTokens = used.Completion
		}
		if a.outcome.failure == nil {
			sample.ToolCalls, sample.InvalidToolCalls = a.toolCalls()
		}
	}
	a.Health.Record(sample)
}

// usage is what the provider will bill for: its own report, or the gateway's
// estimate where an answer was broken off before the report.
func (a *attempt) usage() (dialect.Usage, bool) {
	if a.answer.pipe != nil {
		progress := a.answer.pipe.Progress()
		if progress.HasUsage || progress.Started {
			used := a.answer.pipe.Counted().Usage
			if a.outcome.charge == (usage.Charge{}) {
				a.price(used)
			}
			return used, true
		}
	}
	if !a.unheard() {
		return dialect.Usage{}, false
	}
	read := usage.Tokens{Prompt: a.request.PromptTokens(), Completion: a.unreadTokens(), Images: a.request.Images}
	a.outcome.charge = a.charge(a.candidate.Endpoint, read)
	return dialect.Usage{Prompt: read.Prompt, Completion: read.Completion, Estimated: true}, true
}

// unheard tells of an attempt that nobody waited for long enough to hear of, or whose
// answer the gateway had no room for or cannot read: its provider has the prompt, and most
// bill for what they have read and said.
func (a *attempt) unheard() bool {
	f := a.outcome.failure
	left := a.outcome.cancelled || a.outcome.denied != 0 ||
		f != nil && (f.class == health.Timeout || f.class == health.BadAnswer && a.answer.unread > 0)
	return a.outcome.forwarded && left && a.answer.status < 300
}

// unreadTokens is how much an answer was that came in part, or that nobody can read: as
// if all of it were text, up to the longest that it can have been.
func (a *attempt) unreadTokens() int64 {
	if a.request.OutputModality != "" {
		return 0 // whose bytes tell nothing of tokens
	}
	most, open := a.mostCompletion(&a.candidate)
	if open {
		most = unknownContext
	}
	return min(dialect.Tokens(a.answer.unread), most)
}

// used is what the attempt came to, for limits.
func (a *attempt) used() quota.Actual {
	used, billed := a.usage()
	if !billed {
		return quota.Actual{}
	}
	return quota.Actual{Tokens: used.Prompt + used.Completion, Money: a.outcome.charge.Total, Upstream: a.outcome.charge.Upstream}
}

// metadata is what Envoy's access log says of the attempt. It travels with the
// attempt's last message; an attempt that a client broke off has none.
func (a *attempt) metadata() *structpb.Struct {
	const most = 12
	fields := make(map[string]*structpb.Value, most)
	fields["attempt"] = structpb.NewNumberValue(float64(a.number))
	fields["final"] = structpb.NewBoolValue(!a.outcome.moved)
	// The texts in one piece of memory: this runs for each attempt.
	texts := make([]struct {
		value structpb.Value
		kind  structpb.Value_StringValue
	}, 0, most)
	say := func(name, text string) {
		texts = texts[:len(texts)+1]
		said := &texts[len(texts)-1]
		said.kind.StringValue, said.value.Kind = text, &said.kind
		fields[name] = &said.value
	}
	say("request_id", a.requestID)
	say("outcome", a.outcome.label())
	if a.key != nil {
		say("key", a.key.Name)
	}
	if a.outcome.forwarded || a.outcome.recalled {
		say("generation_id", a.generationID())
		say("model", a.candidate.Model.ID)
		say("provider", a.candidate.Endpoint.Provider.Slug)
	}
	if f := a.outcome.failure; f != nil {
		say("reason", f.class.String())
	}
	if used, billed := a.usage(); billed {
		fields["prompt_tokens"] = structpb.NewNumberValue(float64(used.Prompt))
		fields["completion_tokens"] = structpb.NewNumberValue(float64(used.Completion))
		say("cost", a.outcome.charge.Total.String())
	}
	return &structpb.Struct{Fields: map[string]*structpb.Value{
		metadataNamespace: structpb.NewStructValue(&structpb.Struct{Fields: fields}),
	}}
}

// modelLabel is a configured model's id. What a client merely asks for never
// becomes a label: it would let anyone grow the metrics without bound.
func (a *attempt) modelLabel() string {
	if a.candidate.Model == nil {
		return "none"
	}
	if a.candidate.Model.OnDemand {
		return a.candidate.Endpoint.Provider.Slug + "/*"
	}
	return a.candidate.Model.ID
}

func tokens(u dialect.Usage) usage.Tokens {
	return usage.Tokens{
		Prompt: u.Prompt, Completion: u.Completion, Reasoning: u.Reasoning,
		CacheRead: u.CacheRead, CacheWrite: u.CacheWrite, CacheWrite1h: u.CacheWrite1h,
		AudioPrompt: u.AudioPrompt, AudioCompletion: u.AudioCompletion, ImageCompletion: u.Images,
		ImagePrompt: u.ImagePrompt, GeneratedImages: u.GeneratedImages,
		Characters: u.Characters, Seconds: u.Seconds,
		SearchUnits: u.SearchUnits,
		WebSearches: u.WebSearches,
	}
}

// refuse ends an attempt that failed: it moves the request on to the next
// candidate, or tells the client, in the response or inside the stream.
func (a *attempt) refuse(err error) error {
	failed, told := a.explain(err)
	if failed == nil {
		a.outcome.denied = told.Status
		if a.answer.committed {
			return a.failInBand(told)
		}
		return a.answerError(told, "")
	}
	a.outcome.failure = failed
	a.noteLost()
	a.shared.remember(a.candidate, failed)
	model := a.candidate.Model.ID
	elsewhere := failed.refusal != nil || a.shared.otherModelLeft(model)
	switch judge(failed.class, a.answer.committed, a.lastHope(), elsewhere, a.rules.stopOn) {
	case next:
		a.outcome.moved = true
		a.account(a.outcome.label()) // the next attempt asks what this one was billed
		if failed.class == health.BadRequest && failed.refusal == nil {
			a.shared.passOver(model)
		}
		return a.answerError(a.withMetadata(a.failed()), failed.class.String())
	case inBand:
		return a.failInBand(a.withMetadata(a.failed()))
	default:
		if failed.class == health.BadRequest && failed.refusal == nil {
			return a.answerError(a.withMetadata(a.rejected(failed)), "")
		}
		told := a.withMetadata(a.failed())
		if failed.refusal != nil && told.Status < http.StatusInternalServerError {
			a.outcome.failure, a.outcome.denied = nil, told.Status // no provider has failed
		}
		return a.answerError(told, "")
	}
}

// failInBand tells a client that has part of the answer, inside of it.
func (a *attempt) failInBand(told *dialect.Error) error {
	if a.answer.bytes {
		return errCut
	}
	a.answer.out = a.answer.pipe.Fail(a.answer.out, told)
	_ = a.flush(true) // the client may be gone; there is nobody to report that to
	return nil
}
