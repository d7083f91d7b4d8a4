package routing

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

func TestRow19RequireParameters(t *testing.T) {
	models := yard(t, map[string]*configpb.Model{"m/x": {Endpoints: []*configpb.Endpoint{
		with(priced("a", "1"), func(e *configpb.Endpoint) { e.SupportedParameters = []string{"temperature"} }),
	}}}, nil)
	request := of(t, `{"require_parameters":true}`)
	request.Parameters = []string{"temperature", "top_k"}
	none := refused(t, request, models, "No endpoints found that can handle the requested parameters")
	if none.Code != "constraint_filtered" || !slices.Equal(none.ExcludedBy, []string{"require_parameters"}) || none.Dropped[0].Reason.String() != "takes no top_k" {
		t.Errorf("%+v", none)
	}
	request.Preferences.RequireParameters = false
	serving(t, request, models, "a")
}

func TestRows25To29Providers(t *testing.T) {
	models := abc(t)
	account := func(r Request, c Constraints) Request {
		r.Policies = []*Constraints{nil, &c}
		return r
	}
	serving(t, of(t, `{"only":["B"]}`), models, "b")
	serving(t, of(t, `{"ignore":["A"]}`), models, "b", "c")
	serving(t, of(t, `{"only":["a","b"],"ignore":["a"]}`), models, "b")
	serving(t, account(of(t, `{"ignore":["a"]}`), Constraints{Ignore: []string{"b"}}), models, "c")
	refused(t, account(of(t, `{"only":["c"]}`), Constraints{Only: []string{"a", "b"}}), models, "No allowed providers are available")

	for _, test := range []struct {
		policy Constraints
		want   string
	}{
		{Constraints{Only: []string{"secret"}}, "but the policy of this gateway or key permits none of them."},
		{Constraints{Only: []string{"secret", "B"}, Ignore: []string{"b"}}, "but the policy of this gateway or key permits only: b."},
	} {
		none := refused(t, account(of(t, `{}`), test.policy), models, "No allowed providers are available for the selected model. Providers serving m/x: a, b, c, "+test.want)
		if told := none.Error() + none.Hint; strings.Contains(told, "secret") || none.Dropped[1].Reason.String() != "a policy does not allow it" {
			t.Errorf("told %q, %q", told, none.Dropped[1].Reason)
		}
	}

	none := refused(t, of(t, `{"only":["zzz"]}`), models,
		"No allowed providers are available for the selected model. Providers serving m/x: a, b, c, but your request's provider.only preference permits only: zzz.")
	if !slices.Equal(none.ExcludedBy, []string{"allowed_providers"}) || !slices.Equal(none.AffectedProviders, []string{"a", "b", "c"}) || none.Hint == "" {
		t.Errorf("%+v", none)
	}
	serving(t, of(t, `{"only":[],"quantizations":[],"regions":[],"jurisdictions":[]}`), models, "a", "b", "c")
}

func TestRows30To33ProviderNames(t *testing.T) {
	tag := func(tag, price string) *configpb.Endpoint {
		return with(priced("v", price), func(e *configpb.Endpoint) { e.Tag = tag })
	}
	priority := with(priced("v", "9"), func(e *configpb.Endpoint) { e.ServiceTier = "priority" })
	models := yard(t, map[string]*configpb.Model{"m/x": {Endpoints: []*configpb.Endpoint{tag("v", "1"), tag("v/us", "2"), tag("v/eu", "3"), priority}}},
		map[string]*configpb.Provider{"v": {Name: "Moonshot AI"}})
	serving(t, of(t, `{"only":["v"]}`), models, "v", "v/us", "v/eu")
	serving(t, of(t, `{"only":["v/us"]}`), models, "v/us")
	serving(t, of(t, `{"only":["v/priority"]}`), models, "v/priority")
	serving(t, of(t, `{"ignore":["v/us"]}`), models, "v", "v/eu")
	serving(t, of(t, `{"only":["moonshot ai"]}`), models, "v", "v/us", "v/eu")
	serving(t, of(t, `{"order":["v/eu","Moonshot AI"]}`), models, "v/eu", "v", "v/us")
}

func TestRows34And35Quantizations(t *testing.T) {
	var endpoints []*configpb.Endpoint
	for _, name := range quantizations {
		endpoints = append(endpoints, with(priced(name, "1"), func(e *configpb.Endpoint) { e.Quantization = name }))
	}
	models := yard(t, map[string]*configpb.Model{"m/x": {Endpoints: endpoints}}, nil)
	all := func(provider string, want ...string) {
		t.Helper()
		plan, err := Build(of(t, provider), models, statistics{}, Options{MaxCandidates: 20})
		if err != nil {
			t.Fatal(err)
		}
		got := tags(plan)
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", provider, diff)
		}
	}
	all(`{"quantizations":["fp8"]}`, "fp8", "mxfp8")
	all(`{"quantizations":["fp4"]}`, "fp4", "mxfp4", "nvfp4")
	all(`{"quantizations":["nvfp4","unknown"]}`, "nvfp4", "unknown")
	all(`{"min_quantization":"fp8"}`, "int8", "fp8", "mxfp8", "fp16", "bf16", "fp32")
	all(`{"min_quantization":"fp8","quantizations":["fp8","fp4"]}`, "fp8", "mxfp8")
}

func TestRows45And46MaxPrice(t *testing.T) {
	none := refused(t, of(t, `{"max_price":{"prompt":0.5,"completion":0.5}}`), abc(t), "No endpoints found that satisfy the max price for this request")
	if none.Field != "max_price" || !slices.Equal(none.ExcludedBy, []string{"max_price"}) {
		t.Errorf("%+v", none)
	}
	serving(t, of(t, `{"max_price":{"prompt":"1"}}`), abc(t), "a")
	serving(t, of(t, `{"max_price":{"completion":"2"}}`), abc(t), "a", "b")
	request := of(t, `{"max_price":{"prompt":2}}`)
	request.Policies = []*Constraints{{MaxPrice: MaxPrice{Completion: usd(1_000_000)}}}
	serving(t, request, abc(t), "a")
}

func TestRows50To53DataPolicy(t *testing.T) {
	models := yard(t, map[string]*configpb.Model{
		"m/x": {Endpoints: []*configpb.Endpoint{priced("open", "1"), priced("keeps", "2"), priced("strict", "3")}},
		"m/z": {Distillable: true, Endpoints: []*configpb.Endpoint{priced("open", "1")}},
	}, map[string]*configpb.Provider{
		"keeps":  {DataPolicy: &configpb.DataPolicy{NoTraining: true}},
		"strict": {DataPolicy: &configpb.DataPolicy{NoTraining: true, NoRetention: true}},
	})
	serving(t, of(t, `{"data_collection":"deny"}`), models, "strict")
	serving(t, of(t, `{"zdr":true}`), models, "strict")
	cannotRelax := of(t, `{"zdr":false,"data_collection":"allow"}`)
	cannotRelax.Policies = []*Constraints{{ZDR: true}}
	serving(t, cannotRelax, models, "strict")
	for provider, excluded := range map[string]string{`{"data_collection":"deny"}`: "data_policy:training", `{"zdr":true}`: "data_policy:zdr"} {
		request := of(t, provider)
		request.Model = "m/z"
		none := refused(t, request, models, "No endpoints found matching your data policy")
		if none.Code != "privacy_restricted" || !slices.Equal(none.ExcludedBy, []string{excluded}) {
			t.Errorf("%+v", none)
		}
	}
	request := of(t, `{"enforce_distillable_text":true}`)
	refused(t, request, models, "No endpoints found of models that allow distillation.")
	request.Models = []string{"m/z"}
	serving(t, request, models, "m/z|open")
}

func TestRegionsAndJurisdictions(t *testing.T) {
	models := yard(t, map[string]*configpb.Model{"m/x": {Endpoints: []*configpb.Endpoint{priced("west", "1"), priced("eu", "2"), priced("nowhere", "3"), priced("euro", "4")}}},
		map[string]*configpb.Provider{
			"west": {Region: "eu-west-1", Headquarters: "US"}, "eu": {Region: "eu", Headquarters: "DE"}, "euro": {Region: "europa"},
		})
	serving(t, of(t, `{"regions":["EU"]}`), models, "west", "eu")
	serving(t, of(t, `{"regions":["eu-west-1"]}`), models, "west")
	serving(t, of(t, `{"jurisdictions":["DE","FR"]}`), models, "eu")
	none := refused(t, of(t, `{"regions":["us"]}`), models, "No endpoints found in the requested regions.")
	if !slices.Equal(none.ExcludedBy, []string{"data_region"}) {
		t.Errorf("%+v", none)
	}
	refused(t, of(t, `{"jurisdictions":["FR"]}`), models, "No endpoints found in the requested jurisdictions.")
}

func TestRows54To56Features(t *testing.T) {
	taking := func(provider, price string, parameters ...string) *configpb.Endpoint {
		return with(priced(provider, price), func(e *configpb.Endpoint) { e.SupportedParameters = parameters })
	}
	models := yard(t, map[string]*configpb.Model{
		"m/x": {Endpoints: []*configpb.Endpoint{taking("a", "1", "stop"), taking("b", "2", "tools", "structured_outputs")}},
		"m/y": {Endpoints: []*configpb.Endpoint{taking("a", "1", "stop")}},
	}, nil)
	serving(t, Request{Model: "m/x", Tools: true}, models, "b")
	serving(t, Request{Model: "m/x", ResponseFormat: "json_schema"}, models, "b")
	serving(t, Request{Model: "m/y", ResponseFormat: "json_schema"}, models, "m/y|a")
	serving(t, Request{Model: "m/x", Models: []string{"m/y"}, ResponseFormat: "json_schema"}, models, "b", "m/y|a")
	serving(t, Request{Model: "m/y", Parameters: []string{"verbosity"}}, models, "m/y|a")
	refused(t, Request{Model: "m/y", Tools: true, ToolName: "look_up"}, models, `No endpoints found that support tool use. Try disabling "look_up".`)
	refused(t, Request{Model: "m/x", Tools: true, ToolChoice: "required"}, models, "No endpoints found that support the provided 'tool_choice' value.")
	serving(t, Request{Model: "m/x", Tools: true, ToolChoice: "auto"}, models, "b")
}

func TestRows57And58Sizes(t *testing.T) {
	models := models(t)
	serving(t, Request{Model: "m/x", MaxTokens: 4000}, models, "b", "c")
	refused(t, Request{Model: "m/y", MaxTokens: 501}, models, "No endpoints found that allow max_tokens of 501. Ask for at most 500.")
	none := refused(t, Request{Model: "m/x", InputModalities: []string{"image"}}, models, "No endpoints found that support image input")
	if none.Status() != 404 || none.Field != "messages" {
		t.Errorf("%+v", none)
	}
	serving(t, Request{Models: []string{"m/x", "m/see"}, InputModalities: []string{"image"}}, models, "m/see|a")
	serving(t, Request{Model: "local/z", InputModalities: []string{"audio", "file", "image", "video"}, Tools: true, MaxTokens: 1 << 40}, models, "local/z|local")
}

func TestRow59RoutingFunnel(t *testing.T) {
	none := refused(t, Request{Model: "m/x", Tools: true, MaxTokens: 9000}, models(t), "No endpoints found that allow max_tokens of 9000. Ask for at most 8000.")
	funnel, err := json.Marshal(none.Funnel)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"step":"Initial Endpoints","endpoint_count":3},` +
		`{"step":"Filter by Output Modality","endpoint_count":3},` +
		`{"step":"Filter by Tier Endpoint Rows","endpoint_count":3},` +
		`{"step":"Filter by Tool Compatibility","endpoint_count":2},` +
		`{"step":"Filter by Max Tokens","endpoint_count":0}]`
	if string(funnel) != want {
		t.Errorf("funnel %s, want %s", funnel, want)
	}
	if len(none.Dropped) != 3 {
		t.Errorf("%d of 3 endpoints have a reason: %+v", len(none.Dropped), none.Dropped)
	}
}

func TestRows67And116Context(t *testing.T) {
	sized := func(tokens int64) *configpb.Endpoint {
		return with(priced("a", "1"), func(e *configpb.Endpoint) { e.ContextLength = tokens })
	}
	models := yard(t, map[string]*configpb.Model{"m/x": {Endpoints: []*configpb.Endpoint{sized(8000)}}, "m/y": {Endpoints: []*configpb.Endpoint{sized(32000)}}}, nil)
	request := Request{Model: "m/x", PromptTokens: 7000, MaxTokens: 1001, Preferences: Preferences{Compression: Off}}
	none := refused(t, request, models, "This endpoint's maximum context length is 8000 tokens. However, you requested about 8001 tokens (7000 of text input, 1001 in the output). Please reduce the length of either one, or use the context-compression plugin")
	if none.Status() != 400 || !none.ContextExceeded() || !slices.Equal(none.ExcludedBy, []string{"context_length"}) {
		t.Errorf("%+v", none)
	}
	request.Models = []string{"m/y"}
	serving(t, request, models, "m/y|a")
	request.MaxTokens--
	serving(t, request, models, "a", "m/y|a")
}

// Rows 117 and 118: a prompt that loses its middle is better than none.
func TestRows117And118Compression(t *testing.T) {
	sized := func(provider string, tokens int64) *configpb.Endpoint {
		return with(priced(provider, "1"), func(e *configpb.Endpoint) { e.ContextLength = tokens })
	}
	models := yard(t, map[string]*configpb.Model{
		"m/small":  {Endpoints: []*configpb.Endpoint{sized("a", 8192)}},
		"m/large":  {Endpoints: []*configpb.Endpoint{sized("a", 8193)}},
		"m/mixed":  {Endpoints: []*configpb.Endpoint{sized("a", 4000), sized("b", 8000), sized("c", 16000)}},
		"m/half":   {Endpoints: []*configpb.Endpoint{sized("a", 4999), sized("b", 5000), sized("c", 6000)}},
		"m/narrow": {Endpoints: []*configpb.Endpoint{sized("a", 1000), sized("b", 2000), sized("c", 2000)}},
		"m/bound":  {Endpoints: []*configpb.Endpoint{with(sized("a", 100000), func(e *configpb.Endpoint) { e.MaxPromptTokens = 6000 })}},
	}, nil)
	for _, test := range []struct {
		name   string
		model  string
		also   []string
		choice Switch
		answer int64
		want   []string // none: status 400
	}{
		{name: "on by default where the context is small", model: "m/small", want: []string{"m/small|a"}},
		{name: "off", model: "m/small", choice: Off},
		{name: "off by default where it is not", model: "m/large"},
		{name: "on", model: "m/large", choice: On, want: []string{"m/large|a"}},
		{name: "what fits is not compressed", model: "m/mixed", choice: On, want: []string{"m/mixed|c"}},
		{name: "half of what is needed at least", model: "m/half", want: []string{"m/half|b", "m/half|c"}},
		{name: "or else the largest", model: "m/narrow", want: []string{"m/narrow|b", "m/narrow|c"}},
		{name: "of all models", model: "m/narrow", also: []string{"m/half"}, want: []string{"m/half|b", "m/half|c"}},
		{name: "of which one fits", model: "m/narrow", also: []string{"m/mixed"}, want: []string{"m/mixed|c"}},
		{name: "in the order asked for", model: "m/half", also: []string{"m/mixed"}, want: []string{"m/half|b", "m/half|c", "m/mixed|c"}},
		{name: "an answer that leaves no room", model: "m/small", answer: 8192},
		{name: "a bound on prompts", model: "m/bound", choice: On, want: []string{"m/bound|a"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := Request{Model: test.model, Models: test.also, PromptTokens: 10000, MaxTokens: test.answer, Preferences: Preferences{Compression: test.choice}}
			if test.want == nil {
				if none := refused(t, request, models, "This endpoint's maximum context length is"); none.Status() != 400 || !none.ContextExceeded() {
					t.Errorf("%+v", none)
				}
				return
			}
			request.Preferences.Sort = SortPrice
			plan := always(t, request, models, statistics{}, test.want...)
			for _, c := range plan.Candidates {
				if want := test.choice == On || c.Endpoint.ContextLength <= 8192; c.Compress != want {
					t.Errorf("%s: compresses: %t, want %t", c.Endpoint.ID, c.Compress, want)
				}
			}
		})
	}
	if plan := always(t, Request{Model: "m/small", OutputModality: "embeddings"}, yard(t, map[string]*configpb.Model{
		"m/small": {OutputModalities: []string{"embeddings"}, Endpoints: []*configpb.Endpoint{sized("a", 8192)}},
	}, nil), statistics{}, "m/small|a"); plan.Candidates[0].Compress {
		t.Error("what is to be embedded is compressed")
	}
}

func TestRow146WrongEndpoint(t *testing.T) {
	models := yard(t, map[string]*configpb.Model{"e/x": {OutputModalities: []string{"embeddings"}, Endpoints: []*configpb.Endpoint{priced("a", "1")}}}, nil)
	none := refused(t, Request{Model: "e/x"}, models, "e/x makes no text. Send the request to /embeddings.")
	if none.Code != "wrong_endpoint" || none.Status() != 400 {
		t.Errorf("%+v", none)
	}
	serving(t, Request{Model: "e/x", OutputModality: "embeddings"}, models, "e/x|a")
}

func TestRow27PolicyOfModels(t *testing.T) {
	request := Request{Model: "m/x", Models: []string{"m/y"}, Policies: []*Constraints{{AllowedModels: []string{"m/*"}}, {IgnoredModels: []string{"m/x"}}}}
	serving(t, request, abc(t), "m/y|b")
	request.Models = nil
	refused(t, request, abc(t), "No endpoints found: the policy of this gateway or key does not allow m/x.")
}
