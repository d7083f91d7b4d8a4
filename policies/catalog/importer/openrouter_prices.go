package importer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/proto"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// openRouterPricing is the pricing object of spec section 7: decimals in US
// dollars for one token or unit, most of them as text.
type openRouterPricing map[string]jsontext.Value

// openRouterClasses are the classes of prices, by their field in the schema.
var openRouterClasses = map[string]string{
	"prompt":               "prompt",
	"completion":           "completion",
	"input_cache_read":     "cache_read",
	"input_cache_write":    "cache_write",
	"input_cache_write_1h": "cache_write_1h",
	"internal_reasoning":   "reasoning",
	"audio":                "audio",
	"audio_output":         "audio_output",
	"image_output":         "image_output",
	"image_token":          "image_token",
	"image":                "image",
	"request":              "request",
	"web_search":           "web_search",
}

// stated reads the prices that are stated. A price of "0" beside those of prompt
// and answer is left out: with it OpenRouter says that the class has none of its
// own, where the schema would say that cached tokens are free.
func (p openRouterPricing) stated() (*configpb.Prices, error) {
	prices := &configpb.Prices{}
	for _, field := range slices.Sorted(maps.Keys(openRouterClasses)) {
		class := openRouterClasses[field]
		raw, stated := p[field]
		if !stated || raw.Kind() == 'n' {
			continue
		}
		number := strings.Trim(string(raw), `"`)
		if zero.MatchString(number) && class != "prompt" && class != "completion" {
			continue
		}
		if _, err := setPrice(prices, class, number); err != nil {
			return nil, fmt.Errorf("%s: %w", field, err)
		}
	}
	return prices, nil
}

// prices reads a pricing object.
func (p openRouterPricing) prices() (*configpb.Prices, error) {
	prices, err := p.stated()
	if err != nil {
		return nil, fmt.Errorf("pricing.%w", err)
	}
	if prices.Prompt == "" || prices.Completion == "" {
		return nil, fmt.Errorf("no price for prompt and answer")
	}
	var overrides []openRouterPricing
	if raw, stated := p["overrides"]; stated {
		if err := json.Unmarshal(raw, &overrides); err != nil {
			return nil, fmt.Errorf("pricing.overrides cannot be read")
		}
	}
	for i, override := range overrides {
		read, err := override.override()
		if err != nil {
			return nil, fmt.Errorf("pricing.overrides[%d]: %w", i, err)
		}
		prices.Overrides = append(prices.Overrides, read)
	}
	return prices, nil
}

// override reads one entry of overrides: conditions and prices side by side.
func (p openRouterPricing) override() (*configpb.PriceOverride, error) {
	var conditions struct {
		MinPromptTokens int64   `json:"min_prompt_tokens"`
		UTCStart        *uint32 `json:"utc_start"`
		UTCEnd          *uint32 `json:"utc_end"`
	}
	raw, err := json.Marshal(p)
	if err == nil {
		err = json.Unmarshal(raw, &conditions)
	}
	if err != nil || conditions.MinPromptTokens < 0 || (conditions.UTCStart == nil) != (conditions.UTCEnd == nil) {
		return nil, fmt.Errorf("conditions cannot be read")
	}
	override := &configpb.PriceOverride{MinPromptTokens: conditions.MinPromptTokens}
	if conditions.UTCStart != nil {
		if *conditions.UTCStart > 2359 || *conditions.UTCEnd > 2359 {
			return nil, fmt.Errorf("a time of day beyond 2359")
		}
		override.UtcStart, override.UtcEnd = proto.Uint32(*conditions.UTCStart), proto.Uint32(*conditions.UTCEnd)
	}
	if override.Prices, err = p.stated(); err != nil {
		return nil, err
	}
	return override, nil
}
