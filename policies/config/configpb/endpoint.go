package configpb

// TagOrDefault is the endpoint's tag, or the one that it has without: its provider's
// slug, and its service tier if it has one.
func (e *Endpoint) TagOrDefault() string {
	switch {
	case e.GetTag() != "":
		return e.GetTag()
	case e.GetServiceTier() != "":
		return e.GetProvider() + "/" + e.GetServiceTier()
	}
	return e.GetProvider()
}

// QuantizationBits is the width of a weight in a quantization of the schema, by which
// min_quantization compares them; zero for "unknown". Formats of one width are equal.
func QuantizationBits(name string) int {
	switch name {
	case "int4", "fp4", "mxfp4", "nvfp4":
		return 4
	case "fp6":
		return 6
	case "int8", "fp8", "mxfp8":
		return 8
	case "fp16", "bf16":
		return 16
	case "fp32":
		return 32
	}
	return 0
}
