package bedrock

import (
	"net/http"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/eventstream"
	"github.com/switchyard/switchyard/extproc/sse"
)

// errorType is the header that says what an error is: "ValidationException", and a URL
// behind a colon from some services.
const errorType = "x-amzn-errortype"

// readFailure reads an error of one of AWS's services: a message, written with a
// capital by what stands in front of them. kind is the header [errorType], or "".
func readFailure(kind string, status int, body []byte) dialect.ProviderFailure {
	failure := dialect.ReadFailure(status, body)
	if text, err := rawjson.Repair(body); err == nil {
		if words := rawjson.Text(rawjson.Get(text, "Message")); words != "" {
			failure = dialect.ReadFailure(status, rawjson.AppendQuoted(nil, words))
		}
	}
	if kind, _, _ = strings.Cut(kind, ":"); kind != "" {
		failure.Code = kind
	}
	refine(&failure)
	return failure
}

// refine puts what the service calls the client's mistake, and is not, into statuses
// that another provider can help with.
func refine(failure *dialect.ProviderFailure) {
	switch failure.Status {
	case http.StatusFailedDependency: // ModelErrorException: the model has failed
		failure.Status = http.StatusBadGateway
	case http.StatusBadRequest:
		switch says := func(words string) bool { return strings.Contains(failure.Message, words) }; {
		case says("model identifier is invalid"), says("on-demand throughput isn"):
			failure.Status = http.StatusNotFound
		case failure.Code == "ServiceQuotaExceededException":
			failure.Status = http.StatusTooManyRequests
		}
	}
}

// streamFailure reads an exception that came where an event should be, or returns nil
// if the event is none.
func streamFailure(event sse.Event) *dialect.ProviderFailure {
	kind, failed := strings.CutPrefix(event.Name, eventstream.FailurePrefix)
	if !failed {
		return nil
	}
	failure := dialect.ReadFailure(exceptionStatus(kind, event.Data), event.Data)
	failure.Code = kind
	refine(&failure)
	return &failure
}

// exceptionStatus is the status that an exception has outside a stream.
func exceptionStatus(kind string, data []byte) int {
	switch kind {
	case "throttlingException":
		return http.StatusTooManyRequests
	case "validationException":
		return http.StatusBadRequest
	case "internalServerException":
		return http.StatusInternalServerError
	case "serviceUnavailableException":
		return http.StatusServiceUnavailable
	case "modelTimeoutException":
		return http.StatusRequestTimeout
	case "modelStreamErrorException":
		if text, err := rawjson.Repair(data); err == nil {
			if n, ok := rawjson.Int(rawjson.Get(text, "originalStatusCode")); ok && n >= 400 && n <= 599 {
				return int(n)
			}
		}
	}
	return http.StatusBadGateway
}
