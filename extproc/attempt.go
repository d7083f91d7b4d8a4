package extproc

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/tokenizer"
	"github.com/switchyard/switchyard/policies/guard"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/routing"
)

// attempt is one try at one provider, on one gRPC stream. It runs on the
// stream's own goroutine.
type attempt struct {
	*Server
	policy   *Policy
	stream   extprocv3.ExternalProcessor_ProcessServer
	incoming <-chan *extprocv3.ProcessingRequest // nil until something has to wait for a deadline too
	began    time.Time

	headers   map[string]string // of the client's request
	requestID string
	number    int       // of this attempt, from 1
	started   time.Time // when the client's request reached Envoy
	generated string    // the generation id, once somebody has asked
	client    dialect.Client
	key       *identity.Key
	request   *dialect.Request
	toKeep    *dialect.Request // the request before it is adapted, for what is kept of it
	session   string           // what the client calls its session, or ""
	head      []string         // names and values of headers that the client's dialect reads
	merged    *dialect.Preset  // the preset that is part of the request, or nil
	upload    share            // what the client's body takes of memory
	shared    *request         // what attempts at the same request know of each other
	uploaded  bool             // the client's request has come to its end
	trailers  bool             // the client's body ends with trailers

	guarded   guard.Findings // what guardrails found in the request
	rules     rules          // for retries and hedges, of the model asked for
	plan      routing.Plan
	candidate routing.Candidate
	provider  dialect.Provider
	capacity  *quota.Reservation       // of the limits of its model and its provider
	unsaid    []string                 // fields of the client's that the provider does not get
	pipeline  []pipelineStage          // what plugins did
	files     []dialect.FileAnnotation // that the provider gets as text
	proof     []dialect.Header         // what a signer added to the provider's request
	sent      time.Time                // when the provider's request was handed to Envoy
	arrived   time.Time                // the client's last byte
	worked    time.Duration            // from the client's last byte to sent, without fetched
	fetched   time.Duration            // spent on fetching what the client named by URL, and on reading it
	caching   caching
	answer    answer
	outcome   outcome
}

var (
	// errEnded: the stream is over. Nothing can be said to anyone any more.
	errEnded = errors.New("extproc: stream ended")
	// errAnswered: the client has its answer, and no provider was needed.
	errAnswered = errors.New("extproc: answered")
	// errDeadline: the message did not come in time.
	errDeadline = errors.New("extproc: deadline passed")
	// errCut ends the gRPC stream, and with it the client's connection.
	errCut = errors.New("extproc: answer broken off")
)

// run takes the attempt from its first header to its last byte. Every step
// either goes on, or returns the failure that ends the attempt.
func (a *attempt) run() error {
	err := a.admit() // who asks, and may they?
	if err == nil {
		err = a.awaitTurn() // is it time?
	}
	if err == nil {
		err = a.read() // what do they ask?
	}
	if err == nil {
		err = a.answerItself() // is a provider needed?
	}
	if err == nil {
		err = a.guardRequest() // may they say that?
	}
	if err == nil {
		err = a.recall() // was it answered before?
	}
	if err == nil {
		err = a.choose() // who shall answer?
	}
	if err == nil {
		err = a.adapt() // what do they not understand?
	}
	if err == nil {
		a.compress()     // what do they have no room for?
		err = a.inline() // what do they not fetch themselves?
	}
	if err == nil {
		err = a.forward() // ask them
	}
	if err == nil {
		err = a.await() // have they taken it?
	}
	if err == nil {
		err = a.relay() // pass their answer on
	}
	switch {
	case errors.Is(err, errAnswered):
		return nil
	case errors.Is(err, errEnded):
		a.outcome.cancelled = true
		return nil
	case err != nil:
		return a.refuse(err)
	}
	return nil
}

// listen returns the channel of Envoy's messages. From the first call on, nothing but the
// channel may be read.
func (a *attempt) listen() <-chan *extprocv3.ProcessingRequest {
	if a.incoming == nil {
		a.incoming = receive(a.stream.Context(), a.stream)
	}
	return a.incoming
}

// next waits for Envoy's next message. No deadline is nil.
func (a *attempt) next(deadline <-chan time.Time) (*extprocv3.ProcessingRequest, error) {
	if deadline == nil && a.incoming == nil {
		message, err := a.stream.Recv()
		if err != nil {
			return nil, errEnded
		}
		return message, nil
	}
	select {
	case message, open := <-a.listen():
		if !open {
			return nil, errEnded
		}
		return message, nil
	case <-deadline:
		return nil, errDeadline
	}
}

// admit reads the request's headers and turns away who may not ask, before any
// of the body is read.
func (a *attempt) admit() error {
	message, err := a.next(nil)
	if err != nil {
		return err
	}
	headers := message.GetRequestHeaders()
	if headers == nil {
		return fmt.Errorf("extproc: first message is %T, not request headers", message.GetRequest())
	}
	h := readHeaders(headers)
	a.uploaded = headers.GetEndOfStream()
	a.requestID = h["x-request-id"]
	a.number = max(1, atoi(h["x-envoy-attempt-count"]))
	a.started = startTime(h[headerStart], a.began)
	path, query, _ := strings.Cut(h[":path"], "?")
	client, known := a.Clients.At(path)
	if !known {
		return fmt.Errorf("extproc: path %q is routed here but no dialect is registered for it", path)
	}
	a.client = client
	a.shared = a.requests.enter(a.requestID, a.number)

	apiKey := cmp.Or(h["x-api-key"], h["x-goog-api-key"])
	if a.key, err = a.policy.Keys.Authenticate(h["authorization"], apiKey, a.began); err != nil {
		return unauthenticated(err, query)
	}
	if err := a.key.CheckAddress(h[headerClient]); err != nil {
		return unauthenticated(err, query)
	}
	if a.key.Management() {
		return managesOnly()
	}
	if a.policy.Keys.Open() && fromForeignPage(h["origin"]) {
		return &dialect.Error{Status: 403, Type: "permission_denied", Message: "A gateway without keys does not serve web pages from elsewhere. Make a key: switchyard keys create."}
	}
	if err := a.checkLimits(); err != nil {
		return err
	}
	if length, err := strconv.ParseInt(h["content-length"], 10, 64); err == nil && length > a.policy.MaxRequestBytes {
		return tooLarge(a.policy.MaxRequestBytes)
	}
	a.headers = h
	if reader, ok := client.(dialect.HeadReader); ok {
		head := dialect.Head{Path: path, Query: query, Header: func(name string) string {
			a.head = append(a.head, name, h[name])
			return h[name]
		}}
		if client, err = reader.ReadHead(head); err != nil {
			return err
		}
		a.client = client
	}
	return nil
}

// eagerly is how many times the first piece of a body memory is taken for the rest.
const eagerly = 8

// read takes in the whole body. Nothing of it is kept for the next attempt:
// Envoy replays it.
func (a *attempt) read() error {
	if a.uploaded {
		return a.parse(nil)
	}
	var body []byte
	length := atoi(a.headers["content-length"])
	for {
		message, err := a.next(nil)
		if err != nil {
			return err
		}
		if message.GetRequestTrailers() != nil {
			a.trailers = true
			break
		}
		piece := message.GetRequestBody()
		a.uploaded = piece.GetEndOfStream()
		if int64(len(body)+len(piece.GetBody())) > a.policy.MaxRequestBytes {
			return tooLarge(a.policy.MaxRequestBytes)
		}
		if err := a.hold("requests", &a.upload, len(piece.GetBody()), a.policy.MaxHeldRequests); err != nil {
			return err
		}
		if body == nil {
			// What a client declares costs in proportion to what of it has come.
			body = make([]byte, 0, max(len(piece.GetBody()), min(length, eagerly*len(piece.GetBody()))))
		}
		body = append(body, piece.GetBody()...)
		if a.uploaded {
			break
		}
	}
	a.arrived, a.uploaded = time.Now(), true
	return a.parse(body)
}

// answerItself answers what needs no provider, such as a count of tokens.
func (a *attempt) answerItself() error {
	answerer, ok := a.client.(dialect.Answerer)
	if !ok {
		return nil
	}
	body, answered := answerer.Answer(a.request.WithTokenizer(tokenizer.For(a.request.Model)))
	if !answered {
		return nil
	}
	a.outcome.finished = true
	a.sendLocal(http.StatusOK, body, a.crossOrigin())
	return errAnswered
}

// choose plans the request, or takes up the plan that its first attempt made,
// and picks this attempt's candidate.
func (a *attempt) choose() error {
	var err error
	if a.plan, err = a.shared.planOnce(a.makePlan); err != nil {
		return a.unroutable(err)
	}
	if err := a.reserveMore(); err != nil {
		return err
	}
	for {
		candidate, last, ok := a.shared.take(a.rules.hedgeAfter)
		if !ok {
			return a.exhausted()
		}
		if denial := a.reserveAttempt(&candidate); denial != nil {
			a.metrics.denials.WithLabelValues(kindOf(denial), denial.Claim.Measure.String()).Inc()
			a.shared.remember(candidate, a.full(&candidate, denial))
			continue
		}
		a.candidate, a.outcome.last = candidate, last
		break
	}
	a.noteLost()
	a.provider = a.Providers[a.candidate.Endpoint.Provider.Dialect]
	if a.provider == nil {
		return fmt.Errorf("extproc: no provider dialect %q", a.candidate.Endpoint.Provider.Dialect)
	}
	return nil
}

// noteLost makes failures of earlier attempts whose provider reset the
// connection: those ended without a word.
func (a *attempt) noteLost() {
	for _, candidate := range a.shared.takeLost(a.number) {
		f := &failure{class: health.Connect, status: 502, message: "The connection to the provider was lost before it answered."}
		a.shared.remember(candidate, f)
		a.Health.Record(health.Sample{EndpointID: candidate.StatisticsID(), Class: f.class, Status: f.status, Now: time.Now()})
		a.metrics.failovers.WithLabelValues(candidate.Endpoint.Provider.Slug, f.class.String()).Inc()
	}
}

// lastHope tells whether the request is lost if this attempt fails: no candidate
// is left, and no other attempt is at work.
func (a *attempt) lastHope() bool { return a.outcome.last && a.shared.only() }

// exhausted answers an attempt beyond the plan: the outer router starts one when
// the last candidate's connection was reset, and while hedging although earlier
// attempts are still under way. It waits for those, and speaks only when all
// have failed.
func (a *attempt) exhausted() error {
	a.shared.wait()
	defer a.shared.resume()
	for {
		working := a.shared.working()
		if working == nil {
			a.noteLost()
			return errExhausted
		}
		select {
		case <-working:
		case _, open := <-a.listen():
			if !open {
				return errEnded
			}
		}
	}
}
