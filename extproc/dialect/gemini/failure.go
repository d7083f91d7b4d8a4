package gemini

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Failure reads an error of Google's APIs: a status, and details that say more.
func (Provider) Failure(status int, body []byte) dialect.ProviderFailure {
	failure := dialect.ReadFailure(status, body)
	body, err := rawjson.Repair(bytes.TrimSpace(body))
	if err != nil {
		return failure
	}
	if first := rawjson.Walk(body); rawjson.Kind(body) == '[' && first.Next() {
		body = first.Value // of a stream that was framed as an array
	}
	refine(&failure, rawjson.Get(body, "error"))
	return failure
}

// streamFailure reads an error that came where an answer should be.
func streamFailure(object []byte) *dialect.ProviderFailure {
	failure := dialect.ReadStreamFailure(object)
	refine(failure, object)
	return failure
}

// longestWait bounds how long a provider may ask to be left alone.
const longestWait = 24 * time.Hour

// refine reads the details of an error. The API calls a bad key and a country that it
// does not serve bad requests; they are about the gateway, and another provider can
// answer the same request.
func refine(failure *dialect.ProviderFailure, object []byte) {
	invalidKey := false
	for c := rawjson.Walk(rawjson.Get(object, "details")); c.Next(); {
		switch kind := rawjson.Text(rawjson.Get(c.Value, "@type")); {
		case strings.HasSuffix(kind, "google.rpc.RetryInfo"):
			wait, err := time.ParseDuration(rawjson.Text(rawjson.Get(c.Value, "retryDelay")))
			if err == nil {
				failure.RetryAfter = max(0, min(wait, longestWait))
			}
		case strings.HasSuffix(kind, "google.rpc.ErrorInfo"):
			invalidKey = invalidKey || rawjson.Text(rawjson.Get(c.Value, "reason")) == "API_KEY_INVALID"
		}
	}
	switch {
	case failure.Status != http.StatusBadRequest:
	case invalidKey:
		failure.Status = http.StatusUnauthorized
	case failure.Code == "FAILED_PRECONDITION":
		failure.Status = http.StatusForbidden
	}
}
