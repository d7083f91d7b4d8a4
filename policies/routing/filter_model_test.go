package routing

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// refusedAs is the error of a plan that cannot be made.
func refusedAs(t *testing.T, request Request, models map[string]*configpb.Model) *NoEndpointError {
	t.Helper()
	_, err := Build(request, yard(t, models, nil), statistics{}, Options{})
	var none *NoEndpointError
	if !errors.As(err, &none) {
		t.Fatalf("err = %v", err)
	}
	return none
}

func thinkers() map[string]*configpb.Model {
	return map[string]*configpb.Model{
		"m/x": {Reasoning: &configpb.Reasoning{Mandatory: true}, Endpoints: []*configpb.Endpoint{priced("a", "1")}},
		"m/y": {Reasoning: &configpb.Reasoning{}, Endpoints: []*configpb.Endpoint{priced("b", "1")}},
	}
}

func TestRow100MandatoryReasoning(t *testing.T) {
	ask := func(model string, others ...string) Request {
		return Request{Model: model, Models: others, Effort: "none", Now: now}
	}
	for _, id := range []string{"m/x", "m/x:nitro"} {
		none := refusedAs(t, ask(id), thinkers())
		if none.Status() != 400 || none.Code != "" || none.Error() != "Reasoning is mandatory for this endpoint and cannot be disabled." {
			t.Errorf("%s: %d %q %q", id, none.Status(), none.Code, none.Error())
		}
	}
	models := yard(t, thinkers(), nil)
	for _, id := range []string{"~m/x-latest", "house", "house:nitro"} {
		always(t, ask(id), models, statistics{}, "a")
	}
	always(t, ask("m/x", "m/y"), models, statistics{}, "m/y|b")      // spec section 3.2
	always(t, ask("openrouter/auto"), models, statistics{}, "m/y|b") // which has a choice
	always(t, Request{Model: "m/x", Effort: "low"}, models, statistics{}, "a")
}

func TestExpiredModelsAreRefusedByTheirDay(t *testing.T) {
	models := func(date string, refuse *bool) map[string]*configpb.Model {
		return map[string]*configpb.Model{
			"m/x": {ExpirationDate: date, RefuseExpired: refuse, Endpoints: []*configpb.Endpoint{priced("a", "1")}},
			"m/y": {Endpoints: []*configpb.Endpoint{priced("b", "1")}},
		}
	}
	day := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	expired := Request{Model: "m/x", Now: day}
	none := refusedAs(t, expired, models("2027-01-31", proto.Bool(true)))
	if none.Status() != 404 || none.Code != "model_deprecated" || none.Field != "model" || !strings.Contains(none.Error(), "m/x expired on 2027-01-31") {
		t.Errorf("%d %q %q %q", none.Status(), none.Code, none.Field, none.Error())
	}
	for name, test := range map[string]struct {
		request Request
		refuse  *bool
		want    string
	}{
		"the moment before":   {Request{Model: "m/x", Now: day.Add(-time.Nanosecond)}, proto.Bool(true), "m/x|a"},
		"a catalog's date":    {expired, nil, "m/x|a"},
		"a date that is moot": {expired, proto.Bool(false), "m/x|a"},
		"the next model":      {Request{Model: "m/x", Models: []string{"m/y"}, Now: day}, proto.Bool(true), "m/y|b"},
		"a router looks past": {Request{Model: "openrouter/auto", Now: day}, proto.Bool(true), "m/y|b"},
	} {
		plan, err := Build(test.request, yard(t, models("2027-01-31", test.refuse), nil), statistics{}, Options{})
		if err != nil || plan.order()[0] != test.want {
			t.Errorf("%s: %v, %v", name, plan.order(), err)
		}
	}
}

// Row 19: the error names what no endpoint takes, or what each of them lacks.
func TestRow19NamesTheParameters(t *testing.T) {
	taking := func(provider string, parameters ...string) *configpb.Endpoint {
		return with(priced(provider, "1"), func(e *configpb.Endpoint) { e.SupportedParameters = parameters })
	}
	for name, test := range map[string]struct {
		a, b, want []string
	}{
		"nowhere":  {[]string{"seed"}, []string{"seed"}, []string{"logit_bias", "top_k"}},
		"apart":    {[]string{"seed", "top_k"}, []string{"seed", "logit_bias"}, []string{"logit_bias", "top_k"}},
		"somewhat": {[]string{"seed", "top_k"}, []string{"top_k"}, []string{"logit_bias"}},
	} {
		request := of(t, `{"require_parameters":true}`)
		request.Parameters = []string{"logit_bias", "seed", "top_k"}
		none := refusedAs(t, request, map[string]*configpb.Model{"m/x": {Endpoints: []*configpb.Endpoint{taking("a", test.a...), taking("b", test.b...)}}})
		if !slices.Equal(none.Parameters, test.want) || none.Status() != 404 || none.Code != "constraint_filtered" ||
			!strings.HasPrefix(none.Error(), "No endpoints found that can handle the requested parameters: "+strings.Join(test.want, ", ")+".") {
			t.Errorf("%s: %v %d %q %q", name, none.Parameters, none.Status(), none.Code, none.Error())
		}
	}
}

// Row 121: a model that reads no files is planned for if the gateway reads them for it, and
// nothing is asked about the files if no such model is.
func TestRow121FilesAsText(t *testing.T) {
	models := yard(t, map[string]*configpb.Model{
		"m/x": {Endpoints: []*configpb.Endpoint{priced("a", "1")}},
		"m/y": {InputModalities: []string{"text", "file"}, Endpoints: []*configpb.Endpoint{priced("b", "1")}},
	}, nil)
	asked := 0
	for _, readable := range []bool{true, false} {
		request := Request{Model: "m/x", Models: []string{"m/y"}, InputModalities: []string{"file"}, FilesAsText: func() bool { asked++; return readable }}
		want := []string{"m/y|b"}
		if readable {
			want = []string{"a", "m/y|b"}
		}
		always(t, request, models, statistics{}, want...)
		asked = 0
		request.Model, request.Models = "m/y", nil
		if always(t, request, models, statistics{}, "m/y|b"); asked > 0 {
			t.Error("the files were looked at for nothing")
		}
	}
}
