package catalog

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/money"
)

func TestIndex(t *testing.T) {
	model := func(created int64, prices ...string) *configpb.Model {
		made := &configpb.Model{Created: created}
		for i, price := range prices {
			made.Endpoints = append(made.Endpoints, &configpb.Endpoint{Provider: "a", Tag: string(rune('a' + i)), Prices: &configpb.Prices{Prompt: price}})
		}
		return made
	}
	built, err := New(&configpb.Config{
		Providers: map[string]*configpb.Provider{"a": {Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "https://provider.example"}},
		Models: map[string]*configpb.Model{
			"m/free": model(1, "0", "0"), "m/mixed": model(3, "0", "9"), "m/dear": model(2, "5"), "m/cheap": model(2, "4", "8"), "m/dear:free": model(9, "0"),
			"e/x": {OutputModalities: []string{"embeddings"}, Endpoints: []*configpb.Endpoint{{Provider: "a"}}},
		},
	}, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	type place struct {
		ID         string
		Percentile int
	}
	var got []place
	for _, ranked := range built.Ranked() {
		got = append(got, place{ranked.ID, ranked.Percentile})
	}
	// The newest first, the cheaper of two of one age; equal prices, equal percentiles.
	want := []place{{"m/mixed", 0}, {"m/cheap", 50}, {"m/dear", 75}, {"m/free", 0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ranked (-want +got):\n%s", diff)
	}
	var free []string
	for _, model := range built.Free() {
		free = append(free, model.ID)
	}
	if diff := cmp.Diff([]string{"m/dear:free", "m/free"}, free); diff != "" {
		t.Errorf("free (-want +got):\n%s", diff)
	}
}

func TestNominalPrice(t *testing.T) {
	prices := Prices{Prompt: 2, Completion: 5, Request: 7, Image: 1000}
	if got := prices.Nominal(); got != 3000*2+1000*5+7 {
		t.Errorf("%d picodollars", got)
	}
	others := Prices{GeneratedImage: 3, Character: 5, Second: 7}
	if got := others.Nominal(); got != 3+1000*5+60*7 {
		t.Errorf("%d picodollars for an image, speech and a minute", got)
	}
}

func TestCheapest(t *testing.T) {
	endpoint := func(tag, tier string, prompt, completion money.USD) *Endpoint {
		return &Endpoint{Tag: tag, ServiceTier: tier, Prices: Prices{Prompt: prompt, Completion: completion}}
	}
	dear, cheap, flex, slow := endpoint("dear", "", 1, 9), endpoint("cheap", "", 2, 4), endpoint("flex", "flex", 1, 1), endpoint("slow", "flex", 0, 1)
	for name, test := range map[string]struct {
		endpoints []*Endpoint
		want      *Endpoint
	}{
		"none":                             {nil, nil},
		"prompt and completion count":      {[]*Endpoint{dear, cheap}, cheap},
		"the first of two":                 {[]*Endpoint{cheap, endpoint("same", "", 2, 4)}, cheap},
		"not of a tier":                    {[]*Endpoint{dear, flex}, dear},
		"not of a tier, which comes first": {[]*Endpoint{flex, dear, cheap}, cheap},
		"only of a tier":                   {[]*Endpoint{flex, slow}, slow},
	} {
		if got := (&Model{Endpoints: test.endpoints}).Cheapest(); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
