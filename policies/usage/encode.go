package usage

import (
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/money"
)

// AppendJSON appends the generation as the json package marshals it, byte for byte, with
// what is no valid UTF-8 replaced. It does not look for the fields by reflection: several
// generations are written for each request. The error is that of content that is no JSON,
// or of a year that has not four digits.
func (g *Generation) AppendJSON(dst []byte) ([]byte, error) {
	dst = text(append(dst, `{"id":`...), g.ID)
	dst = member(dst, `"request_id":`, g.RequestID)
	dst, err := g.Created.AppendText(append(dst, `"created":"`...))
	if err != nil {
		return nil, fmt.Errorf("usage: generation %s: %w", g.ID, err)
	}
	dst = append(dst, `",`...)
	dst = member(dst, `"key_hash":`, g.KeyHash)
	dst = member(dst, `"key_name":`, g.KeyName)
	dst = member(dst, `"workspace":`, g.Workspace)
	dst = member(dst, `"api":`, g.API)
	dst = member(dst, `"requested":`, g.Requested)
	dst = flag(dst, `"streamed":`, g.Streamed)
	dst = flag(dst, `"cancelled":`, g.Cancelled)
	dst = flag(dst, `"estimated":`, g.Estimated)
	dst = member(dst, `"session":`, g.Session)
	dst = member(dst, `"user":`, g.User)
	dst = member(dst, `"preset":`, g.Preset)
	dst = member(dst, `"referer":`, g.Referer)
	dst = member(dst, `"title":`, g.Title)
	dst = member(dst, `"user_agent":`, g.UserAgent)
	dst = member(dst, `"finish_reason":`, g.FinishReason)
	dst = member(dst, `"native_finish_reason":`, g.NativeFinishReason)
	dst = member(dst, `"response_cache_source":`, g.ResponseCacheSource)
	dst = append(AppendAttempts(append(dst, `"attempts":`...), g.Attempts), ',')
	if g.Content != nil {
		content, err := json.Marshal(g.Content, jsontext.AllowInvalidUTF8(true))
		if err != nil {
			return nil, fmt.Errorf("usage: content of generation %s: %w", g.ID, err)
		}
		dst = append(append(append(dst, `"content":`...), content...), ',')
	}
	return end(dst), nil
}

// AppendAttempts appends attempts as [Generation.AppendJSON] does, an array.
func AppendAttempts(dst []byte, attempts []Attempt) []byte {
	dst = append(dst, '[')
	for i := range attempts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = attempts[i].append(dst)
	}
	return append(dst, ']')
}

func (a *Attempt) append(dst []byte) []byte {
	dst = append(strconv.AppendInt(append(dst, `{"number":`...), int64(a.Number), 10), ',')
	dst = member(dst, `"endpoint":`, a.Endpoint)
	dst = member(dst, `"model":`, a.Model)
	dst = member(dst, `"provider":`, a.Provider)
	dst = member(dst, `"provider_name":`, a.ProviderName)
	dst = member(dst, `"own_key":`, a.OwnKey)
	dst = member(dst, `"upstream_id":`, a.UpstreamID)
	dst = number(dst, `"status":`, int64(a.Status))
	dst = member(dst, `"outcome":`, a.Outcome)
	dst = member(dst, `"reason":`, a.Reason)
	dst = number(dst, `"latency":`, int64(a.Latency))
	dst = number(dst, `"duration":`, int64(a.Duration))
	dst = member(dst, `"service_tier":`, a.ServiceTier)
	dst = member(dst, `"prices":`, a.Prices)
	if a.Tokens != (Tokens{}) {
		dst = append(a.Tokens.append(append(dst, `"tokens":`...)), ',')
	}
	if a.Charge != (Charge{}) {
		dst = append(a.Charge.append(append(dst, `"charge":`...)), ',')
	}
	return end(flag(dst, `"estimated":`, a.Estimated))
}

func (t *Tokens) append(dst []byte) []byte {
	dst = number(append(dst, '{'), `"Prompt":`, t.Prompt)
	dst = number(dst, `"Completion":`, t.Completion)
	dst = number(dst, `"Reasoning":`, t.Reasoning)
	dst = number(dst, `"CacheRead":`, t.CacheRead)
	dst = number(dst, `"CacheWrite":`, t.CacheWrite)
	dst = number(dst, `"CacheWrite1h":`, t.CacheWrite1h)
	dst = number(dst, `"Images":`, t.Images)
	dst = number(dst, `"AudioPrompt":`, t.AudioPrompt)
	dst = number(dst, `"AudioCompletion":`, t.AudioCompletion)
	dst = number(dst, `"ImagePrompt":`, t.ImagePrompt)
	dst = number(dst, `"ImageCompletion":`, t.ImageCompletion)
	dst = number(dst, `"GeneratedImages":`, t.GeneratedImages)
	dst = number(dst, `"Characters":`, t.Characters)
	dst = number(dst, `"Seconds":`, t.Seconds)
	dst = number(dst, `"SearchUnits":`, t.SearchUnits)
	return end(number(dst, `"WebSearches":`, t.WebSearches))
}

func (c *Charge) append(dst []byte) []byte {
	dst = amount(append(dst, '{'), `"Total":`, c.Total)
	dst = amount(dst, `"Prompt":`, c.Prompt)
	dst = amount(dst, `"Completion":`, c.Completion)
	return end(amount(dst, `"Upstream":`, c.Upstream))
}

// A member is its name with the colon, its value and a comma; of nothing there is none.

func member(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return text(append(dst, name...), value)
}

// text is a value of a member, also where it is empty.
func text(dst []byte, value string) []byte {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			dst, _ = jsontext.AppendQuote(dst, value) // the error tells what has been replaced
			return append(dst, ',')
		}
	}
	return append(append(append(dst, '"'), value...), `",`...)
}

func number(dst []byte, name string, value int64) []byte {
	if value == 0 {
		return dst
	}
	return append(strconv.AppendInt(append(dst, name...), value, 10), ',')
}

func amount(dst []byte, name string, value money.USD) []byte {
	if value == 0 {
		return dst
	}
	return append(value.Append(append(dst, name...)), ',')
}

func flag(dst []byte, name string, value bool) []byte {
	if !value {
		return dst
	}
	return append(append(dst, name...), "true,"...)
}

// end closes an object that has a member, in place of the comma behind it.
func end(dst []byte) []byte {
	dst[len(dst)-1] = '}'
	return dst
}
