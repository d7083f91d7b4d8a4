package configpb

import "testing"

func TestTagOrDefault(t *testing.T) {
	for _, test := range []struct {
		endpoint *Endpoint
		want     string
	}{
		{&Endpoint{Provider: "p"}, "p"},
		{&Endpoint{Provider: "p", ServiceTier: "flex"}, "p/flex"},
		{&Endpoint{Provider: "p", ServiceTier: "flex", Tag: "p/eu"}, "p/eu"},
	} {
		if got := test.endpoint.TagOrDefault(); got != test.want {
			t.Errorf("%v has the tag %q, want %q", test.endpoint, got, test.want)
		}
	}
}

func TestQuantizationBits(t *testing.T) {
	for name, want := range map[string]int{
		"int4": 4, "fp4": 4, "mxfp4": 4, "nvfp4": 4, "fp6": 6, "int8": 8, "fp8": 8, "mxfp8": 8, "fp16": 16, "bf16": 16, "fp32": 32, "unknown": 0,
	} {
		if got := QuantizationBits(name); got != want {
			t.Errorf("%s has %d bits, want %d", name, got, want)
		}
	}
}
