package extproc

import (
	"cmp"
	"errors"
	"strconv"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/policies/byok"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/usage"
)

// answer is a provider's answer on its way to the client.
type answer struct {
	status  int
	headers map[string]string // of the provider; none reaches the client
	events  events            // nil if the answer is no stream
	ended   bool              // the provider has sent its last byte

	held      share // what an answer that is no stream, or is to be kept, takes of memory
	unread    int64 // bytes of such an answer that nobody has made sense of; none of what is no JSON
	pipe      dialect.Ender
	guard     *answerGuard  // nil if no rules hold for the answer
	mediaType string        // that the client is told of an answer that is no stream
	bytes     bool          // the answer has no place for an error: it passes as it comes
	lead      []byte        // goes before all that is translated, nil once it is sent
	out       []byte        // translated, not yet sent
	committed bool          // the client has the response headers
	first     time.Duration // until the first token; zero before it
	spoken    bool          // some of the provider's body has come
	doubted   bool          // the log knows that the provider claims too much
	uncounted bool          // the end is told although the provider has not counted the answer
	withheld  bool          // the answer goes on, and the client has not got a byte since
}

const (
	// largestAnswer bounds an answer that is not a stream: it is held until it
	// has proved to be whole.
	largestAnswer = 64 << 20
	// largestHeld bounds what is held of a stream before its first token.
	largestHeld = 1 << 20
	// lastBytes is how long a provider may keep its connection open after its
	// last word, or let wait for what only counts tokens. Some never close it, some
	// never count.
	lastBytes = time.Second
)

// relay passes the provider's answer to the client.
func (a *attempt) relay() error {
	endpoint := a.candidate.Endpoint
	meta := dialect.Meta{
		ID:       a.generationID(),
		Model:    a.candidate.Model.ID,
		Provider: endpoint.Provider.Name,
		Endpoint: endpointName(&a.candidate),
		Created:  a.started.Unix(),
		Price:    a.price,
		Files:    a.files,

		Completed: func() int64 { return time.Now().Unix() },

		RouterMetadata: a.routerMetadata(),
		ServiceTier:    endpoint.ServiceTier,
	}
	a.answer.lead, meta.Preceding = a.echoes(meta)
	pipe := a.newPipe(meta)
	a.answer.pipe = believed{Pipe: pipe, attempt: a}
	if a.request.Stream && a.answer.events != nil {
		return a.relayStream()
	}
	if opaque, ok := pipe.(dialect.Opaque); ok {
		a.answer.mediaType, a.answer.bytes = opaque.Open(a.answer.headers["content-type"])
		if a.answer.bytes {
			return a.relayBytes(opaque)
		}
	}
	return a.relayWhole()
}

func (a *attempt) price(u dialect.Usage) dialect.Cost {
	used := tokens(a.believe(u))
	used.Images = a.request.Images
	cost := a.charge(a.billed(), used)
	a.outcome.charge = cost
	return dialect.Cost{
		Total: cost.Total.String(), Prompt: cost.Prompt.String(), Completion: cost.Completion.String(),
		OwnKey: a.candidate.OwnKey != nil, Upstream: cost.Upstream.String(),
	}
}

// charge is what the client is charged for what was used: the list price, or the fee where
// the provider bills a key of the client's own (spec section 10).
func (a *attempt) charge(endpoint *catalog.Endpoint, used usage.Tokens) usage.Charge {
	cost := usage.Cost(endpoint.Prices, used, a.started)
	if a.candidate.OwnKey != nil {
		cost = cost.Own(a.ownKeyFee().Of)
	}
	return cost
}

// billed is the endpoint whose prices hold. A provider may serve a request for a tier
// by its default one, and bills that (spec section 2.6, row 132).
func (a *attempt) billed() *catalog.Endpoint {
	asked := a.candidate.Endpoint
	if usual := defaultTierOf(asked); usual != nil && a.answer.pipe.Progress().ServiceTier == "default" {
		return usual
	}
	return asked
}

// ownKeyFee is what an answer to the caller's own key costs.
func (a *attempt) ownKeyFee() byok.Fee { return a.policy.OwnKeyFee.For(a.key.Organization) }

// relayWhole holds the whole answer: until its last byte it may prove to be no
// answer at all, and another provider can still give one.
func (a *attempt) relayWhole() error {
	var body []byte
	wait := time.NewTimer(a.candidate.Endpoint.Provider.Timeouts.BetweenTokens)
	defer wait.Stop()
	for !a.answer.ended {
		message, err := a.next(wait.C)
		if errors.Is(err, errDeadline) {
			return &failure{class: health.Timeout, status: 504, message: "The provider stopped in the middle of its answer."}
		}
		if err != nil {
			return err
		}
		piece := message.GetResponseBody().GetBody()
		if len(body)+len(piece) > largestAnswer {
			return &failure{class: health.BadAnswer, status: 502, message: "The provider's answer is larger than 64 MiB."}
		}
		if err := a.hold("answers", &a.answer.held, len(piece), a.policy.MaxHeldAnswers); err != nil {
			return err
		}
		body = append(body, piece...)
		if rawjson.Kind(body) == '{' && a.request.OutputModality != "image" { // of which all is billed, or nothing
			a.answer.unread = int64(len(body))
		}
		a.answer.ended = message.GetResponseBody().GetEndOfStream() || message.GetResponseTrailers() != nil
		wait.Reset(a.candidate.Endpoint.Provider.Timeouts.BetweenTokens)
	}
	out, err := a.answer.pipe.Whole(nil, body)
	if err == nil || rawjson.Validate(body) == nil {
		a.answer.unread = 0 // what is whole and yet no answer, such as an error, is not billed
	}
	if err != nil {
		return a.streamFailure(err)
	}
	if progress := a.answer.pipe.Progress(); progress.Empty && !a.lastHope() {
		return emptyAnswer()
	}
	a.answer.first = time.Since(a.sent)
	a.answer.out = a.heal(out)
	a.noteAnswer()
	a.capture(a.answer.out)
	a.keep()
	return a.flush(true)
}

// relayStream holds the stream until its first real event, then passes each
// event on as it comes. Once the client has a byte there is no way back: from
// then on a failure is told inside the stream.
func (a *attempt) relayStream() error {
	timeouts := a.candidate.Endpoint.Provider.Timeouts
	limit := time.NewTimer(max(0, timeouts.FirstToken-time.Since(a.sent)))
	defer limit.Stop()
	keepAlive := time.NewTicker(a.policy.KeepAliveInterval)
	defer keepAlive.Stop()

	ending := false
	var overdue <-chan time.Time // for when the end is told although its count has not come
	for !a.answer.ended && !a.answer.pipe.Progress().Done {
		select {
		case <-keepAlive.C:
			if !a.mayComment() {
				continue
			}
			// What has come before the first token stays held: a comment goes first.
			held := a.answer.out
			a.answer.out = a.answer.pipe.Comment(nil, a.policy.KeepAliveComment)
			if err := a.flush(false); err != nil {
				return err
			}
			a.answer.out = held
		case <-overdue:
			a.answer.uncounted = true
			if err := a.flush(false); err != nil {
				return err
			}
		case <-limit.C:
			if ending || a.answer.pipe.Progress().FinishReason != "" {
				return a.finishStream() // all is said but the dialect's last word
			}
			return a.stalled()
		case message, open := <-a.listen():
			if !open {
				return errEnded
			}
			steps, first := a.answer.pipe.Progress().Steps, a.answer.first
			if err := a.translate(message); err != nil {
				return a.streamFailure(err)
			}
			// What the client gets tells nothing of the provider's pace: the arguments of a
			// call may be held until they are whole, and reasoning may be hidden.
			moved := a.answer.pipe.Progress().Steps != steps || a.answer.first != first
			if a.answer.first == 0 && len(a.answer.out) > largestHeld {
				return &failure{class: health.BadAnswer, status: 502, message: "The provider's answer has no content in its first megabyte."}
			}
			if a.answer.first > 0 {
				a.answer.withheld = a.answer.withheld || moved
				switch {
				case !a.awaitsCount():
					if err := a.flush(false); err != nil {
						return err
					}
				case overdue == nil:
					overdue = time.After(lastBytes)
				}
			}
			// Behind the flush: it may have waited for a slow client, and that is
			// not the provider's silence.
			switch {
			case ending:
			case a.answer.pipe.Progress().Ending:
				ending = true
				limit.Reset(lastBytes)
			case moved && a.answer.first > 0:
				limit.Reset(timeouts.BetweenTokens)
			}
		}
	}
	return a.finishStream()
}

// awaitsCount tells whether the end of an answer is held until its provider has counted
// it. Many clients hang up on a finish reason, and Envoy then resets the provider's stream:
// what it thought unseen would never be counted. Of several choices others may go on.
func (a *attempt) awaitsCount() bool {
	progress := a.answer.pipe.Progress()
	return progress.FinishReason != "" && !progress.Done && !progress.HasUsage && !a.answer.uncounted && a.request.Choices <= 1
}

// relayBytes passes on an answer that is neither JSON nor events as it comes. Once the
// client has a byte, all that is left for a failure is to cut the connection.
func (a *attempt) relayBytes(pipe dialect.Opaque) error {
	timeouts := a.candidate.Endpoint.Provider.Timeouts
	limit := time.NewTimer(max(0, timeouts.FirstToken-time.Since(a.sent)))
	defer limit.Stop()
	for !a.answer.ended {
		message, err := a.next(limit.C)
		if errors.Is(err, errDeadline) {
			return a.stalled()
		}
		if err != nil {
			return err
		}
		piece := message.GetResponseBody()
		a.answer.ended = piece.GetEndOfStream() || message.GetResponseTrailers() != nil
		if a.answer.out, err = pipe.Bytes(a.answer.out, piece.GetBody(), a.answer.ended); err != nil {
			return a.streamFailure(err)
		}
		a.noteFirst()
		if a.answer.first == 0 || a.answer.ended {
			continue
		}
		if err := a.flush(false); err != nil {
			return err
		}
		limit.Reset(timeouts.BetweenTokens)
	}
	if a.answer.first == 0 {
		return emptyAnswer()
	}
	a.noteAnswer()
	return a.flush(true)
}

// mayComment tells whether the client may be told that the gateway is alive. In the
// middle of an answer that is for what goes on and is withheld. Before the answer it
// commits the answer, so nobody else must be left to turn to; and Envoy takes no
// body before it has sent the processor some of the provider's: it resets the
// stream (measured on 1.40.0). Until the first comment is due even the last
// candidate's headers are held: a quick failure keeps its true status.
func (a *attempt) mayComment() bool {
	if a.answer.first > 0 {
		return a.answer.withheld
	}
	if !a.answer.spoken {
		return false
	}
	return a.answer.committed || a.lastHope()
}

// translate runs the provider's bytes through the pipe.
func (a *attempt) translate(message *extprocv3.ProcessingRequest) error {
	piece := message.GetResponseBody()
	a.answer.ended = piece.GetEndOfStream() || message.GetResponseTrailers() != nil
	a.answer.spoken = true
	a.answer.events.Feed(piece.GetBody())
	if a.answer.ended {
		a.answer.events.End()
	}
	before := len(a.answer.out)
	defer func() {
		a.noteFirst()
		a.capture(a.answer.out[before:])
	}()
	for {
		event, ok, err := a.answer.events.Next()
		if err != nil || !ok {
			return err
		}
		if a.answer.out, err = a.answer.pipe.Event(a.answer.out, event); err != nil {
			return err
		}
		if a.answer.pipe.Progress().Done {
			return nil
		}
	}
}

// noteFirst notes when the first token came.
func (a *attempt) noteFirst() {
	if a.answer.first == 0 && a.answer.pipe.Progress().Started {
		a.answer.first = time.Since(a.sent)
	}
}

// stalled ends a stream that has been silent for too long.
func (a *attempt) stalled() error {
	if a.answer.first == 0 {
		return &failure{class: health.Timeout, status: 504, message: "The provider sent no first token in time."}
	}
	return &failure{class: health.Timeout, status: 504, message: "The provider stopped in the middle of its answer."}
}

// finishStream judges a stream whose provider has said all that it will say.
func (a *attempt) finishStream() error {
	progress := a.answer.pipe.Progress()
	if !progress.Done && progress.FinishReason == "" {
		return &failure{class: health.BadAnswer, status: 502, message: "The provider broke off its answer."}
	}
	if progress.Empty && !a.lastHope() {
		return emptyAnswer()
	}
	before := len(a.answer.out)
	var err error
	if a.answer.out, err = a.answer.pipe.End(a.answer.out); err != nil {
		return a.streamFailure(err)
	}
	a.answer.out = a.answer.pipe.Finish(a.answer.out)
	a.capture(a.answer.out[before:])
	a.noteAnswer()
	a.keep()
	if err := a.flush(false); err != nil {
		return err
	}
	a.stay()
	a.drain()
	return a.flush(true)
}

// drain waits for the end of a provider's body behind its last word, so that
// Envoy can use the connection again.
func (a *attempt) drain() {
	deadline := time.NewTimer(lastBytes)
	defer deadline.Stop()
	for !a.answer.ended {
		message, err := a.next(deadline.C)
		if err != nil {
			return
		}
		a.answer.ended = message.GetResponseBody().GetEndOfStream() || message.GetResponseTrailers() != nil
	}
}

// flush sends what is translated, behind the response headers if the client
// does not have them yet.
func (a *attempt) flush(end bool) error {
	if !a.answer.committed {
		if err := a.stream.Send(responseHeaders(a.answer.headers, a.clientHeaders(end))); err != nil {
			return errEnded
		}
		a.answer.committed = true
	}
	if a.answer.lead != nil {
		a.answer.out, a.answer.lead = append(a.answer.lead, a.answer.out...), nil
	}
	if end {
		a.outcome.finished = true
	}
	if len(a.answer.out) > 0 || end {
		a.answer.withheld = false
		err := pieces(a.answer.out, end, func(piece []byte, last bool) error {
			message := responseBody(piece, last)
			if last {
				message.DynamicMetadata = a.metadata()
			}
			return a.stream.Send(message)
		})
		if err != nil {
			return errEnded
		}
	}
	a.answer.out = a.answer.out[:0]
	return nil
}

// clientHeaders are all the headers of the client's response: none of the
// provider's own gets through.
func (a *attempt) clientHeaders(whole bool) []dialect.Header {
	headers := []dialect.Header{
		{Name: ":status", Value: "200"},
		{Name: "x-generation-id", Value: a.generationID()},
		{Name: "x-provider-name", Value: a.candidate.Endpoint.Provider.Name},
	}
	headers = append(headers, a.crossOrigin()...)
	headers = append(headers, a.missed()...)
	headers = append(headers, dialect.Header{Name: "content-type", Value: a.mediaType()})
	if a.mediaType() == eventStream {
		return append(headers, dialect.Header{Name: "cache-control", Value: "no-cache"})
	}
	if whole {
		headers = append(headers, dialect.Header{Name: "content-length", Value: strconv.Itoa(len(a.answer.out))})
	}
	return headers
}

const eventStream = "text/event-stream"

// mediaType is what the client is told that the answer is.
func (a *attempt) mediaType() string {
	if a.request.Stream && !a.answer.bytes {
		return eventStream
	}
	return cmp.Or(a.answer.mediaType, "application/json")
}
