package routing

import (
	"slices"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

// quantizations are the names that clients may ask for; the last is of endpoints
// that state none.
var quantizations = []string{"int4", "int8", "fp4", "mxfp4", "nvfp4", "fp6", "fp8", "mxfp8", "fp16", "bf16", "fp32", "unknown"}

// family is the name that covers a quantization besides its own (rows 34 and 35).
func family(quantization string) string {
	switch quantization {
	case "mxfp4", "nvfp4":
		return "fp4"
	case "mxfp8":
		return "fp8"
	}
	return quantization
}

var quantizationFilter = filter{
	step: "Filter by Quantization", field: "provider.quantizations", code: codeConstraint, excludedBy: "quantization",
	hint: "Admit more in provider.quantizations, or a coarser provider.min_quantization.",
	active: func(s *scope) bool {
		return s.any(func(c *constraint) bool { return c.Quantizations != nil || c.MinQuantization != "" })
	},
	refuse: func(s *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		return Reason{words: "quantized to %s", text: e.Quantization}, s.any(func(c *constraint) bool {
			named := c.Quantizations == nil || slices.Contains(c.Quantizations, e.Quantization) ||
				slices.Contains(c.Quantizations, family(e.Quantization))
			// What states no quantization is not known to be fine enough.
			bits := configpb.QuantizationBits(e.Quantization)
			fine := c.MinQuantization == "" || bits > 0 && bits >= configpb.QuantizationBits(c.MinQuantization)
			return !named || !fine
		})
	},
	message: saying("No endpoints found with the requested quantizations."),
}
