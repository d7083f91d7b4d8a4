package usage

import (
	"math/rand/v2"
	"testing"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/money"
)

// tiered are prices that rise with the prompt, and for cached tokens at that.
func tiered(t testing.TB) catalog.Prices {
	t.Helper()
	models, err := catalog.New(&configpb.Config{
		Providers: map[string]*configpb.Provider{"a": {Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "https://a.example"}},
		Models: map[string]*configpb.Model{"m/x": {Endpoints: []*configpb.Endpoint{{Provider: "a", Prices: &configpb.Prices{
			Prompt: "1", Completion: "4", CacheWrite: "1.25", Reasoning: "5", Request: "0.01", Image: "0.002", WebSearch: "0.03",
			Audio: "8", ImageToken: "11", AudioOutput: "12", ImageOutput: "30",
			Overrides: []*configpb.PriceOverride{
				{MinPromptTokens: 1000, Prices: &configpb.Prices{Prompt: "3", CacheWrite_1H: "7"}},
				{MinPromptTokens: 5000, Prices: &configpb.Prices{Prompt: "2", Completion: "9", CacheWrite_1H: "4"}},
			},
		}}}}},
	}, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	endpoint, _ := models.Endpoint("m/x|a")
	return endpoint.Prices
}

// Known failure 15: whatever an answer within the bounds turns out to be, it costs no
// more than was reserved for it.
func TestNothingCostsMoreThanItsCeiling(t *testing.T) {
	prices := tiered(t)
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		most := Tokens{
			Prompt: random.Int64N(8000), Completion: random.Int64N(3000), Images: random.Int64N(4),
			SearchUnits: random.Int64N(3), WebSearches: random.Int64N(3),
			AudioPrompt: random.Int64N(2), ImagePrompt: random.Int64N(2), AudioCompletion: random.Int64N(2), ImageCompletion: random.Int64N(2),
		}
		bound := CeilingOf(prices, most, noon).Cost(most.Prompt, most.Completion)
		used := Tokens{Prompt: random.Int64N(most.Prompt + 1), Completion: random.Int64N(most.Completion + 1), Images: most.Images}
		used.CacheWrite1h = random.Int64N(used.Prompt + 1)
		used.CacheWrite = random.Int64N(used.Prompt - used.CacheWrite1h + 1)
		used.Reasoning = random.Int64N(used.Completion + 1)
		part := func(expected, whole int64) int64 { return min(expected, 1) * random.Int64N(whole+1) }
		used.AudioPrompt, used.ImagePrompt = part(most.AudioPrompt, used.Prompt), part(most.ImagePrompt, used.Prompt)
		used.AudioCompletion, used.ImageCompletion = part(most.AudioCompletion, used.Completion), part(most.ImageCompletion, used.Completion)
		used.SearchUnits, used.WebSearches = random.Int64N(most.SearchUnits+1), random.Int64N(most.WebSearches+1)
		if cost := Cost(prices, used, noon).Total; cost > bound {
			t.Fatalf("%+v costs %v, above the %v that was reserved for %+v", used, cost, bound, most)
		}
	}
}

func TestCeilingOfAudioAndImages(t *testing.T) {
	prices := catalog.Prices{Prompt: 1, Audio: 10, ImageToken: 5, Completion: 2, AudioOutput: 20, ImageOutput: 30}
	for _, test := range []struct {
		most Tokens
		want Ceiling
	}{
		{Tokens{}, Ceiling{Prompt: 1, Completion: 2}},
		{Tokens{AudioPrompt: 1}, Ceiling{Prompt: 10, Completion: 2}},
		{Tokens{Images: 1}, Ceiling{Prompt: 1, Completion: 2}},
		{Tokens{ImagePrompt: 1}, Ceiling{Prompt: 5, Completion: 2}},
		{Tokens{ImagePrompt: 1, AudioPrompt: 1}, Ceiling{Prompt: 10, Completion: 2}},
		{Tokens{AudioCompletion: 1}, Ceiling{Prompt: 1, Completion: 20}},
		{Tokens{AudioCompletion: 1, ImageCompletion: 1}, Ceiling{Prompt: 1, Completion: 30}},
	} {
		if got := CeilingOf(prices, test.most, noon); got != test.want {
			t.Errorf("%+v: %+v, want %+v", test.most, got, test.want)
		}
	}
}

// Row 166: the number that a client is told is the one that would be admitted.
func TestRow166Affords(t *testing.T) {
	ceiling := CeilingOf(tiered(t), Tokens{Prompt: 100}, noon)
	for _, budget := range []string{"0.0102", "0.02", "1"} {
		amount := dollars(budget)
		most := ceiling.Affords(amount, 100)
		if ceiling.Cost(100, most) > amount || ceiling.Cost(100, most+1) <= amount {
			t.Errorf("$%s affords %d tokens, at %v, or %v for one more", budget, most, ceiling.Cost(100, most), ceiling.Cost(100, most+1))
		}
	}
	if got := ceiling.Affords(dollars("0.01"), 100); got != -1 {
		t.Errorf("what does not pay for the prompt affords %d tokens", got)
	}
	if got := (Ceiling{Prompt: 1}).Affords(money.Dollar, 100); got < 1e15 {
		t.Errorf("a dollar affords %d free tokens", got)
	}
}
