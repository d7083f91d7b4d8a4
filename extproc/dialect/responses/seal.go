package responses

import (
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json"
)

// seal names the endpoint that made a piece of reasoning which only it can read
// (spec section 1.1.4). Clients keep encrypted_content whatever else of an item they
// lose, so that all that is needed to give it back is in there:
// "<blob>.<seal as JSON in base64url>".
type seal struct {
	// Endpoint is a model's id and a provider's slug, "m/x|openai".
	Endpoint string `json:"endpoint_slug"`
	// Type, Format and ID are those of the reasoning detail. The id may be that of the
	// call which the detail belongs to.
	Type   string `json:"type,omitzero"`
	Format string `json:"format,omitzero"`
	ID     string `json:"id,omitzero"`
}

func (s seal) model() string {
	model, _, _ := strings.Cut(s.Endpoint, "|")
	return model
}

func (s seal) close(blob string) string {
	text, err := json.Marshal(s)
	if err != nil { // only of what is not UTF-8
		return blob
	}
	return blob + "." + base64.RawURLEncoding.EncodeToString(text)
}

// unseal takes a blob and its seal apart, and reports whether there is one. The
// blob itself may have dots.
func unseal(sealed string) (string, seal, bool) {
	dot := strings.LastIndexByte(sealed, '.')
	if dot < 0 {
		return "", seal{}, false
	}
	text, err := base64.RawURLEncoding.DecodeString(sealed[dot+1:])
	if err != nil {
		return "", seal{}, false
	}
	var s seal
	if err := json.Unmarshal(text, &s); err != nil || s.Endpoint == "" {
		return "", seal{}, false
	}
	return sealed[:dot], s, true
}
