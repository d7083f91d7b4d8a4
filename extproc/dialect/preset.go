package dialect

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

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

// PresetOf returns the slug of the preset that a request's body asks for, in its
// `model` or else in `preset`, and the model that it asks for besides, "" for the
// preset's own. Both are "" where no preset is asked for.
//
// The body need not be valid JSON: whoever reads on will say so. One without a
// preset costs two searches for a short text, about 30 µs for 100 KB.
func PresetOf(body []byte) (slug, model string) {
	if !bytes.Contains(body, []byte("@preset")) && !bytes.Contains(body, []byte(`"preset"`)) {
		return "", ""
	}
	named := ""
	for c := rawjson.Walk(body); c.Next(); {
		switch string(c.Name) {
		case "model":
			model, slug = CutPreset(rawjson.Text(c.Value))
		case "preset":
			named = rawjson.Text(c.Value)
		}
	}
	switch {
	case slug != "":
		return slug, model
	case named != "":
		return named, model
	}
	return "", ""
}

// CutPreset takes the model's id and the preset's slug, "" if there is none, out of
// an id like "m/x@preset/p" (spec section 3.6).
func CutPreset(id string) (model, slug string) {
	model, slug, _ = strings.Cut(id, "@preset/")
	if slug == "" {
		return id, ""
	}
	return model, slug
}

// PresetNamer is a client dialect whose requests name a preset outside of their body.
type PresetNamer interface {
	// Preset is its slug, or "".
	Preset() string
}
