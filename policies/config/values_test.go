package config

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1048576": 1 << 20, "1B": 1, "500KB": 500_000, "32MiB": 32 << 20,
		"2 GiB": 2 << 30, "1GB": 1e9, "4KiB": 4096, "1MB": 1e6,
	} {
		if got, ok := parseSize(text); !ok || got != want {
			t.Errorf("%q is %d %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1.5GiB", "1TB", "1iB", "1BB", "999999999999GiB", "9223372036854775808"} {
		if got, ok := parseSize(text); ok {
			t.Errorf("%q is %d, want none", text, got)
		}
	}
}

func TestSuggest(t *testing.T) {
	names := []string{"providers", "models", "limits", "listener"}
	for name, want := range map[string]string{
		"provider":   "did you mean providers?",
		"proivders":  "did you mean providers?", // two letters swapped
		"modles":     "did you mean models?",
		"limit":      "did you mean limits?",
		"listner":    "did you mean listener?",
		"telemetry":  "there are providers, models, limits and listener",
		"":           "there are providers, models, limits and listener",
		"listenerss": "did you mean listener?",
	} {
		if got := suggest(name, names); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
	if got := suggest("x", nil); got != "there are none" {
		t.Error(got)
	}
}

func TestEditDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "abc", 0},
		{"kitten", "sitting", 3},
		{"dialect", "dialct", 1},
		{"regoin", "region", 1},
		{"ca", "abc", 3},
	} {
		if got := editDistance(test.a, test.b, 9); got != test.want {
			t.Errorf("%q to %q is %d, want %d", test.a, test.b, got, test.want)
		}
		if got := editDistance(test.b, test.a, 9); got != test.want {
			t.Errorf("%q to %q is %d, want %d", test.b, test.a, got, test.want)
		}
	}
	if got := editDistance("abcdef", "uvwxyz", 2); got != 3 {
		t.Errorf("beyond the limit of 2: %d, want 3", got)
	}
}

func TestDurationText(t *testing.T) {
	for want, duration := range map[string]time.Duration{
		"0s": 0, "500ms": 500 * time.Millisecond, "30s": 30 * time.Second, "2m": 2 * time.Minute,
		"1m30s": 90 * time.Second, "1h": time.Hour, "1h0m10s": time.Hour + 10*time.Second, "1h30m": 90 * time.Minute,
	} {
		if got := durationText(durationpb.New(duration)); got != want {
			t.Errorf("%v is %s, want %s", duration, got, want)
		}
	}
}

// The mistake is found behind a list over many lines, none of which ends it.
func TestFaultyLine(t *testing.T) {
	text := "a: [\n" + strings.Repeat("  x,\n", 20) + "]\nb: 1\n c: 2\nd: 3\n"
	if got := faultyLine(bytes.SplitAfter([]byte(text), []byte("\n"))); got != 24 {
		t.Errorf("line %d, want 24", got)
	}
}

// A price is the decimal that was written, in whatever way YAML takes it.
func TestPricesDoNotDrift(t *testing.T) {
	for written, want := range map[string]string{
		"0.1": "0.1", `"0.10"`: "0.10", "2.50": "2.50", "3": "3",
		"0.000001": "0.000001", "123456789.987654": "123456789.987654",
	} {
		config := parse(t, "models: {a/b: {endpoints: [{provider: openai, prices: {prompt: "+written+"}}]}}\n").Config()
		if got := config.GetModels()["a/b"].GetEndpoints()[0].GetPrices().GetPrompt(); got != want {
			t.Errorf("%s is %s, want %s", written, got, want)
		}
	}
}

func TestGenerationNamesTheContent(t *testing.T) {
	base := parse(t, "providers: {openai: }\n")
	for name, test := range map[string]struct {
		text string
		same bool
	}{
		"again":            {"providers: {openai: }\n", true},
		"other formatting": {"# comment\nproviders:\n  openai: {}\n", true},
		"a default spelt":  {"providers: {openai: }\nlimits: {requests: 40}\n", true},
		"another limit":    {"providers: {openai: }\nlimits: {requests: 41}\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			other := parse(t, test.text)
			if got := base.Generation() == other.Generation(); got != test.same {
				t.Errorf("generations %s and %s", base.Generation(), other.Generation())
			}
			if got := base.equal(other); got != test.same {
				t.Errorf("equal is %v", got)
			}
		})
	}
}

// A rotated key is a change, though it does not show in the generation.
func TestRotatedSecretIsAChange(t *testing.T) {
	read := func(key string) *Effective {
		effective, err := Parse("test.yaml", []byte("providers: {openai: }\n"),
			Options{LookupEnv: environment(map[string]string{"OPENAI_API_KEY": key})})
		if err != nil {
			t.Fatal(err)
		}
		return effective
	}
	before, after := read("old"), read("new")
	if before.equal(after) {
		t.Error("a rotated key is no change")
	}
	if before.Generation() != after.Generation() {
		t.Error("the generation depends on a secret")
	}
	if !before.equal(read("old")) {
		t.Error("the same key is a change")
	}
}

// So is a rotated password.
func TestRotatedRedisPasswordIsAChange(t *testing.T) {
	read := func(password string) *Effective {
		effective, err := Parse("test.yaml", []byte("redis: {address: 'redis:6379', password: {env: P}}\n"),
			Options{LookupEnv: environment(map[string]string{"P": password})})
		if err != nil {
			t.Fatal(err)
		}
		return effective
	}
	before, after := read("pass word"), read("other")
	if before.equal(after) || before.Generation() != after.Generation() {
		t.Error("a rotated password is no change, or shows")
	}
}

func TestEnumNames(t *testing.T) {
	routing := parse(t, "routing: {stop_on: [connect, authentication, not_found, timeout, rate_limited, server_error, bad_answer]}\n").Config().GetRouting()
	var numbers []int
	for _, class := range routing.GetStopOn() {
		numbers = append(numbers, int(class))
	}
	if !slices.Equal(numbers, []int{1, 2, 3, 4, 5, 6, 7}) {
		t.Errorf("classes %v", numbers)
	}
}
