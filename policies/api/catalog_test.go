package api

import (
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/identity"
)

// market is the API over models that differ in all that can be asked for:
// "old/cheap" of 2020, "new/dear" of 2026 and the router "openrouter/auto".
func market(t testing.TB) Options {
	t.Helper()
	options := gateway(t)
	models, err := catalog.New(&configpb.Config{
		Providers: map[string]*configpb.Provider{
			"here": {
				Name: "Here", Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "http://here.example", Region: "eu",
				DataPolicy: &configpb.DataPolicy{NoRetention: true}, Headquarters: "DE", Datacenters: []string{"DE"},
				StatusPageUrl: "https://status.here.example",
			},
			"there": {Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "http://there.example", Region: "us"},
		},
		Models: map[string]*configpb.Model{
			"old/cheap": {
				Name: "Cheap", Created: 1577836800, ContextLength: 4000, Distillable: true, Tokenizer: "Llama3",
				Endpoints: []*configpb.Endpoint{{Provider: "here", Prices: &configpb.Prices{Prompt: "0.5", Completion: "1"}}},
			},
			"new/dear": {
				Name: "Dear", Created: 1767225600, ContextLength: 200000, Description: "Thinks long.",
				Reasoning: &configpb.Reasoning{Mandatory: true, SupportedEfforts: []string{"low", "high"}},
				Endpoints: []*configpb.Endpoint{{Provider: "there", Prices: &configpb.Prices{Prompt: "5", Completion: "25", WebSearch: "0.01"}}},
			},
			"new/gone":    {Endpoints: []*configpb.Endpoint{{Provider: "there", Disabled: true}}},
			"new/painter": {OutputModalities: []string{"image"}, Endpoints: []*configpb.Endpoint{{Provider: "there"}}},
			"new/film":    {OutputModalities: []string{"video"}, Endpoints: []*configpb.Endpoint{{Provider: "there"}}},
		},
		Aliases: map[string]string{"~new/latest": "new/dear"},
	}, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	options.Catalog = func() *catalog.Catalog { return models }
	options.Routers = []string{"openrouter/auto"}
	options.Statistics = func(endpointID string) Statistics {
		if endpointID == "old/cheap|here" {
			return Statistics{
				Uptime30m: new(99.5), ToolSuccess: new(0.9), Status: StatusDegraded,
				Latency: &Percentiles{P50: 200}, Throughput: &Percentiles{P50: 80},
			}
		}
		return Statistics{}
	}
	return options
}

func TestRow149Filters(t *testing.T) {
	const cheap, dear, auto = "old/cheap", "new/dear", "openrouter/auto"
	tests := []struct {
		query string
		want  []string
	}{
		{"", []string{dear, cheap, auto}},
		{"sort=newest", []string{dear, cheap, auto}},
		{"sort=most-popular", []string{dear, cheap, auto}},
		{"sort=pricing-low-to-high", []string{cheap, dear, auto}},
		{"sort=pricing-high-to-low", []string{dear, cheap, auto}},
		{"sort=context-high-to-low", []string{dear, cheap, auto}},
		{"sort=throughput-high-to-low", []string{cheap, dear, auto}},
		{"sort=latency-low-to-high", []string{cheap, dear, auto}},
		{"q=THINKS+dear", []string{dear}},
		{"q=thinks+cheap", []string{}},
		{"context=4000", []string{dear, cheap}},
		{"context=4001", []string{dear}},
		{"min_price=0.5&max_price=1", []string{cheap}},
		{"min_price=0.51", []string{dear}},
		{"max_price=5", []string{dear, cheap}},
		{"max_output_price=24.99", []string{cheap}},
		{"min_output_price=1.01", []string{dear}},
		{"arch=llama3", []string{cheap}},
		{"model_authors=new,nobody", []string{dear}},
		{"providers=here", []string{cheap}},
		{"providers=there&region=eu", []string{}},
		{"distillable=true", []string{cheap}},
		{"distillable=false", []string{dear}},
		{"zdr=true", []string{cheap}},
		{"zdr=false", []string{dear, cheap, auto}},
		{"region=us", []string{dear}},
		{"min_age_days=1825", []string{cheap}},
		{"max_age_days=1825", []string{dear}},
		{"min_tool_success_rate=0.9", []string{cheap}},
		{"max_tool_success_rate=0.8", []string{}},
		{"category=marketing/seo", []string{}},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			got := decode[list](t, ask(market(t), "GET", "/api/v1/models?"+test.query))
			if diff := cmp.Diff(test.want, got.ids()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			type count struct {
				Count int `json:"count"`
			}
			if counted := decode[data[count]](t, ask(market(t), "GET", "/api/v1/models/count?"+test.query)); counted.Data.Count != len(test.want) {
				t.Errorf("row 155: counts %d", counted.Data.Count)
			}
		})
	}
}

// Of several endpoints the cheapest stands for the model, whichever is listed first.
func TestRow149PriceIsThatOfTheCheapestEndpoint(t *testing.T) {
	options := gateway(t)
	priced := func(tag, prompt, completion string, context int64) *configpb.Endpoint {
		return &configpb.Endpoint{Provider: "p", Tag: tag, ContextLength: context, Prices: &configpb.Prices{Prompt: prompt, Completion: completion}}
	}
	models, err := catalog.New(&configpb.Config{
		Providers: map[string]*configpb.Provider{"p": {Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "http://p.example"}},
		Models: map[string]*configpb.Model{
			"m/one": {Endpoints: []*configpb.Endpoint{priced("p", "5", "5", 1000)}},
			"m/two": {Endpoints: []*configpb.Endpoint{priced("p/dear", "9", "9", 8000), priced("p/cheap", "1", "2", 4000)}},
		},
	}, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	options.Catalog = func() *catalog.Catalog { return models }
	two := decode[data[wireModel]](t, ask(options, "GET", "/api/v1/model/m/two")).Data
	if two.Pricing.Prompt != "0.000001" || two.Pricing.Completion != "0.000002" || *two.TopProvider.ContextLength != 4000 {
		t.Errorf("%+v at the top provider with %d tokens", two.Pricing, *two.TopProvider.ContextLength)
	}
	for query, want := range map[string][]string{
		"sort=pricing-low-to-high": {"m/two", "m/one"},
		"max_price=2":              {"m/two"},
		"min_output_price=3":       {"m/one"},
	} {
		if diff := cmp.Diff(want, decode[list](t, ask(options, "GET", "/api/v1/models?"+query)).ids()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

func TestRow149BadFiltersAreNamed(t *testing.T) {
	for query, want := range map[string]string{
		"category=cooking":               "category",
		"sort=best":                      "sort",
		"context=-1":                     "context",
		"min_price=cheap":                "min_price",
		"max_output_price=-1":            "max_output_price",
		"region=moon":                    "region",
		"zdr=maybe":                      "zdr",
		"distillable=1":                  "distillable",
		"min_age_days=NaN":               "min_age_days",
		"max_tool_success_rate=1.5":      "max_tool_success_rate",
		"min_coding_index=1":             "coding benchmark",
		"max_intelligence_index=":        "intelligence benchmark",
		"use_rss=yes":                    "use_rss",
		"region=moon&sort=best&offset=0": "region: \"moon\" is not one of eu, us; sort",
	} {
		response := ask(market(t), "GET", "/api/v1/models?"+query)
		wantError(t, response, 400, "invalid_request")
		if message := decode[errorBody](t, response).Error.Message; !strings.Contains(message, want) {
			t.Errorf("%s: %q does not name %s", query, message, want)
		}
	}
}

func TestRow149RouterHasNoPrice(t *testing.T) {
	one := decode[data[wireModel]](t, ask(market(t), "GET", "/api/v1/model/openrouter/auto")).Data
	if !reflect.DeepEqual(one.Pricing, routerPricing) || one.Architecture.Tokenizer != "Router" || len(one.SupportedParameters) == 0 {
		t.Errorf("%+v", one)
	}
	if got := decode[data[wireEndpoints]](t, ask(market(t), "GET", "/api/v1/models/openrouter/auto/endpoints")).Data; len(got.Endpoints) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestRow79AliasShowsItsTarget(t *testing.T) {
	one := decode[data[wireModel]](t, ask(market(t), "GET", "/api/v1/model/~new/latest")).Data
	if diff := cmp.Diff(&aliasTarget{Name: "Dear", Slug: "new/dear"}, one.AliasTarget); diff != "" || one.ID != "~new/latest" {
		t.Errorf("%s (-want +got):\n%s", one.ID, diff)
	}
}

func TestRow154DynamicVariantIsItsModel(t *testing.T) {
	for path, want := range map[string]string{"new/dear:nitro": "new/dear", "new/dear:online:floor": "new/dear"} {
		if one := decode[data[wireModel]](t, ask(market(t), "GET", "/api/v1/model/"+path)).Data; one.ID != want {
			t.Errorf("%s is %q", path, one.ID)
		}
	}
	for _, path := range []string{"new/dear:free", "new/gone", "no/such:nitro"} {
		wantError(t, ask(market(t), "GET", "/api/v1/model/"+path), 404, "not_found")
	}
}

func TestModelTellsHowItThinks(t *testing.T) {
	one := decode[data[wireModel]](t, ask(market(t), "GET", "/api/v1/model/new/dear")).Data
	want := &reasoning{Mandatory: true, DefaultEnabled: true, SupportedEfforts: &[]string{"high", "low"}}
	if diff := cmp.Diff(want, one.Reasoning); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if one.Pricing.WebSearch != "0.01" {
		t.Errorf("web search costs %q", one.Pricing.WebSearch)
	}
}

func TestRow153SpeedIsForCallersWithAKey(t *testing.T) {
	guarded := market(t)
	guarded.Keys = withKey(t, &configpb.Key{Name: "k"}).Keys
	tests := []struct {
		name    string
		options Options
		headers []string
		shown   bool
	}{
		{"no key", guarded, nil, false},
		{"a bad key", guarded, []string{"Authorization", "Bearer bad"}, false},
		{"a key", guarded, []string{"Authorization", "Bearer " + goodKey}, true},
		{"a gateway without keys", market(t), nil, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			response := ask(test.options, "GET", "/api/v1/models/old/cheap/endpoints", test.headers...)
			endpoint := decode[data[wireEndpoints]](t, response).Data.Endpoints[0]
			if shown := endpoint.LatencyLast30m != nil && endpoint.ThroughputLast30m != nil; shown != test.shown {
				t.Errorf("latency %v, throughput %v", endpoint.LatencyLast30m, endpoint.ThroughputLast30m)
			}
			if endpoint.UptimeLast30m == nil || *endpoint.UptimeLast30m != 99.5 || endpoint.Status != StatusDegraded || endpoint.Tag != "here" {
				t.Errorf("%+v", endpoint)
			}
			if got := response.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("cache control %q", got)
			}
		})
	}
}

func TestRow156ModelsOfTheUser(t *testing.T) {
	options := market(t)
	options.Keys = withKey(t, &configpb.Key{Name: "k"}).Keys
	options.Eligible = func(key *identity.Key, endpoint *catalog.Endpoint) bool {
		return key.Name == "k" && endpoint.Provider.Slug == "here"
	}
	wantError(t, ask(options, "GET", "/api/v1/models/user"), 401, "authentication")
	response := ask(options, "GET", "/api/v1/models/user", "Authorization", "Bearer "+goodKey)
	if diff := cmp.Diff([]string{"old/cheap"}, decode[list](t, response).ids()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := response.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("cache control %q", got)
	}
}

func TestRow157EndpointsWithoutRetention(t *testing.T) {
	got := decode[data[[]wireEndpoint]](t, ask(market(t), "GET", "/api/v1/endpoints/zdr")).Data
	if len(got) != 1 || got[0].ModelID != "old/cheap" {
		t.Errorf("%+v", got)
	}
}

func TestRow158Providers(t *testing.T) {
	want := []wireProvider{
		{Name: "Here", Slug: "here", StatusPageURL: new("https://status.here.example"), Headquarters: new("DE"), Datacenters: []string{"DE"}},
		{Name: "there", Slug: "there", Datacenters: []string{}},
	}
	if diff := cmp.Diff(want, decode[data[[]wireProvider]](t, ask(market(t), "GET", "/api/v1/providers")).Data); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParametersOfAModel(t *testing.T) {
	type parameters struct {
		Model               string   `json:"model"`
		SupportedParameters []string `json:"supported_parameters"`
	}
	for query, want := range map[string][]string{
		"": {"include_reasoning", "max_completion_tokens", "max_tokens", "parallel_tool_calls", "reasoning", "reasoning_effort",
			"response_format", "seed", "stop", "structured_outputs", "temperature", "tool_choice", "tools", "top_k", "top_p"},
		"?provider=OpenAI":  {"seed"},
		"?provider=openai":  {"seed"},
		"?provider=another": {},
	} {
		got := decode[data[parameters]](t, ask(gateway(t), "GET", "/api/v1/parameters/m/a"+query)).Data
		if diff := cmp.Diff(parameters{"m/a", want}, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
	}
}

func TestRow151ListsByOutput(t *testing.T) {
	options := market(t)
	for path, want := range map[string][]string{"/api/v1/images/models": {"new/painter"}, "/api/v1/videos/models": {"new/film"}} {
		if diff := cmp.Diff(want, decode[list](t, ask(options, "GET", path)).ids()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	if diff := cmp.Diff([]string{"e/x"}, decode[list](t, ask(gateway(t), "GET", "/api/v1/embeddings/models")).ids()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFeed(t *testing.T) {
	response := ask(market(t), "GET", "/api/v1/models?use_rss=true&use_rss_chat_links=true&sort=newest", "X-Forwarded-Proto", "https")
	if got := response.Header().Get("Content-Type"); got != "application/rss+xml" {
		t.Errorf("content type %q", got)
	}
	var got feed
	if err := xml.Unmarshal(response.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := item{
		Title: "Dear", Link: "https://example.com/api/v1/models/new/dear/endpoints", Description: "Thinks long.",
		GUID: guid{ID: "new/dear"}, Published: new("Thu, 01 Jan 2026 00:00:00 +0000"),
	}
	if diff := cmp.Diff(want, got.Channel.Items[0]); diff != "" || len(got.Channel.Items) != 3 {
		t.Errorf("%d items (-want +got):\n%s", len(got.Channel.Items), diff)
	}
}

func TestCachesMustAsk(t *testing.T) {
	options := market(t)
	first := ask(options, "GET", "/api/v1/models")
	tag := first.Header().Get("ETag")
	if tag == "" || first.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("ETag %q, cache control %q", tag, first.Header().Get("Cache-Control"))
	}
	if again := ask(options, "GET", "/api/v1/models", "If-None-Match", tag); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("%d %s", again.Code, again.Body)
	}
	if another := ask(gateway(t), "GET", "/api/v1/models", "If-None-Match", tag); another.Code != http.StatusOK {
		t.Errorf("another catalog: %d", another.Code)
	}
	for _, query := range []string{"sort=latency-low-to-high", "max_age_days=1", "min_tool_success_rate=0"} {
		if live := ask(options, "GET", "/api/v1/models?"+query); live.Header().Get("ETag") != "" {
			t.Errorf("%s has an ETag", query)
		}
	}
}

func TestReloadShows(t *testing.T) {
	options, other := market(t), gateway(t).Catalog()
	current := options.Catalog()
	options.Catalog = func() *catalog.Catalog { return current }
	handler := New(options)
	total := func() int {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest("GET", "/api/v1/models", nil))
		return decode[list](t, recorder).TotalCount
	}
	before := total()
	current = other
	if after := total(); before != 3 || after != 6 { // each with the router
		t.Errorf("%d models, then %d", before, after)
	}
}

func TestHeadIsServedAsGet(t *testing.T) {
	server := httptest.NewServer(New(market(t)))
	defer server.Close()
	for _, path := range []string{"/api/v1/models", "/api/v1/models/count", "/api/v1/providers", "/api/v1/model/new/dear"} {
		response, err := http.Head(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 200 || response.ContentLength <= 0 {
			t.Errorf("%s: %d with %d bytes", path, response.StatusCode, response.ContentLength)
		}
	}
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "sort=newest&q=a+b", "min_price=1e-3&max_age_days=Inf", "offset=1&limit=2", "min_coding_index=1", "output_modalities=all,text"} {
		f.Add(seed)
	}
	options := market(f)
	handler := New(options)
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return // net/http refuses it before the handler does
		}
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest("GET", "/api/v1/models?"+values.Encode(), nil))
		if recorder.Code != 200 && recorder.Code != 400 {
			t.Errorf("%d %s", recorder.Code, recorder.Body)
		}
	})
}
