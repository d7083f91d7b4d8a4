package responses

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Error renders a failure as {"error":{...},"error_type":"..."}: in this API the
// type stands beside the error and not in its metadata (spec section 5.2).
func (Client) Error(failure *dialect.Error) []byte {
	dst := rawjson.AppendMember([]byte{'{'}, "error", failure.Object(failure.Metadata, nil))
	return append(appendTrailer(dst, failure), '}')
}

// appendTrailer appends what stands beside an error.
func appendTrailer(dst []byte, failure *dialect.Error) []byte {
	if failure.Type != "" {
		dst = rawjson.AppendText(dst, "error_type", failure.Type)
	}
	if failure.RouterMetadata != nil {
		dst = rawjson.AppendMember(dst, "openrouter_metadata", failure.RouterMetadata)
	}
	return dst
}

// errorCode is the API's own code for a failure (spec section 4.3).
func errorCode(kind string) string {
	switch kind {
	case "rate_limit_exceeded":
		return "rate_limit_exceeded"
	case "context_length_exceeded", "max_tokens_exceeded", "token_limit_exceeded", "string_too_long",
		"invalid_request", "invalid_prompt":
		return "invalid_prompt"
	case "content_policy_violation", "refusal":
		return "image_content_policy_violation"
	case "invalid_image", "image_too_large", "image_too_small":
		return kind
	case "unsupported_image_format":
		return "unsupported_image_media_type"
	case "image_download_failed":
		return "failed_to_download_image"
	case "image_not_found":
		return "image_file_not_found"
	}
	return "server_error"
}
