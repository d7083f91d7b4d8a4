package usage

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/money"
)

// Prices of a model as price lists have them: 3 and 15 dollars per million,
// cached tokens at a tenth, writes at 1.25 and 2 times.
var sonnet = catalog.Prices{
	Prompt: 3_000_000, Completion: 15_000_000, Reasoning: 15_000_000,
	CacheRead: 300_000, CacheWrite: 3_750_000, CacheWrite1h: 6_000_000,
	Audio: 3_000_000, AudioOutput: 15_000_000, ImageOutput: 15_000_000,
}

// noon is when nothing in these tests costs more or less than usual.
var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func TestCost(t *testing.T) {
	tests := []struct {
		name   string
		prices catalog.Prices
		tokens Tokens
		want   Charge
	}{
		{"nothing", sonnet, Tokens{}, Charge{}},
		{
			"prompt and completion", sonnet,
			Tokens{Prompt: 1000, Completion: 100},
			Charge{Prompt: dollars("0.003"), Completion: dollars("0.0015"), Total: dollars("0.0045")},
		},
		{
			"row 104: cached tokens at their own price", sonnet,
			Tokens{Prompt: 1000, CacheRead: 1000},
			Charge{Prompt: dollars("0.0003"), Total: dollars("0.0003")},
		},
		{
			"known failure 2: cached tokens are part of the prompt, not beside it", sonnet,
			Tokens{Prompt: 10_000, CacheRead: 8_000, CacheWrite: 1_000},
			Charge{Prompt: dollars("0.00915"), Total: dollars("0.00915")}, // 1000×3 + 8000×0.3 + 1000×3.75 per million
		},
		{
			"known failure 4: writes for an hour at their own price", sonnet,
			Tokens{Prompt: 1000, CacheWrite: 600, CacheWrite1h: 400},
			Charge{Prompt: dollars("0.00465"), Total: dollars("0.00465")}, // 600×3.75 + 400×6 per million
		},
		{
			"thoughts at their own price, once",
			catalog.Prices{Completion: 10_000_000, Reasoning: 2_000_000},
			Tokens{Completion: 1000, Reasoning: 400},
			Charge{Completion: dollars("0.0068"), Total: dollars("0.0068")}, // 600×10 + 400×2 per million
		},
		{
			"the request has a price, and images have",
			catalog.Prices{Request: money.Dollar / 100, Image: money.Dollar / 1000},
			Tokens{Images: 3},
			Charge{Prompt: dollars("0.003"), Total: dollars("0.013")},
		},
		{
			"row 147: each search has the price of a request",
			catalog.Prices{Request: money.Dollar / 500},
			Tokens{SearchUnits: 3},
			Charge{Total: dollars("0.006")},
		},
		{
			"searches have a price, beside what went in and came out",
			catalog.Prices{Prompt: 1_000_000, WebSearch: money.Dollar / 100},
			Tokens{Prompt: 1000, WebSearches: 3},
			Charge{Prompt: dollars("0.001"), Total: dollars("0.031")},
		},
		{
			"audio of no price of its own costs what the tokens around it cost", sonnet,
			Tokens{Prompt: 1000, AudioPrompt: 900, Completion: 100, AudioCompletion: 90},
			Charge{Prompt: dollars("0.003"), Completion: dollars("0.0015"), Total: dollars("0.0045")},
		},
		{
			"audio and images at their own prices, once",
			catalog.Prices{Prompt: 1_000_000, Audio: 32_000_000, Completion: 4_000_000, AudioOutput: 64_000_000, ImageOutput: 40_000_000},
			Tokens{Prompt: 1000, AudioPrompt: 900, Completion: 100, AudioCompletion: 50, ImageCompletion: 30},
			// 100×1 + 900×32, and 20×4 + 50×64 + 30×40 per million
			Charge{Prompt: dollars("0.0289"), Completion: dollars("0.00448"), Total: dollars("0.03338")},
		},
		{
			"audio that the cache covers is not charged beside it",
			catalog.Prices{Prompt: 1_000_000, CacheRead: 100_000, Audio: 32_000_000},
			Tokens{Prompt: 1000, CacheRead: 800, AudioPrompt: 900},
			Charge{Prompt: dollars("0.00648"), Total: dollars("0.00648")}, // 800×0.1 + 200×32 per million
		},
		{
			"image tokens of the prompt at their own price, once",
			catalog.Prices{Prompt: 5_000_000, ImageToken: 10_000_000, Completion: 40_000_000, ImageOutput: 40_000_000},
			Tokens{Prompt: 100, ImagePrompt: 80, Completion: 10, ImageCompletion: 10},
			Charge{Prompt: dollars("0.0009"), Completion: dollars("0.0004"), Total: dollars("0.0013")}, // 20×5 + 80×10, 10×40
		},
		{
			"images by the piece",
			catalog.Prices{GeneratedImage: money.Dollar / 25},
			Tokens{GeneratedImages: 3},
			Charge{Completion: dollars("0.12"), Total: dollars("0.12")},
		},
		{
			"speech by the character, and transcripts by the second",
			catalog.Prices{Character: 15_000_000, Second: money.Dollar / 10_000},
			Tokens{Characters: 1000, Seconds: 61},
			Charge{Prompt: dollars("0.0211"), Total: dollars("0.0211")},
		},
		{
			"free", catalog.Prices{},
			Tokens{Prompt: 1000, CacheRead: 10, Completion: 10, Images: 1},
			Charge{},
		},
		{
			"a single token of the cheapest model is not rounded away",
			catalog.Prices{Prompt: 1},
			Tokens{Prompt: 1},
			Charge{Prompt: 1, Total: 1},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Cost(test.prices, test.tokens, noon); got != test.want {
				t.Errorf("costs %v, want %v", got, test.want)
			}
		})
	}
}

func TestImpossibleCountsNeverLowerTheCharge(t *testing.T) {
	tests := []struct {
		name   string
		tokens Tokens
		want   money.USD
	}{
		{"negative prompt", Tokens{Prompt: -1000, Completion: 100}, dollars("0.0015")},
		{"negative completion", Tokens{Prompt: 1000, Completion: -100}, dollars("0.003")},
		{"negative parts", Tokens{Prompt: 1000, CacheRead: -500, CacheWrite: -500, CacheWrite1h: -1, Reasoning: -5, Images: -9, WebSearches: -1}, dollars("0.003")},
		{"more cached than prompted", Tokens{Prompt: 100, CacheRead: 1000}, dollars("0.0003")},
		{"more written than prompted", Tokens{Prompt: 100, CacheWrite1h: 1000}, dollars("0.006")},
		{"more heard than prompted", Tokens{Prompt: 100, AudioPrompt: 1000}, dollars("0.0003")},
		{"more spoken and drawn than answered", Tokens{Completion: 10, AudioCompletion: 1000, ImageCompletion: 1000}, dollars("0.00015")},
		{"negative audio and images", Tokens{Prompt: 1000, AudioPrompt: -500, ImagePrompt: -7, Completion: 100, AudioCompletion: -50, ImageCompletion: -9, GeneratedImages: -1, Characters: -5, Seconds: -60}, dollars("0.0045")},
		{"more thought than answered", Tokens{Completion: 10, Reasoning: 100}, dollars("0.0015")},
		{"beyond counting", Tokens{Prompt: math.MaxInt64, CacheRead: math.MaxInt64, CacheWrite: math.MaxInt64}, money.Max},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Cost(sonnet, test.tokens, noon).Total; got != test.want {
				t.Errorf("costs %s, want %s", got, test.want)
			}
		})
	}
}

// For counts that can be true: every token is charged exactly once. With one
// price for all classes it therefore does not matter how a total is made up.
func TestEveryTokenIsChargedOnce(t *testing.T) {
	const price = 7
	same := catalog.Prices{Prompt: price, Completion: price, CacheRead: price, CacheWrite: price, CacheWrite1h: price, Reasoning: price, ImageToken: price, Audio: price, AudioOutput: price, ImageOutput: price}
	random := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		var u Tokens
		u.CacheRead, u.CacheWrite, u.CacheWrite1h = random.Int64N(1e6), random.Int64N(1e6), random.Int64N(1e6)
		u.Prompt = u.CacheRead + u.CacheWrite + u.CacheWrite1h + random.Int64N(1e6)
		u.Completion = random.Int64N(1e6)
		u.Reasoning = random.Int64N(u.Completion + 1)
		u.AudioPrompt, u.AudioCompletion, u.ImageCompletion, u.ImagePrompt = random.Int64N(1e6), random.Int64N(1e6), random.Int64N(1e6), random.Int64N(1e6)
		want := Charge{
			Prompt:     money.USD(price * u.Prompt),
			Completion: money.USD(price * u.Completion),
			Total:      money.USD(price * (u.Prompt + u.Completion)),
		}
		if got := Cost(same, u, noon); got != want {
			t.Fatalf("%+v costs %v, want %v", u, got, want)
		}
	}
}

func dollars(text string) money.USD {
	amount, err := money.Parse(text)
	if err != nil {
		panic(err)
	}
	return amount
}

func BenchmarkCost(b *testing.B) {
	u := Tokens{Prompt: 10_000, CacheRead: 8_000, CacheWrite: 1_000, Completion: 500, Reasoning: 100}
	for b.Loop() {
		_ = Cost(sonnet, u, noon)
	}
}
