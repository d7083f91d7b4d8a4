package routing

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/money"
)

func usd(n money.USD) *money.USD { return &n }

func TestParsePreferences(t *testing.T) {
	tests := []struct {
		name, provider, plugins, transforms, route string

		want Preferences
	}{
		{name: "nothing"},
		{name: "null", provider: "null", plugins: "null"},
		{name: "row 15: unknown members, and null ones", provider: `{"foo":{"bar":[1]},"sort":null,"only":null}`},
		{name: "order", provider: `{"order":["a","B"],"allow_fallbacks":false}`, want: Preferences{Order: []string{"a", "B"}, NoFallbacks: true}},
		{name: "allow_fallbacks", provider: `{"allow_fallbacks":true}`},
		{name: "require_parameters", provider: `{"require_parameters":true}`, want: Preferences{RequireParameters: true}},
		{
			name:     "constraints",
			provider: `{"only":[],"ignore":["x"],"data_collection":"deny","zdr":true,"enforce_distillable_text":true,"quantizations":["fp8","unknown"],"min_quantization":"fp8","regions":["eu"],"jurisdictions":["DE"]}`,
			want: Preferences{Constraints: Constraints{
				Ignore: []string{"x"}, DenyDataCollection: true, ZDR: true, Distillable: true,
				Quantizations: []string{"fp8", "unknown"}, MinQuantization: "fp8", Regions: []string{"eu"}, Jurisdictions: []string{"DE"},
			}},
		},
		{name: "lists that nobody filled in", provider: `{"order":[],"only":[],"ignore":[],"quantizations":[],"regions":[],"jurisdictions":[]}`, want: Preferences{Order: []string{}, Constraints: Constraints{Ignore: []string{}}}},
		{name: "a quantization named twice", provider: `{"quantizations":["fp8","fp4","fp8"]}`, want: Preferences{Constraints: Constraints{Quantizations: []string{"fp8", "fp4"}}}},
		{name: "stars in a row", plugins: `[{"id":"auto-router","allowed_models":["` + strings.Repeat("*", 1000) + `/x***"]}]`, want: Preferences{Auto: AutoRouter{Allowed: []string{"*/x*"}}}},
		{name: "row 37: sort", provider: `{"sort":"price"}`, want: Preferences{Sort: SortPrice}},
		{name: "row 39: partition model", provider: `{"sort":{"by":"throughput","partition":"model"}}`, want: Preferences{Sort: SortThroughput}},
		{name: "row 40: partition none", provider: `{"sort":{"by":"latency","partition":"none"}}`, want: Preferences{Sort: SortLatency, Global: true}},
		{name: "row 41: route", route: "sort", want: Preferences{Global: true}},
		{name: "row 41: route fallback", route: "fallback"},
		{name: "row 41: partition wins over route", route: "sort", provider: `{"sort":{"partition":"model"}}`},
		{
			name: "row 46: prices per million and per unit", provider: `{"max_price":{"prompt":"1","completion":2.5,"request":"0.01","image":0.002,"audio":"1e-6"}}`,
			want: Preferences{Constraints: Constraints{MaxPrice: MaxPrice{
				Prompt: usd(1_000_000), Completion: usd(2_500_000), Request: usd(10_000_000_000), Image: usd(2_000_000_000), Audio: usd(1_000_000),
			}}},
		},
		{name: "row 48: percentiles", provider: `{"preferred_max_latency":{"p50":1,"p90":3}}`, want: Preferences{MaxLatency: Thresholds{P50: 1, P90: 3}}},
		{name: "row 49: a number is p50", provider: `{"preferred_min_throughput":50}`, want: Preferences{MinThroughput: Thresholds{P50: 50}}},
		{name: "web", plugins: `[{"id":"web","max_results":2}]`, want: Preferences{Web: true}},
		{name: "web, off", plugins: `[{"id":"web","enabled":false}]`},
		{name: "row 117: compression", plugins: `[{"id":"context-compression","engine":"middle-out"}]`, want: Preferences{Compression: On}},
		{name: "row 117: compression, off", plugins: `[{"id":"context-compression","enabled":false}]`, want: Preferences{Compression: Off}},
		{name: "transforms", transforms: `["middle-out"]`, want: Preferences{Compression: On}},
		{name: "transforms, none", transforms: `[]`, want: Preferences{Compression: Off}},
		{name: "transforms, null", transforms: `null`},
		{name: "a plugin wins over transforms", plugins: `[{"id":"context-compression","enabled":true}]`, transforms: `[]`, want: Preferences{Compression: On}},
		{name: "row 119: healing", plugins: `[{"id":"response-healing"}]`, want: Preferences{Healing: true}},
		{name: "row 119: healing, off", plugins: `[{"id":"response-healing","enabled":false}]`},
		{name: "a plugin that nobody knows", plugins: `[{"id":"crystal-ball","depth":"any","enabled":true}]`},
		{name: "another plugin", plugins: `[{"id":"file-parser"}]`},
		{
			name: "row 130: auto router", plugins: `[{"id":"auto-router","allowed_models":["m/*"],"excluded_models":["m/y"],"cost_tier":"low","pin_model":true}]`,
			want: Preferences{Auto: AutoRouter{Allowed: []string{"m/*"}, Excluded: []string{"m/y"}, CostTier: "low", PinModel: true}},
		},
		{name: "auto router, off", plugins: `[{"id":"auto-router","allowed_models":["m/*"],"enabled":false}]`},
		{name: "pareto router", plugins: `[{"id":"pareto-router","min_coding_score":0.66,"max_price":3}]`, want: Preferences{Pareto: ParetoRouter{MinCodingScore: 0.66, MaxPrice: usd(3_000_000)}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParsePreferences([]byte(test.provider), []byte(test.plugins), []byte(test.transforms), test.route)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRow36PreferencesAreRefused(t *testing.T) {
	tests := []struct{ provider, plugins, transforms, route, want string }{
		{provider: `{"quantizations":["fp3"]}`, want: `provider.quantizations[0]: "fp3" is not valid; want one of int4, int8, fp4, mxfp4, nvfp4, fp6, fp8, mxfp8, fp16, bf16, fp32, unknown`},
		{provider: `{"min_quantization":"unknown"}`, want: `provider.min_quantization: "unknown" is not valid`},
		{provider: `{"order":"a"}`, want: "provider.order: want an array of strings"},
		{provider: `{"only":[1]}`, want: "provider.only: want an array of strings"},
		{provider: `{"zdr":"yes"}`, want: "provider.zdr: want true or false"},
		{provider: `{"data_collection":"never"}`, want: `provider.data_collection: "never" is not valid; want one of allow, deny`},
		{provider: `{"sort":"fast"}`, want: `provider.sort: "fast" is not valid; want one of price, throughput, latency, exacto`},
		{provider: `{"sort":{"by":7}}`, want: "provider.sort.by: want one of price"},
		{provider: `{"sort":{"partition":"all"}}`, want: `provider.sort.partition: "all" is not valid; want one of model, none`},
		{provider: `{"preferred_max_latency":{"p90":-1}}`, want: "provider.preferred_max_latency.p90: want a number that is not negative"},
		{provider: `{"preferred_min_throughput":"50"}`, want: "provider.preferred_min_throughput: want a number"},
		{provider: `{"max_price":{"prompt":"one"}}`, want: "provider.max_price.prompt: "},
		{provider: `{"max_price":{"image":-1}}`, want: "provider.max_price.image: a price is not negative"},
		{provider: `{"max_price":3}`, want: "provider.max_price: want an object"},
		{provider: `[]`, want: "provider: want an object"},
		{provider: `{"zdr":true,"zdr":false}`, want: "provider: not valid JSON"},
		{provider: `{"zdr":`, want: "provider: not valid JSON"},
		{plugins: `{}`, want: "plugins: want an array of objects"},
		{plugins: `["web"]`, want: "plugins[0]: want an object"},
		{plugins: `[{"enabled":true}]`, want: "plugins[0].id: want the name of a plugin"},
		{plugins: `[{"id":"auto-router","cost_tier":"cheap"}]`, want: `plugins[0].cost_tier: "cheap" is not valid`},
		{plugins: `[{"id":"auto-router","allowed_models":["` + strings.Repeat("m", 1025) + `"]}]`, want: "plugins[0].allowed_models[0]: a pattern has at most"},
		{plugins: `[{"id":"auto-router","allowed_models":` + listOf(1025) + `}]`, want: "plugins[0].allowed_models: want at most 1024 entries, not 1025"},
		{plugins: `[{"id":"auto-router","excluded_models":["` + strings.Repeat("*m", 129) + `"]}]`, want: "plugins[0].excluded_models: want patterns with at most 128 stars together"},
		{plugins: `[{"id":"auto-router","allowed_models":[` + strings.TrimSuffix(strings.Repeat(`"`+strings.Repeat("m", 1024)+`",`, 65), ",") + `]}]`, want: "plugins[0].allowed_models: want patterns of at most 65536 characters"},
		{plugins: `[{"id":"pareto-router","min_coding_score":2}]`, want: "plugins[0].min_coding_score: want a number from 0 to 1"},
		{plugins: `[{"id":"web"},{"id":"context-compression","engine":"zip"}]`, want: `plugins[1].engine: "zip" is not valid; want one of middle-out`},
		{plugins: `[{"id":"context-compression","engine":1}]`, want: "plugins[0].engine: want one of middle-out"},
		{plugins: `[{"id":"response-healing","enabled":"yes"}]`, want: "plugins[0].enabled: want true or false"},
		{plugins: `[{"id":"web","max_results":"5"}]`, want: "plugins[0].max_results: want a number"},
		{plugins: `[{"id":"web","engine":["exa"]}]`, want: "plugins[0].engine: want a string"},
		{plugins: `[{"id":"web","include_domains":"example.com"}]`, want: "plugins[0].include_domains: want an array of strings"},
		{plugins: `[{"id":"web","user_location":"here"}]`, want: "plugins[0].user_location: want an object"},
		{plugins: `[{"id":"auto-router","cost_quality_tradeoff":"low"}]`, want: "plugins[0].cost_quality_tradeoff: want a number"},
		{transforms: `["middle-out",1]`, want: "transforms: want an array of strings"},
		{route: "random", want: `route: "random" is not valid; want fallback or sort`},
	}
	for _, test := range tests {
		_, err := ParsePreferences([]byte(test.provider), []byte(test.plugins), []byte(test.transforms), test.route)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s%s%s: error %v, want %s", test.provider, test.plugins, test.route, err, test.want)
		}
	}
}

// listOf is an array of so many strings.
func listOf(length int) string {
	return "[" + strings.TrimSuffix(strings.Repeat(`"x",`, length), ",") + "]"
}

func TestListsAreBounded(t *testing.T) {
	for _, member := range []string{"order", "only", "ignore", "quantizations", "regions", "jurisdictions"} {
		_, err := ParsePreferences([]byte(`{"`+member+`":`+listOf(257)+`}`), nil, nil, "")
		if want := "provider." + member + ": want at most 256 entries, not 257"; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if _, err := ParsePreferences([]byte(`{"order":`+listOf(256)+`}`), nil, nil, ""); err != nil {
		t.Error(err)
	}
}

func TestNewConstraints(t *testing.T) {
	if got, err := NewConstraints(nil); got != nil || err != nil {
		t.Errorf("no policy: %+v, %v", got, err)
	}
	got, err := NewConstraints(&configpb.Policy{
		Only: []string{"a"}, IgnoredModels: []string{"m/*"}, DataCollection: configpb.DataCollection_DATA_COLLECTION_DENY,
		Zdr: true, NoTraining: true, MinQuantization: "fp8", MaxPrice: &configpb.MaxPrice{Prompt: "1", Request: "0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := &Constraints{
		Only: []string{"a"}, IgnoredModels: []string{"m/*"}, DenyDataCollection: true, NoFreeTraining: true, NoPaidTraining: true, ZDR: true, MinQuantization: "fp8",
		MaxPrice: MaxPrice{Prompt: usd(1_000_000), Request: usd(0)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := NewConstraints(&configpb.Policy{MaxPrice: &configpb.MaxPrice{Image: "much"}}); err == nil || !strings.HasPrefix(err.Error(), "max_price.image: ") {
		t.Errorf("error %v", err)
	}
}

// Whatever comes in from the network is either read or refused with the field's name.
func FuzzParsePreferences(f *testing.F) {
	f.Add([]byte(`{"order":["a"],"sort":{"by":"price","partition":"none"},"max_price":{"prompt":"1e-3"}}`), []byte(`[{"id":"auto-router","allowed_models":["m/*"]}]`), []byte(`["middle-out"]`), "sort")
	f.Add([]byte(`{"preferred_max_latency":{"p50":1e999}}`), []byte(`[{"id":"web","enabled":false}]`), []byte(`[1]`), "")
	f.Add([]byte(` {"a":`), []byte(`null`), []byte(` [`), "fallback")
	f.Fuzz(func(t *testing.T, provider, plugins, transforms []byte, route string) {
		p, err := ParsePreferences(provider, plugins, transforms, route)
		if err != nil {
			field := err.Error()
			if end := strings.IndexAny(field, ".[:"); end > 0 {
				field = field[:end]
			}
			if !slices.Contains([]string{"provider", "plugins", "transforms", "route"}, field) {
				t.Errorf("error %q names no field", err)
			}
			return
		}
		for _, bound := range []*money.USD{p.MaxPrice.Prompt, p.MaxPrice.Completion, p.MaxPrice.Request, p.MaxPrice.Image, p.MaxPrice.Audio} {
			if bound != nil && *bound < 0 {
				t.Errorf("a bound of %s", bound)
			}
		}
	})
}
