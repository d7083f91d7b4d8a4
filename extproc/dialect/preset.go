package dialect

import "github.com/go-json-experiment/json/jsontext"

// Preset is a part of a request that the client asked for by name (spec section
// 3.6).
type Preset struct {
	// Config is a JSON object of members of a request. What the request itself says
	// wins, member by member; tools are united by name.
	Config jsontext.Value
	// SystemPrompt goes in front of the conversation; "" is none.
	SystemPrompt string
}

// Presetter is a client dialect whose requests can take a preset.
type Presetter interface {
	// WithPreset returns the body with the preset merged into it. body is left as it
	// is. It is called before Parse, so that what a preset says is checked like what
	// a client says. The error is an *Error fit to be shown to the client.
	WithPreset(body []byte, preset Preset) ([]byte, error)
}
