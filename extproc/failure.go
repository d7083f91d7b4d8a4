package extproc

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/routing"
)

// failure is an attempt that came to nothing through its provider.
type failure struct {
	class  health.Class
	status int // the provider's own, or the nearest one
	// message is for the client's eyes.
	message string
	// code and raw are the provider's own words, possibly empty.
	code, raw string
	// retryAfter is the provider's hint; zero if it gave none.
	retryAfter time.Duration
	// unasked: the provider was not even asked.
	unasked bool
	// local is the reason within the gateway, such as Envoy's for a local reply; for the log alone.
	local string
	// refusal is what the gateway itself says: the provider cannot be given the request,
	// and was not asked. Nil if the provider has failed.
	refusal *dialect.Error
}

func (f *failure) Error() string { return f.message }

// longestRaw bounds how much of a provider's body a client is shown.
const longestRaw = 8 << 10

// errExhausted: every candidate has failed, in other attempts than this one.
var errExhausted = errors.New("extproc: every candidate failed")

// unsayable sorts what kept a request from being written for the candidate. What its
// dialect has no words for, or its provider would have to be sent and is not to be had,
// another candidate may not need: the attempt has failed, and nothing is held against
// the provider. What cannot be read in the first place is the client's own mistake.
func (a *attempt) unsayable(err error) error {
	var told *dialect.Error
	if !errors.As(err, &told) {
		return err
	}
	if a.request.OutputModality == "" { // what is no conversation, only its own dialect may read
		if _, unreadable := a.request.Chat(); unreadable != nil {
			return err
		}
	}
	return &failure{class: health.BadRequest, status: told.Status, message: told.Message, refusal: told}
}

func emptyAnswer() *failure {
	return &failure{class: health.BadAnswer, status: http.StatusBadGateway, message: "The provider's answer is empty."}
}

// streamFailure is an answer that a dialect could not go on with: the provider
// reported an error inside a 200, or sent what nobody can read.
func (a *attempt) streamFailure(err error) error {
	if errors.Is(err, errEnded) {
		return err
	}
	var refused *dialect.Error
	if errors.As(err, &refused) {
		return a.withMetadata(refused) // by a guardrail: no provider has failed
	}
	var said *dialect.ProviderFailure
	if errors.As(err, &said) {
		class := health.ClassOf(said.Status)
		if class == health.BadRequest && said.Status != http.StatusBadRequest {
			class = health.BadAnswer
		}
		return a.withoutCredential(&failure{class: class, status: said.Status, message: said.Message, code: said.Code, retryAfter: said.RetryAfter})
	}
	return &failure{class: health.BadAnswer, status: http.StatusBadGateway, message: "The provider's answer cannot be read.", local: err.Error()}
}

// withoutCredential takes the provider's key, and what a signer made of it, out of what
// the provider says: some quote the request, and a client must never read it.
func (a *attempt) withoutCredential(f *failure) *failure {
	for _, secret := range a.secrets() {
		hide := func(text *string) { *text = strings.ReplaceAll(*text, secret, "[redacted]") }
		hide(&f.message)
		hide(&f.code)
		hide(&f.raw)
	}
	return f
}

// shortestSecret is the length from which on the value of a configured header is hidden;
// shorter ones would take ordinary words out of what the provider says.
const shortestSecret = 6

// secrets are what the provider's request proves with who asks. A key that signs is
// not among what the provider got, but costs nothing to look for.
func (a *attempt) secrets() []string {
	provider := a.candidate.Endpoint.Provider
	key, _ := provider.Credential.Reveal()
	secrets := []string{key}
	for _, value := range provider.Headers {
		if len(value) >= shortestSecret {
			secrets = append(secrets, value)
		}
	}
	if provider.Authentication == configpb.Authentication_AUTHENTICATION_AWS {
		secrets = append(secrets, strings.Split(key, ":")...)
	}
	for _, h := range a.proof {
		secrets = append(secrets, h.Value)
		if _, token, found := strings.Cut(h.Value, " "); found {
			secrets = append(secrets, token) // without its scheme, as in "Bearer x"
		}
	}
	return slices.DeleteFunc(secrets, func(secret string) bool { return secret == "" })
}

// explain sorts an error: either a provider failed, or the client is told what
// stands in its way.
func (a *attempt) explain(err error) (*failure, *dialect.Error) {
	var failed *failure
	if errors.As(err, &failed) {
		return failed, nil
	}
	var told *dialect.Error
	if errors.As(err, &told) {
		return nil, told
	}
	if errors.Is(err, errExhausted) {
		return nil, a.withMetadata(a.failed())
	}
	a.Log.Error("attempt cannot go on", "request_id", a.requestID, "error", err.Error())
	return nil, internalError()
}

// internalError is row 88: it tells nothing of the inside.
func internalError() *dialect.Error {
	return &dialect.Error{Status: http.StatusInternalServerError, Type: "server", Message: "Internal Server Error"}
}

// unauthenticated tells who asks without a key. One in the query, where Google's API
// takes it too, would stand in the log of every proxy on the way.
func unauthenticated(err error, query string) *dialect.Error {
	message := err.Error()
	var refused *identity.Error
	if errors.As(err, &refused) && refused.Temporary() {
		return &dialect.Error{
			Status: http.StatusServiceUnavailable, Type: "provider_overloaded", Message: message,
			Metadata: map[string]any{"headers": map[string]string{"Retry-After": "2"}},
		}
	}
	if refused != nil && refused.Reason == identity.Missing && inQuery(query, "key") {
		message = "A key is not taken from the URL, which proxies log. Send it in the header x-goog-api-key."
	}
	return &dialect.Error{Status: http.StatusUnauthorized, Type: "authentication", Message: message}
}

func inQuery(query, name string) bool {
	values, err := url.ParseQuery(query)
	return err == nil && values.Has(name)
}

// managesOnly is row 8.
func managesOnly() *dialect.Error {
	return &dialect.Error{Status: http.StatusForbidden, Type: "permission_denied", Message: "Management keys cannot be used for inference. Make an inference key with it: POST /api/v1/keys."}
}

func tooLarge(limit int64) *dialect.Error {
	return &dialect.Error{
		Status: http.StatusRequestEntityTooLarge, Type: "payload_too_large",
		Message: fmt.Sprintf("The request body is larger than %d bytes. Send less, or raise listener.max_request_body.", limit),
	}
}

// unroutable says why no candidate is left, in the spec's words (sections 2.5 and
// 5.3).
func (a *attempt) unroutable(err error) error {
	told := &dialect.Error{
		Status: http.StatusNotFound, Type: "not_found", Message: err.Error(),
		Availability: &dialect.Availability{RequestedModels: asked(a.request)},
	}
	var (
		already *dialect.Error
		unknown *routing.UnknownModelError
		batch   *routing.BatchOnlyError
		ended   *routing.FreeEndedError
		router  *routing.RouterError
		none    *routing.NoEndpointError
	)
	switch {
	case errors.As(err, &already):
		return err
	case errors.As(err, &unknown):
		told.Status, told.Type, told.Availability.Code = http.StatusBadRequest, "invalid_request", "model_not_found"
	case errors.As(err, &batch):
		told.Availability.Code = "wrong_endpoint"
	case errors.As(err, &ended):
		told.Availability.Code, told.Availability.FallbackModels = "free_variant_ended", []string{ended.Paid}
	case errors.As(err, &router):
		told.Availability.Code = "constraint_filtered"
	case errors.As(err, &none):
		return a.noEndpoint(told, none)
	default:
		return &dialect.Error{Status: http.StatusBadRequest, Type: "invalid_request", Message: err.Error()}
	}
	return told
}

// noEndpoint shows the funnel: every step, what it left, and what would bring
// endpoints back (row 59).
func (a *attempt) noEndpoint(told *dialect.Error, none *routing.NoEndpointError) *dialect.Error {
	told.Status = none.Status()
	switch {
	case none.ContextExceeded():
		told.Type = "context_length_exceeded"
	case told.Status == http.StatusBadRequest:
		told.Type = "invalid_request"
	}
	told.Metadata = map[string]any{"routing_funnel": none.Funnel, "failed_routing_step": none.FailedStep}
	if none.Hint != "" {
		told.Metadata["remedy_hint"] = none.Hint
	}
	if none.Parameters != nil {
		told.Metadata["unsupported_parameters"] = none.Parameters
	}
	if none.Code == "" {
		told.Availability = nil // the request is at fault, not who is there to answer it
		told.RouterMetadata = a.refusedMetadata(none)
		return told
	}
	availability := told.Availability
	availability.Code = none.Code
	availability.ExcludedBy = none.ExcludedBy
	availability.AffectedProviders = none.AffectedProviders
	if none.Field != "" {
		availability.Constraint = &dialect.Constraint{Field: none.Field, Detail: none.Error()}
	}
	if endpoints, reasons := none.Guarded(); endpoints > 0 {
		told.Metadata["input_endpoint_count"], told.Metadata["ineligibility_reasons"] = endpoints, reasons
	}
	told.RouterMetadata = a.refusedMetadata(none)
	return told
}

// asked are the ids that a request asks for, as far as an error repeats them.
func asked(request *dialect.Request) []string {
	var ids []string
	if request.Model != "" {
		ids = append(ids, fmt.Sprintf("%.256s", request.Model))
	}
	for _, id := range request.Models {
		ids = append(ids, fmt.Sprintf("%.256s", id))
	}
	return ids
}

// rejected passes on what a provider says of the client's own mistake (row 89).
func (a *attempt) rejected(f *failure) *dialect.Error {
	return &dialect.Error{Status: f.status, Type: f.kind(f.status), Message: f.message, Metadata: a.words(f)}
}

// words are a provider's own, for error.metadata. What a provider says about
// the gateway's credential stays inside: some repeat part of the key.
func (a *attempt) words(f *failure) map[string]any {
	words := map[string]any{"provider_name": a.candidate.Endpoint.Provider.Name, "is_byok": a.candidate.OwnKey != nil}
	if f.class == health.Authentication {
		return words
	}
	if f.raw != "" {
		words["raw"] = f.raw
	}
	if f.code != "" {
		words["provider_code"] = f.code
	}
	return words
}

// failed is what a client is told when no provider answered: the last failure, and
// what was said in the other attempts (rows 68 and 69). That a provider could not be
// given the request is told only if none failed otherwise.
func (a *attempt) failed() *dialect.Error {
	all := a.shared.failures()
	if len(all) == 0 { // another replica made the attempts
		return &dialect.Error{Status: http.StatusBadGateway, Type: dialect.TypeOf(http.StatusBadGateway), Message: "No provider answered."}
	}
	at := len(all) - 1
	for i, p := range all {
		if p.failure.refusal == nil {
			at = i
		}
	}
	last := all[at]
	told := last.refused()
	if told == nil {
		told = a.failedBy(last, all)
	}
	if len(all) > 1 {
		told.Metadata["previous_errors"] = slices.Delete(all, at, at+1)
	}
	return told
}

// failedBy tells of the last provider's failure, and when to try again by what all said.
func (a *attempt) failedBy(last previousError, all []previousError) *dialect.Error {
	told := &dialect.Error{Status: last.shown(), Message: last.said(), Metadata: map[string]any{"provider_name": last.Provider, "is_byok": last.own}}
	if last.failure.class == health.RateLimited && !last.failure.unasked {
		told.Metadata["limit_source"] = limitSource(last.own)
	}
	if last.failure.raw != "" && last.failure.class != health.Authentication {
		told.Metadata["raw"] = last.failure.raw
	}
	allLimited, wait := true, time.Duration(0)
	for _, p := range all {
		allLimited = allLimited && (p.failure.class == health.RateLimited || p.failure.refusal != nil)
		if hint := p.failure.retryAfter; hint > 0 && (wait == 0 || hint < wait) {
			wait = hint
		}
	}
	told.Type = last.failure.kind(told.Status)
	told.Availability = &dialect.Availability{
		Code: "temporarily_unavailable", Retryable: true, RetryAfter: seconds(wait), RequestedModels: asked(a.request),
	}
	if allLimited {
		told.Availability.Code = "capacity_exhausted"
	}
	return told
}

// previousError is one entry of error.metadata.previous_errors.
type previousError struct {
	Provider string `json:"provider"`
	Model    string `json:"model"`
	Code     int    `json:"code"`
	Status   string `json:"status"`
	Message  string `json:"message"`
	failure  *failure
	own      bool // the provider was asked with the client's own key
}

// limitSource says whose rate limit a provider meant (spec section 5.4).
func limitSource(own bool) string {
	if own {
		return "upstream_provider_byok"
	}
	return "upstream_provider_shared_pool"
}

// shown is the status that a client sees. A provider's 401 or 404 is about the
// gateway's credential or configuration: passed on, it would send the client
// looking for a mistake of its own.
func (p previousError) shown() int {
	if p.failure.status > 599 { // HTTP knows no such status, and a client might not either
		return http.StatusBadGateway
	}
	switch p.failure.class {
	case health.Authentication, health.NotFound, health.BadAnswer, health.Connect:
		if p.failure.status == http.StatusServiceUnavailable {
			return http.StatusServiceUnavailable
		}
		return http.StatusBadGateway
	case health.Timeout:
		return http.StatusGatewayTimeout
	}
	return p.failure.status
}

// refused is the gateway's own refusal with room for metadata, or nil.
func (p previousError) refused() *dialect.Error {
	if p.failure.refusal == nil {
		return nil
	}
	told := *p.failure.refusal
	told.Metadata = maps.Clone(told.Metadata)
	if told.Metadata == nil {
		told.Metadata = map[string]any{}
	}
	return &told
}

func (p previousError) said() string {
	switch {
	case p.failure.class != health.Authentication || p.failure.unasked:
	case p.own:
		return fmt.Sprintf("%s refused your own key for it.", p.Provider)
	default:
		return fmt.Sprintf("%s refused the gateway's credential.", p.Provider)
	}
	return fmt.Sprintf("%s: %s", p.Provider, p.failure.message)
}

// kind is the spec's error_type for the failure, which the client is told with a status.
// Of the provider's own words those about length are the spec's.
func (f *failure) kind(status int) string {
	switch f.code {
	case "context_length_exceeded", "max_tokens_exceeded", "token_limit_exceeded", "string_too_long":
		if status == http.StatusBadRequest {
			return f.code
		}
	}
	return dialect.TypeOf(status)
}

// retryAfter reads a provider's hint: RFC 9110 section 10.2.3, in seconds or as
// a date, or retry-after-ms. Zero if there is none or it makes no sense.
func retryAfter(headers map[string]string, now time.Time) time.Duration {
	const longest = 24 * time.Hour
	var wait time.Duration
	if ms, err := strconv.ParseFloat(headers["retry-after-ms"], 64); err == nil {
		wait = bounded(ms/1000, longest)
	} else if s, err := strconv.ParseFloat(strings.TrimSpace(headers["retry-after"]), 64); err == nil {
		wait = bounded(s, longest)
	} else if at, err := http.ParseTime(headers["retry-after"]); err == nil {
		wait = at.Sub(now)
	}
	return min(max(0, wait), longest)
}

// bounded is a number of seconds, of any size, as a duration up to longest.
func bounded(s float64, longest time.Duration) time.Duration {
	return time.Duration(min(s, longest.Seconds()) * float64(time.Second))
}

// seconds rounds up: a client that comes back too early is refused again.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
