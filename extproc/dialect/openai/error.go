package openai

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Error renders a failure as {"error":{...}}, with the router's metadata beside it.
func (Client) Error(failure *dialect.Error) []byte {
	return append(appendError([]byte{'{'}, failure), '}')
}

// appendError appends the members that tell of a failure to an object that is open
// at the end of dst.
func appendError(dst []byte, failure *dialect.Error) []byte {
	metadata := map[string]any{}
	for name, value := range failure.Metadata {
		metadata[name] = value
	}
	if failure.Type != "" {
		metadata["error_type"] = failure.Type
	}
	object := failure.Object(metadata, map[string]any{"error_type": failure.Type})
	dst = rawjson.AppendMember(dst, "error", object)
	if failure.RouterMetadata != nil {
		dst = rawjson.AppendMember(dst, "openrouter_metadata", failure.RouterMetadata)
	}
	return dst
}
