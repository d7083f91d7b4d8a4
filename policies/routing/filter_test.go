package routing

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFilters(t *testing.T) {
	tests := []struct {
		name    string
		request Request
		want    []string // endpoints left
		step    string   // that left none
		field   string
		message string
	}{
		{name: "nothing asked", request: Request{Model: "m/x"}, want: []string{"m/x|a", "m/x|b", "m/x|c"}},
		{name: "row 54: tools", request: Request{Model: "m/x", Tools: true}, want: []string{"m/x|a", "m/x|b"}},
		{name: "row 57: max_tokens over the cap of one", request: Request{Model: "m/x", MaxTokens: 4000}, want: []string{"m/x|b", "m/x|c"}},
		{name: "max_tokens at the cap", request: Request{Model: "m/y", MaxTokens: 500}, want: []string{"m/y|b"}},
		{
			name: "max_tokens over every cap", request: Request{Model: "m/y", MaxTokens: 501},
			step: "Filter by Max Tokens", field: "max_tokens",
			message: "No endpoints found that allow max_tokens of 501. Ask for at most 500.",
		},
		{name: "image to a model that sees", request: Request{Model: "m/see", InputModalities: []string{"image"}}, want: []string{"m/see|a"}},
		{name: "image to one of two models", request: Request{Models: []string{"m/x", "m/see"}, InputModalities: []string{"image"}}, want: []string{"m/see|a"}},
		{
			name: "row 58: image to a text model", request: Request{Model: "m/x", InputModalities: []string{"image"}},
			step: "Filter by Image Support", field: "messages", message: "No endpoints found that support image input",
		},
		{
			name: "one of two kinds of input", request: Request{Model: "m/see", InputModalities: []string{"audio", "image"}},
			step: "Filter by Audio Support", field: "messages", message: "No endpoints found that support audio input",
		},
		{
			name: "file", request: Request{Model: "m/x", InputModalities: []string{"file"}},
			step: "Filter by File Support", field: "messages", message: "No endpoints found that support file input",
		},
		{
			name: "video", request: Request{Model: "m/x", InputModalities: []string{"video"}},
			step: "Filter by Video Support", field: "messages", message: "No endpoints found that support video input",
		},
		{
			name: "anything to a model of which nothing is known", want: []string{"local/z|local"},
			request: Request{Model: "local/z", InputModalities: []string{"audio", "file", "image", "video"}, Tools: true, MaxTokens: 1 << 40},
		},
	}
	catalog := models(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.request.Now = now
			plan, err := Build(test.request, catalog, cooling{}, Options{})
			if test.step == "" {
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, plan.order()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				return
			}
			var none *NoEndpointError
			if !errors.As(err, &none) {
				t.Fatalf("error %v, plan %v", err, plan.order())
			}
			if none.FailedStep != test.step || none.Field != test.field || none.Error() != test.message {
				t.Errorf("step %q, field %q, message %q", none.FailedStep, none.Field, none)
			}
		})
	}
}

func TestRow55NoToolEndpoint(t *testing.T) {
	_, err := Build(Request{Model: "m/x", Tools: true, MaxTokens: 9000, Now: now}, models(t), cooling{}, Options{})
	var none *NoEndpointError
	if !errors.As(err, &none) {
		t.Fatal(err)
	}
	// The endpoint without a cap was dropped for the tools: its missing cap must
	// not be taken for one of zero, nor for the largest.
	if want := "No endpoints found that allow max_tokens of 9000. Ask for at most 8000."; none.Error() != want {
		t.Errorf("message %q, want %q", none, want)
	}
	for _, filter := range filters {
		if filter.field == "tools" {
			want := "No endpoints found that support tool use. Leave out `tools`, or choose another model."
			if got := filter.message(Request{}, nil); got != want {
				t.Errorf("message %q, want %q", got, want)
			}
		}
	}
}

func TestRow59RoutingFunnel(t *testing.T) {
	_, err := Build(Request{Model: "m/x", Tools: true, MaxTokens: 9000, Now: now}, models(t), cooling{}, Options{})
	var none *NoEndpointError
	if !errors.As(err, &none) {
		t.Fatal(err)
	}
	funnel, err := json.Marshal(none.Funnel)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"step":"Initial Endpoints","endpoint_count":3},` +
		`{"step":"Filter by Tool Compatibility","endpoint_count":2},` +
		`{"step":"Filter by Max Tokens","endpoint_count":0}]`
	if string(funnel) != want {
		t.Errorf("funnel %s, want %s", funnel, want)
	}
	if len(none.Dropped) != 3 {
		t.Errorf("%d of 3 endpoints have a reason: %+v", len(none.Dropped), none.Dropped)
	}
}
