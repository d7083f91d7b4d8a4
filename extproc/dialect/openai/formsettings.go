package openai

import (
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// settings gathers what a form says to the gateway: a field is JSON, or one of several
// in the notation with brackets that OpenAI's SDKs have for nested values,
// provider[order][]=openai.
type settings map[string]any

// take reads a field that is for the gateway; value is its text. The error is an
// *dialect.Error.
func (s settings) take(name, value string) error {
	if len(value) > longestSetting {
		return dialect.Invalid("'%s' is longer than %d bytes.", name, longestSetting)
	}
	top, path, nested := strings.Cut(name, "[")
	if nested {
		return s.nest(top, strings.Split(strings.TrimSuffix(path, "]"), "]["), name, value)
	}
	if _, twice := s[name]; twice {
		return dialect.Invalid("'%s' is given twice.", name)
	}
	if first := rawjson.Kind([]byte(value)); first == '{' || first == '[' {
		if err := rawjson.Validate([]byte(value)); err != nil {
			return dialect.Invalid("'%s' must be JSON: %v.", name, err)
		}
		s[name] = rawValue(value)
		return nil
	}
	s[name] = value
	return nil
}

// rawValue is JSON that is written as it stands.
type rawValue string

func (v rawValue) MarshalJSON() ([]byte, error) { return []byte(v), nil }

func (s settings) nest(top string, path []string, name, value string) error {
	const deepest = 4
	if len(path) > deepest {
		return dialect.Invalid("'%s' is nested too deeply.", name)
	}
	holder, key := s, top
	for _, step := range path {
		if step == "" {
			list, fits := holder[key].([]any)
			if !fits && holder[key] != nil {
				return dialect.Invalid("'%s' contradicts another field.", name)
			}
			holder[key] = append(list, scalar(value))
			return nil
		}
		inner, fits := holder[key].(settings)
		if !fits && holder[key] != nil {
			return dialect.Invalid("'%s' contradicts another field.", name)
		}
		if inner == nil {
			inner = settings{}
			holder[key] = inner
		}
		holder, key = inner, step
	}
	if _, twice := holder[key]; twice {
		return dialect.Invalid("'%s' is given twice.", name)
	}
	holder[key] = scalar(value)
	return nil
}

// scalar is what the SDKs wrote as text.
func scalar(value string) any {
	if value == "true" || value == "false" {
		return value == "true"
	}
	if rawjson.Kind([]byte(value)) == '0' && rawjson.Validate([]byte(value)) == nil {
		return rawValue(value)
	}
	return value
}

// object is what the form says to the gateway as a JSON object. The error is an
// *dialect.Error.
func (s settings) object() ([]byte, error) {
	text, err := json.Marshal(s, json.Deterministic(true))
	if err != nil {
		return nil, dialect.Invalid("A field of the multipart body is no UTF-8.")
	}
	return text, nil
}
