package money

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, text string
		want       USD
		err        error
	}{
		{"dollars", "3", 3 * Dollar, nil},
		{"cents", "2.50", 2*Dollar + Dollar/2, nil},
		{"a price per token", "0.00000015", 150_000, nil},
		{"one picodollar", "0.000000000001", 1, nil},
		{"zeros beyond a picodollar", "0.0000000000010000", 1, nil},
		{"negative", "-1", -Dollar, nil},
		{"negative zero", "-0", 0, nil},
		{"exponent", "4.2e-7", 420_000, nil},
		{"positive exponent", "1E+3", 1000 * Dollar, nil},
		{"leading zeros", "007", 7 * Dollar, nil},
		{"largest", "9223372.036854775807", Max, nil},

		{"half a picodollar", "0.0000000000005", 0, ErrPrecision},
		{"digit lost to the exponent", "1.5e-12", 0, ErrPrecision},
		{"just too large", "9223372.036854775808", 0, ErrRange},
		{"far too large", "1e400", 0, ErrRange},
		{"exponent beyond measure", "1e99999999999999999999", 0, ErrRange},
		{"empty", "", 0, ErrSyntax},
		{"only a point", ".", 0, ErrSyntax},
		{"no digits before the point", ".5", 0, ErrSyntax},
		{"no digits after the point", "5.", 0, ErrSyntax},
		{"two points", "1.2.3", 0, ErrSyntax},
		{"plus", "+1", 0, ErrSyntax},
		{"two signs", "--1", 0, ErrSyntax},
		{"currency", "$1", 0, ErrSyntax},
		{"comma", "1,000", 0, ErrSyntax},
		{"space", " 1", 0, ErrSyntax},
		{"not a number", "NaN", 0, ErrSyntax},
		{"bare exponent", "e5", 0, ErrSyntax},
		{"exponent without digits", "1e", 0, ErrSyntax},
		{"exponent with two signs", "1e+-5", 0, ErrSyntax},
		{"digits of another script", "१", 0, ErrSyntax},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Parse(test.text)
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("Parse(%q) = %d, %v; want %d, %v", test.text, got, err, test.want, test.err)
			}
			if err != nil && !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %q does not quote what was wrong", err)
			}
		})
	}
}

func TestErrorsSayWhatIsTaken(t *testing.T) {
	long := strings.Repeat("9", 1000)
	for _, test := range []struct {
		parse      func(string) (USD, error)
		text, want string
	}{
		{ParsePerMillion, "0.0000001", `"0.0000001": too many digits after the point, of which 6 are taken`},
		{ParsePerMillion, "1e30", `"1e30": out of range, which ends at 9223372036854.775807`},
		{Parse, "0.0000000000001", `"0.0000000000001": too many digits after the point, of which 12 are taken`},
		{Parse, long, `"` + long[:40] + `...": want a decimal number such as 2.50`},
		{Parse, "", `"": want a decimal number such as 2.50`},
	} {
		if _, err := test.parse(test.text); err == nil || err.Error() != test.want {
			t.Errorf("%v\nwant %s", err, test.want)
		}
	}
}

func TestParsePerMillionIsThePriceOfOneToken(t *testing.T) {
	tests := []struct {
		text string
		want USD
		err  error
	}{
		{"2.50", 2_500_000, nil},
		{"0.000001", 1, nil},
		{"0", 0, nil},
		{"0.0000001", 0, ErrPrecision},
		{"free", 0, ErrSyntax},
	}
	for _, test := range tests {
		got, err := ParsePerMillion(test.text)
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("ParsePerMillion(%q) = %d, %v; want %d, %v", test.text, got, err, test.want, test.err)
		}
	}
}

func TestString(t *testing.T) {
	tests := []struct {
		amount USD
		want   string
	}{
		{0, "0"},
		{420_000_000, "0.00042"},
		{1, "0.000000000001"},
		{3 * Dollar, "3"},
		{-Dollar - Dollar/2, "-1.5"},
		{-1, "-0.000000000001"},
		{Max, "9223372.036854775807"},
		{Min, "-9223372.036854775808"},
	}
	for _, test := range tests {
		if got := test.amount.String(); got != test.want {
			t.Errorf("%d is %q, want %q", int64(test.amount), got, test.want)
		}
	}
}

// Both JSON libraries in use must agree: one of them reading a number of
// dollars as a number of picodollars would be off by twelve digits.
func TestJSONIsAnExactNumber(t *testing.T) {
	type invoice struct {
		Cost USD `json:"cost"`
	}
	const text = `{"cost":0.00042}`
	amount := invoice{Cost: 420_000_000}

	for name, library := range map[string]struct {
		marshal   func(any) ([]byte, error)
		unmarshal func([]byte, any) error
	}{
		"standard library": {json.Marshal, json.Unmarshal},
		"strict library": {
			func(v any) ([]byte, error) { return jsonv2.Marshal(v) },
			func(b []byte, v any) error { return jsonv2.Unmarshal(b, v) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			written, err := library.marshal(amount)
			if err != nil || string(written) != text {
				t.Errorf("wrote %s, %v; want %s", written, err, text)
			}
			var read invoice
			if err := library.unmarshal([]byte(text), &read); err != nil || read != amount {
				t.Errorf("read %d, %v; want %d", read.Cost, err, amount.Cost)
			}
			if err := library.unmarshal([]byte(`{"cost":"1"}`), &read); err == nil {
				t.Error("text was taken for a number")
			}
		})
	}
}

func TestBoundRoundsDown(t *testing.T) {
	for text, want := range map[string]USD{
		"0.30000000000000004": 300_000, "3.3333333333333335": 3_333_333, "0.0000001": 0, "1": 1_000_000,
		"1e13": Max, "-0.0000001": -1, "-1e13": Min,
	} {
		if got, err := BoundPerMillion(text); err != nil || got != want {
			t.Errorf("BoundPerMillion(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "1/3", "1e99999", "0x1"} {
		if got, err := Bound(text); err == nil {
			t.Errorf("Bound(%q) = %d", text, got)
		}
	}
}

// Big numbers take quadratic time to read, and whoever asks for a price writes its text: a
// megabyte of digits once took 4.7 s of a core.
func TestALongNumberIsNoAmount(t *testing.T) {
	longest := "0." + strings.Repeat("3", 62)
	if got, err := Bound(longest); err != nil || got != 333_333_333_333 {
		t.Errorf("64 bytes: %d, %v", got, err)
	}
	for name, parse := range map[string]func(string) (USD, error){
		"Parse": Parse, "ParsePerMillion": ParsePerMillion, "Bound": Bound, "BoundPerMillion": BoundPerMillion,
	} {
		for _, text := range []string{longest + "3", "1." + strings.Repeat("1", 1<<24), strings.Repeat("9", 1<<24), "1e" + strings.Repeat("0", 1<<24), strings.Repeat("x", 1<<24)} {
			_, err := parse(text)
			if !errors.Is(err, ErrSyntax) {
				t.Errorf("%s(%.8q..., %d bytes): %.80v; want %v", name, text, len(text), err, ErrSyntax)
			}
			if err != nil && len(err.Error()) > 200 {
				t.Errorf("%s(%.8q...): an error of %d bytes quotes all of the text", name, text, len(err.Error()))
			}
		}
	}
}

// What Parse accepts is exactly the number that was written, and String gives
// it back.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"2.50", "-1", "4.2e-7", "9223372.036854775807", "1e-13", "0e999", ".", "1e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		amount, err := Parse(text)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("Parse accepted %q, which is no number", text)
		}
		if got := big.NewRat(int64(amount), int64(Dollar)); got.Cmp(want) != 0 {
			t.Fatalf("Parse(%q) is %s dollars, want %s", text, got, want)
		}
		if again, err := Parse(amount.String()); err != nil || again != amount {
			t.Fatalf("Parse(%q) = %d, %v; want %d", amount.String(), again, err, amount)
		}
	})
}

func BenchmarkString(b *testing.B) {
	for b.Loop() {
		_ = USD(420_000_000).String()
	}
}
