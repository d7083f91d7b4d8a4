package rawjson

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// texts are of every form that JSON has, and close to it.
var texts = []string{
	`{}`, `[]`, ` [ ] `, `""`, `true`, `false`, `null`, `nul`, `truex`, `0`, `-0`, `01`, `-`, `1.`, `1.5e`, `1.5E+07`, `1e-3`, `.5`, `+1`, `-01`, `0.0.0`,
	`[1,2]`, `[1 2]`, `[1,]`, `[,1]`, `[`, `]`, `{"a":1}`, `{"a":1,}`, `{"a"}`, `{"a" 1}`, `{a:1}`, `{"a":1 "b":2}`, `{"a":}`, `{1:2}`, `{,}`,
	`{"a":1,"b":{"a":2,"b":[{"a":3},{"a":4}]}}`, `{"a":1,"\u0061":2}`, `{"\u0061":1,"a":2}`, `{"a":[{"b":1,"b":2}]}`, `{"":1,"":2}`,
	`"\"\\\/\b\f\n\r\t"`, `"\x"`, `"\`, `"\"`, `"\u00e9\uABCD"`, `"\u12"`, `"\u12G4"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ude00"`, `"\ud83d\u0041"`, `"\ud83d\`, `"\ud83d\ude0`,
	"\"tab\tin a text\"", "\"\x00\"", "\"\x1f eight more\"", "\"eight be\x1f\"", "\"del \x7f\"", "\x00", "\ufeff1", "1 2", "1x",
	`"Grüße, 世界, 😀"`, "\"\xff\"", "\"eight or more\xc3\"", "\"\xed\xa0\x80 a surrogate\"", "\"\xc0\xaf overlong\"", `"ünfinished`, "{\"\xff\":1}", "[\x0b1]", "\u00a01",
	`"eight or more bytes`, `"seven b"`, `"eight by"`, `"seven \""`, `"eight b\""`, `"before \u00e9 and after it"`,
	strings.Repeat("[", 501) + strings.Repeat("]", 501), strings.Repeat(`{"a":`, 501) + "1" + strings.Repeat("}", 501), strings.Repeat("[", 10001) + strings.Repeat("]", 10001),
	object(40, 40), object(40, 3), object(16, 15), object(17, 16), `[` + object(17, 17) + `,` + object(3, 3) + `]`,
}

// object has so many members, of which the last repeats the name of number same.
func object(members, same int) string {
	var b strings.Builder
	for i := range members - 1 {
		fmt.Fprintf(&b, `"name %d":{"name":1},`, i)
	}
	return fmt.Sprintf(`{%s"name %d":2}`, b.String(), same)
}

var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

func TestSurely(t *testing.T) {
	for _, text := range texts {
		sameVerdict(t, []byte(text))
	}
	for _, text := range []string{
		object(40, 40), `{"a":1,"\u0062":{"a":"\ud83d\ude00"}}`, `["Grüße, 世界"]`, ` -1.5E+07 `, strings.Repeat("[", deepest) + strings.Repeat("]", deepest),
	} {
		if !surely([]byte(text), false) || !surely([]byte(text), true) {
			t.Errorf("not sure of %.80s", text)
		}
	}
}

// TestSurelyWithinLongText puts what is short at each place of texts that take several
// blocks, as the last byte too.
func TestSurelyWithinLongText(t *testing.T) {
	pieces := []string{
		`"`, `\"`, `\\`, `\`, `\\\`, `\n`, `\x`, `\u00e9`, `\u00`, `\ud83d\ude00`, `\ud83d`, `\ude00`, `\ud83d\n`, "é", "日", "😀", "\xff", "\xe6\x97", "\x97", "\n", "\x1f", "#",
	}
	for _, filler := range []string{"plain", `escapes \n\t\" in it`, "日本語", "é\\n", `\\`, "\\u00e9"} {
		long := strings.Repeat(filler, 210/len(filler)+1)
		for at := range 200 {
			for _, piece := range pieces {
				sameVerdict(t, []byte(`["`+long[:at]+piece+long[at:]+`"]`))
				sameVerdict(t, []byte(`["`+long[:at]+piece+`"]`+strings.Repeat(" \n", at/2)))
			}
			sameVerdict(t, []byte(`["`+long[:at]))
		}
	}
}

// sameVerdict demands that surely is sure of nothing but what jsontext accepts. That it
// is sure of all of that but what is deep keeps it from becoming slow unnoticed.
func sameVerdict(t *testing.T, text []byte) {
	t.Helper()
	deep := strings.Count(string(text), "[")+strings.Count(string(text), "{") > deepest
	for _, loose := range []bool{false, true} {
		var options []jsontext.Options
		if loose {
			options = lenient
		}
		if want, got := jsontext.Value(text).IsValid(options...), surely(text, loose); got != want && (got || !deep) {
			t.Errorf("surely(%.80q, %t) is %t, jsontext says %t", text, loose, got, want)
		}
	}
}

func FuzzSurely(f *testing.F) {
	for _, text := range texts {
		if len(text) < 4096 {
			f.Add([]byte(text))
		}
	}
	long := strings.Repeat("a long text ", 8)
	f.Add([]byte(`{"` + long + `":"\n` + long + `\"é` + long + `\u00e9\\` + long + `"}`))
	f.Fuzz(func(t *testing.T, text []byte) { sameVerdict(t, text) })
}

func BenchmarkValidate(b *testing.B) {
	const size = 100 << 10
	for _, c := range []struct{ name, text string }{
		{"plain", "Lorem ipsum dolor sit amet, consectetur adipiscing elit. "},
		{"escapes", `if err != nil {\n\t\treturn fmt.Errorf(\"read %q: %w\", name, err)\n\t}\n`},
		{"Chinese", "今日は良い天気ですね。"},
		{"accents", "Les élèves français, où qu'ils aillent. "},
	} {
		for name, text := range map[string]string{
			"one string": `{"content":"` + strings.Repeat(c.text, size/len(c.text)) + `"}`,
			"messages":   `[` + strings.Repeat(`{"role":"user","content":"`+c.text+`"},`, size/(len(c.text)+30)) + `0]`,
		} {
			b.Run("text="+c.name+"/in="+strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
				text := []byte(text)
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					if err := Validate(text); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
