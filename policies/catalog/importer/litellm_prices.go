package importer

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/proto"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// liteLLMClasses are the classes of prices, by their field in the schema, by
// LiteLLM's key without the endings for long prompts and service tiers.
var liteLLMClasses = map[string]string{
	"input_cost_per_token":                      "prompt",
	"output_cost_per_token":                     "completion",
	"cache_read_input_token_cost":               "cache_read",
	"cache_creation_input_token_cost":           "cache_write",
	"cache_creation_input_token_cost_above_1hr": "cache_write_1h",
	"output_cost_per_reasoning_token":           "reasoning",
	"input_cost_per_audio_token":                "audio",
	"output_cost_per_audio_token":               "audio_output",
	"output_cost_per_image_token":               "image_output",
	"input_cost_per_image_token":                "image_token",
	"output_cost_per_image":                     "generated_image",
	"input_cost_per_character":                  "character",
	"input_cost_per_second":                     "second",
	"input_cost_per_image":                      "image",
	"input_cost_per_request":                    "request",
	"input_cost_per_query":                      "request",
	"search_context_cost_per_query":             "web_search",
}

// liteLLMKey cuts the endings off a price's key: input_cost_per_token_above_200k_tokens_flex.
var liteLLMKey = regexp.MustCompile(`^(.+?)(?:_above_([0-9]{1,6})k_tokens)?(?:_(flex|priority))?$`)

// isPrice tells keys of prices that have no class from all other keys.
var isPrice = regexp.MustCompile(`_cost(_|$)|_cost_per_|off_peak_pricing|uplift_multiplier`)

// zero is nothing, however it is written.
var zero = regexp.MustCompile(`^0(\.0+)?([eE].*)?$`)

// tierPrices are the prices of an endpoint by service tier; "" is the standard.
type tierPrices map[string]*configpb.Prices

// stated returns the prices of a tier for prompts of more than so many tokens, to
// be filled in.
func (t tierPrices) stated(tier string, above int64) *configpb.Prices {
	if t[tier] == nil {
		t[tier] = &configpb.Prices{}
	}
	if above == 0 {
		return t[tier]
	}
	return addLongPrices(t[tier], above)
}

// longPrices are the prices for prompts of more than so many tokens, nil if there
// are none.
func longPrices(p *configpb.Prices, above int64) *configpb.Prices {
	for _, override := range p.Overrides {
		if override.MinPromptTokens == above {
			return override.Prices
		}
	}
	return nil
}

// addLongPrices is longPrices, to be filled in.
func addLongPrices(p *configpb.Prices, above int64) *configpb.Prices {
	if prices := longPrices(p, above); prices != nil {
		return prices
	}
	prices := &configpb.Prices{}
	p.Overrides = append(p.Overrides, &configpb.PriceOverride{MinPromptTokens: above, Prices: prices})
	return prices
}

// liteLLMPrices reads all prices of an entry, output being what it makes instead of
// text. It reports false, having said why, if the entry has no usable price for the
// prompt and the answer, or for what stands in their place.
func (b *builder) liteLLMPrices(key string, raw jsontext.Value, output string) (tierPrices, bool) {
	var fields map[string]jsontext.Value
	if err := json.Unmarshal(raw, &fields); err != nil {
		b.report.add(key, "cannot be read")
		return nil, false
	}
	prices := tierPrices{}
	readable := true
	for field, value := range fields {
		matched := liteLLMKey.FindStringSubmatch(field)
		if field == "tiered_pricing" {
			readable = b.liteLLMSteps(key, value, prices) && readable
			continue
		}
		class, ok := liteLLMClasses[matched[1]]
		if !ok {
			if isPrice.MatchString(field) {
				b.report.add(key, "%s is not in the schema", field)
			}
			continue
		}
		above, _ := strconv.ParseInt(matched[2], 10, 64)
		readable = b.liteLLMPrice(key, field, class, value, prices.stated(matched[3], above*1000)) && readable
	}
	standard := prices[""]
	if standard.GetImageToken() == standard.GetPrompt() && standard != nil {
		standard.ImageToken = "" // it follows the prompt, also where that costs more
	}
	if output != "" && standard != nil {
		settleTask(standard, output)
	}
	switch {
	case !readable:
		return nil, false
	case output != "" && worthless(standard.GetPrompt()) && worthless(standard.GetRequest()) &&
		worthless(standard.GetGeneratedImage()) && worthless(standard.GetCharacter()) && worthless(standard.GetSecond()):
		b.report.add(key, "no price above nothing")
		return nil, false
	case output != "":
	case standard.GetPrompt() == "" || standard.GetCompletion() == "":
		b.report.add(key, "no price for prompt and answer")
		return nil, false
	case standard.GetPrompt() == "0" && standard.GetCompletion() == "0":
		// The map does not tell free from unknown, and what is free is asked first.
		b.report.add(key, "priced at nothing")
		return nil, false
	}
	prices.settle()
	return prices, true
}

// settleTask makes the prices of a model that does not converse such that nothing is
// charged twice: where the map has prices by the token and by the piece, they are two
// ways to say the same.
func settleTask(p *configpb.Prices, output string) {
	byToken := !worthless(p.Prompt)
	p.Prompt, p.Completion = cmp.Or(p.Prompt, "0"), cmp.Or(p.Completion, "0")
	switch {
	case mediaPaths[output] == "":
		p.Completion = "0" // such answers have no tokens, whatever the map says of them
	case byToken:
		p.GeneratedImage, p.Second, p.Character = "", "", ""
	case output == "image":
		// Nothing goes in that would have a price: some entries have that of the answer there.
		p.GeneratedImage, p.Image = cmp.Or(p.GeneratedImage, p.Image), ""
	}
}

// worthless reports whether a price is nothing, or not stated.
func worthless(price string) bool { return price == "" || price == "0" }

// liteLLMPrice reads one price into p, and reports whether it could.
func (b *builder) liteLLMPrice(key, field, class string, value jsontext.Value, p *configpb.Prices) bool {
	number := strings.Trim(string(value), `"`)
	if number == "null" {
		return true
	}
	if class != "prompt" && class != "completion" && zero.MatchString(number) {
		return true // the map's way to say that the class has no price of its own
	}
	if value.Kind() == '{' { // the price of a search, by how much of the web it reads
		var sizes map[string]jsontext.Value
		if json.Unmarshal(value, &sizes) != nil || sizes["search_context_size_medium"] == nil {
			b.report.add(key, "%s cannot be read", field)
			return false
		}
		number = string(sizes["search_context_size_medium"])
	}
	rounded, err := setPrice(p, class, number)
	if err != nil {
		b.report.add(key, "%s cannot be read", field)
		return false
	}
	if rounded {
		b.report.add(key, "%s is finer than the schema can say; rounded", field)
	}
	return true
}

// liteLLMSteps reads prices that are given for ranges of the prompt's size.
func (b *builder) liteLLMSteps(key string, value jsontext.Value, prices tierPrices) bool {
	var steps []map[string]jsontext.Value
	if err := json.Unmarshal(value, &steps); err != nil {
		b.report.add(key, "tiered_pricing cannot be read")
		return false
	}
	for _, step := range steps {
		var bounds []float64 // counts of tokens, which a float holds exactly
		if err := json.Unmarshal(step["range"], &bounds); err != nil || len(bounds) == 0 || bounds[0] < 0 || bounds[0] > 1e9 {
			b.report.add(key, "tiered_pricing has a range that cannot be read")
			return false
		}
		into := prices.stated("", int64(bounds[0]))
		for field, value := range step {
			class, ok := liteLLMClasses[field]
			if ok && !b.liteLLMPrice(key, field, class, value, into) {
				return false
			}
			if !ok && field != "range" {
				b.report.add(key, "tiered_pricing: %s is not in the schema", field)
			}
		}
	}
	return true
}

// settle puts overrides in order, and takes away tiers that state no price for the
// prompt or the answer: the map has stray cache prices of tiers that nobody sells.
func (t tierPrices) settle() {
	for tier, prices := range t {
		slices.SortFunc(prices.Overrides, byPromptTokens)
		if prices.GetPrompt() == "" || prices.GetCompletion() == "" {
			delete(t, tier)
		}
	}
}

// addTiers adds an endpoint, and one more for each service tier that has prices of
// its own. What a tier does not state it has from the standard.
func (b *builder) addTiers(id string, facts *configpb.Model, standard *configpb.Endpoint, prices tierPrices) {
	for _, tier := range []string{"", "flex", "priority"} {
		if prices[tier] == nil {
			continue
		}
		endpoint := proto.CloneOf(standard)
		endpoint.ServiceTier = tier
		if tier == "" {
			endpoint.Prices = prices[""]
		} else {
			if standard.GetTag() != "" {
				endpoint.Tag = standard.GetTag() + "/" + tier
			}
			endpoint.Prices = proto.CloneOf(prices[""])
			endpoint.Prices.Overrides = nil
			proto.Merge(endpoint.Prices, prices[tier])
			lacking, ok := fillOverrides(endpoint.Prices, prices[""])
			if !ok {
				b.report.add(id+" at "+standard.GetProvider(), "%s: cheaper, but not known by how much for long prompts; left out", tier)
				continue
			}
			if lacking {
				b.report.add(id+" at "+standard.GetProvider(), "%s: no prices of its own for long prompts; has the standard's where they are dearer", tier)
			}
		}
		b.add(id, facts, endpoint)
	}
}

// fillOverrides gives a tier the standard's prices of long prompts where it states
// none of its own and they are dearer than its short ones; lacking tells that there
// are such prices. They are no more than a lower bound, and so it reports not ok for a
// tier that is cheaper than the standard: they would be too high, and the tier's own
// for short prompts too low.
func fillOverrides(tier, standard *configpb.Prices) (lacking, ok bool) {
	for _, override := range standard.GetOverrides() {
		above := override.GetMinPromptTokens()
		for class := range scales {
			long, short := getPrice(override.GetPrices(), class), getPrice(tier, class)
			if long == "" || getPrice(longPrices(tier, above), class) != "" {
				continue
			}
			if cheaper(short, getPrice(standard, class)) {
				return true, false
			}
			lacking = true
			if !cheaper(long, short) && long != short {
				putPrice(addLongPrices(tier, above), class, long)
			}
		}
	}
	slices.SortFunc(tier.Overrides, byPromptTokens)
	return lacking, true
}

func byPromptTokens(a, b *configpb.PriceOverride) int {
	return cmp.Compare(a.GetMinPromptTokens(), b.GetMinPromptTokens())
}
