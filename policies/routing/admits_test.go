package routing

import (
	"testing"

	"github.com/switchyard/switchyard/policies/money"
)

func TestRow156AdmitsWhatEveryConstraintAdmits(t *testing.T) {
	model, _ := abc(t).Model("m/x")
	endpoint := model.Endpoints[0]
	bound := money.USD(1)
	for _, test := range []struct {
		name        string
		constraints []*Constraints
		want        bool
	}{
		{"none", nil, true},
		{"nil ones", []*Constraints{nil, {}}, true},
		{"its provider", []*Constraints{{Only: []string{endpoint.Provider.Slug}}}, true},
		{"another provider", []*Constraints{{}, {Only: []string{"zzz"}}}, false},
		{"ignored", []*Constraints{{Ignore: []string{endpoint.Provider.Slug}}}, false},
		{"its model", []*Constraints{{AllowedModels: []string{"m/*"}}}, true},
		{"another model", []*Constraints{{AllowedModels: []string{"n/*"}}}, false},
		{"zero retention", []*Constraints{{ZDR: true}}, false},
		{"a quantization", []*Constraints{{MinQuantization: "fp8"}}, endpoint.Quantization != "unknown"},
		{"a region", []*Constraints{{Regions: []string{"nowhere"}}}, false},
		{"a price", []*Constraints{{MaxPrice: MaxPrice{Prompt: &bound}}}, endpoint.Prices.Prompt <= bound},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Admits(test.constraints, endpoint); got != test.want {
				t.Errorf("admits %s: %t, want %t", endpoint.ID, got, test.want)
			}
		})
	}
}
