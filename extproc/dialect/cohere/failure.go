package cohere

import (
	"net/http"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// Failure reads an error, {"message": …, "id": …}. Two statuses are the API's own: 498
// for a token that it does not know, and 499 for a request that it thinks was abandoned.
func (Provider) Failure(status int, body []byte) dialect.ProviderFailure {
	failure := dialect.ReadFailure(status, body)
	switch status {
	case 498:
		failure.Status = http.StatusUnauthorized
	case 499:
		failure.Status = http.StatusBadGateway
	}
	return failure
}
