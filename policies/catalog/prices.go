package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"strconv"
	"time"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/money"
)

// Prices are what an endpoint charges: for one token of each class, for one
// request, for one input image. The zero value is free.
type Prices struct {
	// Prompt is the price of a prompt token that came from no cache.
	Prompt money.USD
	// Completion is the price of a token of the answer.
	Completion money.USD
	// CacheRead is the price of a prompt token found in the provider's cache.
	CacheRead money.USD
	// CacheWrite is the price of a prompt token put there for some minutes, and
	// CacheWrite1h of one that is kept for an hour.
	CacheWrite, CacheWrite1h money.USD
	// Reasoning is the price of a token that the model thought.
	Reasoning money.USD
	Request   money.USD
	Image     money.USD
	// Audio is the price of an audio token of the prompt, AudioOutput and
	// ImageOutput those of audio and image tokens of the answer.
	Audio, AudioOutput, ImageOutput money.USD
	// ImageToken is the price of an image token of the prompt, and GeneratedImage that
	// of one whole image of the answer.
	ImageToken, GeneratedImage money.USD
	// Character is the price of one character that is spoken, and Second that of one
	// second of sound that is transcribed.
	Character, Second money.USD
	// WebSearch is the price of one search that the provider makes.
	WebSearch money.USD
	// Overrides are prices that hold instead under conditions, see [Prices.At].
	Overrides []Override
}

// Override is prices under conditions, which must all be met (spec section 7).
type Override struct {
	// MinPromptTokens: the prompt has more tokens than this.
	MinPromptTokens int64
	// From and Until are minutes of the day in UTC, half-open; From above Until
	// runs past midnight, and From equal to Until is all day.
	From, Until int
	// stated are the prices that the override names, in the order of classes.
	stated []statedPrice
	// followers are the classes that the prices without overrides do not state: each
	// follows another, unless an override that applies states it.
	followers classSet
}

type statedPrice struct {
	class  int // the index in classes
	amount money.USD
}

// classSet has one bit for each of classes.
type classSet uint32

// Stated yields the prices that the override names, by their field in the schema
// ("cache_read"), and none that merely follow them. Amounts are for one token, or
// for one unit where the class has units.
func (o *Override) Stated() iter.Seq2[string, money.USD] {
	return func(yield func(string, money.USD) bool) {
		for _, price := range o.stated {
			if !yield(classes[price.class].field, price.amount) {
				return
			}
		}
	}
}

// Window is when the override applies, as times of day such as 2359 in UTC, from
// the first until before the second; false if it applies all day.
func (o *Override) Window() (start, end int, limited bool) {
	if o.From == o.Until {
		return 0, 0, false
	}
	return o.From/60*100 + o.From%60, o.Until/60*100 + o.Until%60, true
}

// At returns the prices that hold for a prompt of so many tokens at a time, with
// no overrides left. Of several overrides that apply, the later one counts, price
// by price. It costs a copy; prices without overrides are the common case.
func (p Prices) At(promptTokens int64, now time.Time) Prices {
	overrides := p.Overrides
	p.Overrides = nil
	var followers, stated classSet
	for i := range overrides {
		if !overrides[i].applies(promptTokens, now) {
			continue
		}
		followers = overrides[i].followers
		for _, price := range overrides[i].stated {
			stated |= 1 << price.class
			*classes[price.class].of(&p) = price.amount
		}
	}
	followers &^= stated
	for i := range classes {
		if followers&(1<<i) != 0 {
			*classes[i].of(&p) = *classes[i].follows(&p)
		}
	}
	return p
}

func (o *Override) applies(promptTokens int64, now time.Time) bool {
	if o.MinPromptTokens > 0 && promptTokens <= o.MinPromptTokens {
		return false
	}
	if o.From == o.Until {
		return true
	}
	now = now.UTC()
	minute := now.Hour()*60 + now.Minute()
	if o.From < o.Until {
		return minute >= o.From && minute < o.Until
	}
	return minute >= o.From || minute < o.Until
}

// class is one class of prices: where it is written, how it is read, where it
// goes, and the class whose price it takes where it states none.
type class struct {
	field   string
	text    func(*configpb.Prices) string
	parse   func(string) (money.USD, error)
	of      func(*Prices) *money.USD
	follows func(*Prices) *money.USD
}

func promptPrice(p *Prices) *money.USD     { return &p.Prompt }
func completionPrice(p *Prices) *money.USD { return &p.Completion }
func cacheWritePrice(p *Prices) *money.USD { return &p.CacheWrite }

// classes has each class behind the one that it follows.
var classes = [...]class{
	{"prompt", (*configpb.Prices).GetPrompt, money.ParsePerMillion, promptPrice, nil},
	{"completion", (*configpb.Prices).GetCompletion, money.ParsePerMillion, completionPrice, nil},
	{"cache_read", (*configpb.Prices).GetCacheRead, money.ParsePerMillion, func(p *Prices) *money.USD { return &p.CacheRead }, promptPrice},
	{"cache_write", (*configpb.Prices).GetCacheWrite, money.ParsePerMillion, cacheWritePrice, promptPrice},
	{"cache_write_1h", (*configpb.Prices).GetCacheWrite_1H, money.ParsePerMillion, func(p *Prices) *money.USD { return &p.CacheWrite1h }, cacheWritePrice},
	{"reasoning", (*configpb.Prices).GetReasoning, money.ParsePerMillion, func(p *Prices) *money.USD { return &p.Reasoning }, completionPrice},
	{"audio", (*configpb.Prices).GetAudio, money.ParsePerMillion, func(p *Prices) *money.USD { return &p.Audio }, promptPrice},
	{"audio_output", (*configpb.Prices).GetAudioOutput, money.ParsePerMillion, func(p *Prices) *money.USD { return &p.AudioOutput }, completionPrice},
	{"image_output", (*configpb.Prices).GetImageOutput, money.ParsePerMillion, func(p *Prices) *money.USD { return &p.ImageOutput }, completionPrice},
	{"image_token", (*configpb.Prices).GetImageToken, money.ParsePerMillion, func(p *Prices) *money.USD { return &p.ImageToken }, promptPrice},
	{"character", (*configpb.Prices).GetCharacter, money.ParsePerMillion, func(p *Prices) *money.USD { return &p.Character }, nil},
	{"second", (*configpb.Prices).GetSecond, money.Parse, func(p *Prices) *money.USD { return &p.Second }, nil},
	{"generated_image", (*configpb.Prices).GetGeneratedImage, money.Parse, func(p *Prices) *money.USD { return &p.GeneratedImage }, nil},
	{"request", (*configpb.Prices).GetRequest, money.Parse, func(p *Prices) *money.USD { return &p.Request }, nil},
	{"image", (*configpb.Prices).GetImage, money.Parse, func(p *Prices) *money.USD { return &p.Image }, nil},
	{"web_search", (*configpb.Prices).GetWebSearch, money.Parse, func(p *Prices) *money.USD { return &p.WebSearch }, nil},
}

// version is a name for the prices, see [Endpoint.PriceVersion].
func (p Prices) version() string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%v", p)
	return strconv.FormatUint(h.Sum64(), 36)
}

// newPrices reads prices and fills in the defaults. Empty and "0" differ: cached
// tokens of no stated price cost what other prompt tokens cost, under an override
// too.
func newPrices(path string, from *configpb.Prices) (Prices, error) {
	p, failures := readPrices(path, from)
	var followers classSet
	for i, class := range classes {
		if class.text(from) == "" && class.follows != nil {
			followers |= 1 << i
			*class.of(&p) = *class.follows(&p)
		}
	}
	for i, override := range from.GetOverrides() {
		read, wrong := newOverride(fmt.Sprintf("%s.overrides[%d]", path, i), override)
		read.followers = followers
		p.Overrides = append(p.Overrides, read)
		failures = append(failures, wrong...)
	}
	return p, errors.Join(failures...)
}

// readPrices reads the prices that are stated; the others are zero.
func readPrices(path string, from *configpb.Prices) (p Prices, failures []error) {
	for _, class := range classes {
		if class.text(from) == "" {
			continue
		}
		amount, err := class.parse(class.text(from))
		if err == nil && amount < 0 {
			err = errors.New("a price is not negative")
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("%s.%s: %w", path, class.field, err))
		}
		*class.of(&p) = amount
	}
	return p, failures
}

// newOverride reads an override of prices, but for its followers.
func newOverride(path string, from *configpb.PriceOverride) (Override, []error) {
	prices, failures := readPrices(path+".prices", from.GetPrices())
	o := Override{MinPromptTokens: from.GetMinPromptTokens()}
	if (from.UtcStart == nil) != (from.UtcEnd == nil) {
		failures = append(failures, fmt.Errorf("%s: set both utc_start and utc_end, or neither", path))
	}
	var err error
	if o.From, err = minuteOfDay(from.GetUtcStart()); err != nil {
		failures = append(failures, fmt.Errorf("%s.utc_start: %w", path, err))
	}
	if o.Until, err = minuteOfDay(from.GetUtcEnd()); err != nil {
		failures = append(failures, fmt.Errorf("%s.utc_end: %w", path, err))
	}
	for i, class := range classes {
		if class.text(from.GetPrices()) != "" {
			o.stated = append(o.stated, statedPrice{i, *class.of(&prices)})
		}
	}
	return o, failures
}

// minuteOfDay reads a time of day such as 2359.
func minuteOfDay(hhmm uint32) (int, error) {
	hour, minute := int(hhmm/100), int(hhmm%100)
	if hour > 23 || minute > 59 {
		return 0, fmt.Errorf("%04d is no time of day; want HHMM such as 2300", hhmm)
	}
	return hour*60 + minute, nil
}

// Free reports whether nothing that the endpoint does costs anything.
func (p Prices) Free() bool {
	return cmp.Or(p.Prompt, p.Completion, p.CacheRead, p.CacheWrite, p.CacheWrite1h, p.Reasoning, p.Request, p.Image,
		p.Audio, p.AudioOutput, p.ImageOutput, p.ImageToken, p.GeneratedImage, p.Character, p.Second, p.WebSearch) == 0
}
