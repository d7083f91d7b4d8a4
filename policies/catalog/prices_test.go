package catalog

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/money"
)

// at is a time of a day in UTC.
func at(hour, minute int) time.Time { return time.Date(2026, 11, 25, hour, minute, 0, 0, time.UTC) }

func pricesOf(t *testing.T, from *configpb.Prices) Prices {
	t.Helper()
	p, err := newPrices("prices", from)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// over is a price that holds for prompts of more tokens than some.
func over(tokens int64, prices *configpb.Prices) *configpb.PriceOverride {
	return &configpb.PriceOverride{MinPromptTokens: tokens, Prices: prices}
}

// during is a prompt price that holds between two times of the day.
func during(start, end uint32, prompt string) *configpb.PriceOverride {
	return &configpb.PriceOverride{UtcStart: proto.Uint32(start), UtcEnd: proto.Uint32(end), Prices: &configpb.Prices{Prompt: prompt}}
}

func TestRow198PriceOverride(t *testing.T) {
	p := pricesOf(t, &configpb.Prices{Prompt: "1.25", Completion: "10", Overrides: []*configpb.PriceOverride{
		over(200_000, &configpb.Prices{Prompt: "2.5"}),
	}})
	for _, test := range []struct {
		tokens int64
		want   money.USD
	}{{0, 1_250_000}, {200_000, 1_250_000}, {200_001, 2_500_000}} {
		got := p.At(test.tokens, at(12, 0))
		if got.Prompt != test.want || got.Completion != 10_000_000 {
			t.Errorf("%d tokens: prompt %s, completion %s", test.tokens, got.Prompt, got.Completion)
		}
		if got.Overrides != nil {
			t.Errorf("%d tokens: prices that hold still have overrides", test.tokens)
		}
	}
}

func TestRow199TimeOverride(t *testing.T) {
	for _, test := range []struct {
		name       string
		start, end uint32
		now        time.Time
		applies    bool
	}{
		{"before it opens", 2300, 400, at(22, 59), false},
		{"as it opens", 2300, 400, at(23, 0), true},
		{"at midnight", 2300, 400, at(0, 0), true},
		{"its last minute", 2300, 400, at(3, 59), true},
		{"as it closes", 2300, 400, at(4, 0), false},
		{"at noon", 2300, 400, at(12, 0), false},
		{"within a day: before", 1630, 1700, at(16, 29), false},
		{"within a day: in it", 1630, 1700, at(16, 30), true},
		{"within a day: closed", 1630, 1700, at(17, 0), false},
		{"all day", 800, 800, at(3, 0), true},
		{"another time zone", 2300, 400, at(23, 30).In(time.FixedZone("", 5*3600)), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := pricesOf(t, &configpb.Prices{Prompt: "2", Overrides: []*configpb.PriceOverride{during(test.start, test.end, "1")}})
			if got := p.At(0, test.now).Prompt == 1_000_000; got != test.applies {
				t.Errorf("applies: %t", got)
			}
		})
	}
}

func TestAllConditionsOfAnOverrideMustBeMet(t *testing.T) {
	both := during(2300, 400, "1")
	both.MinPromptTokens = 1000
	p := pricesOf(t, &configpb.Prices{Prompt: "2", Overrides: []*configpb.PriceOverride{both}})
	for _, test := range []struct {
		tokens int64
		now    time.Time
		want   money.USD
	}{
		{1001, at(23, 30), 1_000_000}, {1000, at(23, 30), 2_000_000}, {1001, at(12, 0), 2_000_000},
	} {
		if got := p.At(test.tokens, test.now).Prompt; got != test.want {
			t.Errorf("%d tokens at %s: %s", test.tokens, test.now, got)
		}
	}
}

func TestLaterOverrideWinsPriceByPrice(t *testing.T) {
	p := pricesOf(t, &configpb.Prices{Prompt: "1", Completion: "2", Request: "0.1", Overrides: []*configpb.PriceOverride{
		over(100, &configpb.Prices{Prompt: "3", Completion: "4", Request: "0.2"}),
		over(1000, &configpb.Prices{Prompt: "5"}),
		over(5000, &configpb.Prices{Completion: "0"}),
	}})
	type stated struct{ Prompt, Completion, Request string }
	for tokens, want := range map[int64]stated{
		100:  {"0.000001", "0.000002", "0.1"},
		101:  {"0.000003", "0.000004", "0.2"},
		1001: {"0.000005", "0.000004", "0.2"},
		5001: {"0.000005", "0", "0.2"},
	} {
		got := p.At(tokens, at(12, 0))
		if diff := cmp.Diff(want, stated{got.Prompt.String(), got.Completion.String(), got.Request.String()}); diff != "" {
			t.Errorf("%d tokens (-want +got):\n%s", tokens, diff)
		}
	}
}

// A class that states no price anywhere costs what the class around it costs, also
// under an override; one that states a price keeps it.
func TestFollowersUnderOverrides(t *testing.T) {
	for _, test := range []struct {
		name           string
		base, override *configpb.Prices
		of             func(Prices) money.USD
		want           money.USD
	}{
		{"cache read follows the prompt", &configpb.Prices{Prompt: "1"}, &configpb.Prices{Prompt: "2"}, func(p Prices) money.USD { return p.CacheRead }, 2_000_000},
		{"a stated cache read stays", &configpb.Prices{Prompt: "1", CacheRead: "0.1"}, &configpb.Prices{Prompt: "2"}, func(p Prices) money.USD { return p.CacheRead }, 100_000},
		{"a cache read of zero is stated", &configpb.Prices{Prompt: "1", CacheRead: "0"}, &configpb.Prices{Prompt: "2"}, func(p Prices) money.USD { return p.CacheRead }, 0},
		{"the override's own cache read", &configpb.Prices{Prompt: "1"}, &configpb.Prices{Prompt: "2", CacheRead: "0.5"}, func(p Prices) money.USD { return p.CacheRead }, 500_000},
		{"writes for an hour follow writes, which follow the prompt", &configpb.Prices{Prompt: "1"}, &configpb.Prices{Prompt: "2"}, func(p Prices) money.USD { return p.CacheWrite1h }, 2_000_000},
		{"writes for an hour follow the override's writes", &configpb.Prices{Prompt: "1"}, &configpb.Prices{CacheWrite: "3"}, func(p Prices) money.USD { return p.CacheWrite1h }, 3_000_000},
		{"reasoning follows the completion", &configpb.Prices{Completion: "1"}, &configpb.Prices{Completion: "2"}, func(p Prices) money.USD { return p.Reasoning }, 2_000_000},
		{"audio follows the prompt", &configpb.Prices{Prompt: "1"}, &configpb.Prices{Prompt: "2"}, func(p Prices) money.USD { return p.Audio }, 2_000_000},
		{"image tokens of the prompt follow the prompt", &configpb.Prices{Prompt: "1"}, &configpb.Prices{Prompt: "2"}, func(p Prices) money.USD { return p.ImageToken }, 2_000_000},
		{"images of the answer follow the completion", &configpb.Prices{Completion: "1"}, &configpb.Prices{Completion: "2"}, func(p Prices) money.USD { return p.ImageOutput }, 2_000_000},
		{"nothing follows what does not change", &configpb.Prices{Prompt: "1"}, &configpb.Prices{Completion: "2"}, func(p Prices) money.USD { return p.CacheRead }, 1_000_000},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.base.Overrides = []*configpb.PriceOverride{over(10, test.override)}
			if got := test.of(pricesOf(t, test.base).At(11, at(12, 0))); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// What one override states must not keep a class from following in another, where
// both apply or only one does.
func TestFollowersAmongSeveralOverrides(t *testing.T) {
	p := pricesOf(t, &configpb.Prices{Prompt: "1", Overrides: []*configpb.PriceOverride{
		over(10, &configpb.Prices{Prompt: "2", CacheRead: "0.2"}),
		over(100, &configpb.Prices{Prompt: "4"}),
	}})
	if got := p.At(101, at(12, 0)); got.Prompt != 4_000_000 || got.CacheRead != 200_000 {
		t.Errorf("prompt %s, cache read %s", got.Prompt, got.CacheRead)
	}
	night := during(2300, 400, "2")
	night.Prices.CacheRead = "0.2"
	p = pricesOf(t, &configpb.Prices{Prompt: "1", Overrides: []*configpb.PriceOverride{night, over(100, &configpb.Prices{Prompt: "4"})}})
	if got := p.At(101, at(12, 0)); got.CacheRead != 4_000_000 {
		t.Errorf("by day cache read is %s and not the prompt's price", got.CacheRead)
	}
	if got := p.At(101, at(23, 0)); got.Prompt != 4_000_000 || got.CacheRead != 200_000 {
		t.Errorf("by night prompt %s, cache read %s", got.Prompt, got.CacheRead)
	}
}

func TestOverrideTellsWhatItStates(t *testing.T) {
	p := pricesOf(t, &configpb.Prices{Prompt: "1", Completion: "5", Overrides: []*configpb.PriceOverride{
		{MinPromptTokens: 200_000, UtcStart: proto.Uint32(2330), UtcEnd: proto.Uint32(405), Prices: &configpb.Prices{Prompt: "2", CacheRead: "0", WebSearch: "0.01"}},
		over(7, &configpb.Prices{Completion: "1"}),
	}})
	got := map[string]string{}
	for class, amount := range p.Overrides[0].Stated() {
		got[class] = amount.String()
	}
	if diff := cmp.Diff(map[string]string{"prompt": "0.000002", "cache_read": "0", "web_search": "0.01"}, got); diff != "" {
		t.Errorf("stated (-want +got):\n%s", diff)
	}
	if start, end, limited := p.Overrides[0].Window(); start != 2330 || end != 405 || !limited {
		t.Errorf("window %d to %d, limited: %t", start, end, limited)
	}
	if _, _, limited := p.Overrides[1].Window(); limited {
		t.Error("an override for all day has a window")
	}
}

func TestWrongOverridesAreNamed(t *testing.T) {
	for want, override := range map[string]*configpb.PriceOverride{
		"prices.overrides[0]: set both utc_start and utc_end":   {UtcStart: proto.Uint32(2300)},
		"prices.overrides[0].utc_end: 2460 is no time of day":   {UtcStart: proto.Uint32(0), UtcEnd: proto.Uint32(2460)},
		"prices.overrides[0].utc_start: 0075 is no time of day": {UtcStart: proto.Uint32(75), UtcEnd: proto.Uint32(100)},
		"prices.overrides[0].prices.prompt":                     over(1, &configpb.Prices{Prompt: "-1"}),
	} {
		_, err := newPrices("prices", &configpb.Prices{Overrides: []*configpb.PriceOverride{override}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one of %q", err, want)
		}
	}
}

func BenchmarkPricesAt(b *testing.B) {
	p, err := newPrices("prices", &configpb.Prices{Prompt: "1", Overrides: []*configpb.PriceOverride{over(10, &configpb.Prices{Prompt: "2"})}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = p.At(11, at(12, 0))
	}
}
