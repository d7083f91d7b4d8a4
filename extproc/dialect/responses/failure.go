package responses

import (
	"net/http"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Failure reads an error of OpenAI's or a neighbour's.
func (Provider) Failure(status int, body []byte) dialect.ProviderFailure {
	return dialect.ReadFailure(status, body)
}

// streamFailure reads an error that came where an answer should be: that of a response
// which failed, or of an event.
func streamFailure(object []byte) error {
	if rawjson.Kind(object) != '{' {
		return &dialect.ProviderFailure{Status: http.StatusBadGateway, Message: "The provider's answer failed, and it gave no reason."}
	}
	failure := dialect.ReadStreamFailure(object)
	if failure.Status == http.StatusBadGateway || strings.HasPrefix(failure.Code, "image_") {
		failure.Status = statusOf(failure.Code)
	}
	return failure
}

// statusOf is the status that a code of this API stands for where the name alone does
// not tell: what another provider of the model would say too is a bad request
// (openai/types/responses/response_error.py).
func statusOf(code string) int {
	switch code {
	case "invalid_prompt", "data_residency_mismatch", "bio_policy", "cyber_policy", "misalignment_policy_violation",
		"empty_image_file", "unsupported_image_media_type", "failed_to_download_image", "image_file_not_found":
		return http.StatusBadRequest
	case "slow_down":
		return http.StatusServiceUnavailable
	}
	if strings.HasPrefix(code, "invalid_") || strings.HasPrefix(code, "image_") {
		return http.StatusBadRequest
	}
	return http.StatusBadGateway
}
