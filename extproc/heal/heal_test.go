package heal

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

func TestJSON(t *testing.T) {
	const fence = "```"
	for _, test := range []struct{ name, text, want string }{
		{"row 119", fence + "json\n{\"a\":1,}\n" + fence, `{"a":1}`},
		{"a fence around what is right", fence + "\n{ \"a\": 1.10 }\n" + fence, `{ "a": 1.10 }`},
		{"a fence that is not closed", fence + "json\n{\"a\":1}", `{"a":1}`},
		{"prose before and behind", "Sure! Here it is:\n{\"a\": 1}\nDo you need more?", `{"a": 1}`},
		{"prose and a fence", "Here:\n" + fence + "json\n{\"a\":[1,2,],}\n" + fence + "\nAs in [1].", `{"a":[1,2]}`},
		{"a reference before it", "As [1] says: {\"a\":\"b\"}", `{"a":"b"}`},
		{"a place holder before it", "Instead of {name} I say {\"a\":1}", `{"a":1}`},
		{"an array of objects", "Here: [{\"a\":1},{\"a\":2}]", `[{"a":1},{"a":2}]`},
		{"a bracket too many", `{"a":1}}`, `{"a":1}`},
		{"numbers stay as written", `{"big":9007199254740993,"price":1.10,"z":-0.5e-7,}`, `{"big":9007199254740993,"price":1.10,"z":-0.5e-7}`},
		{"order stays", `{"z":1,"a":2,}`, `{"z":1,"a":2}`},
		{"commas that are too many", `{,"a":1,,"b":[,1,,2,],}`, `{"a":1,"b":[1,2]}`},
		{"commas that are missing", "{\"a\":1 \"b\":\"x\"\n\"c\":[1 2 {\"d\":3} {\"e\":4}]}", `{"a":1,"b":"x","c":[1,2,{"d":3},{"e":4}]}`},
		{"a comma missing on one line", `{"a":"x" "b":"y"}`, `{"a":"x","b":"y"}`},
		{"brackets that are missing", `{"a":[1,{"b":2`, `{"a":[1,{"b":2}]}`},
		{"brackets out of order", `{"a":[1,2}`, `{"a":[1,2]}`},
		{"an object in an array not closed", `[{"a":1,{"b":2}]`, ""},
		{"a quote that is missing at the end", `{"a":"b`, `{"a":"b"}`},
		{"a quote that is missing before brackets", "{\"a\":[\"b]\n}", `{"a":["b"]}`},
		{"single quotes", `{'a': 'it\'s', 'b': 'it's "so"'}`, `{"a":"it's","b":"it's \"so\""}`},
		{"typographic quotes", `{“a”: “b”}`, `{"a":"b"}`},
		{"names without quotes", `{a: 1, b_2: {c-d: 'x'}}`, `{"a":1,"b_2":{"c-d":"x"}}`},
		{"quotes that are not escaped", `{"a":"He said "yes", and "no".","b":"c"}`, `{"a":"He said \"yes\", and \"no\".","b":"c"}`},
		{"Python", `{'a': True, 'b': None, 'c': [False]}`, `{"a":true,"b":null,"c":[false]}`},
		{"comments", "{\"a\":1, // one\n/* two */ \"b\":2}", `{"a":1,"b":2}`},
		{"line ends in a string", "{\"a\":\"x\r\n\ty\x01\"}", `{"a":"x\r\n\ty\u0001"}`},
		{"escapes that are none", `{"a":"\d+ \u12 \n C:\x",}`, `{"a":"\\d+ \\u12 \n C:\\x"}`},
		{"letters beyond ASCII", `{"é":"𝄞 日本","q":"ü",}`, `{"é":"𝄞 日本","q":"ü"}`},
		{"spaces that do not break", "{\u00a0\"a\":\u00a01,}", `{"a":1}`},

		{"what is right", ` {"a": [1, 2]} `, ""},
		{"repeated names, which clients read", `{"a":1,"a":2}`, ""},
		{"a refusal", "I'm sorry, I cannot do that.", ""},
		{"nothing", "", ""},
		{"a set of words", "{sorry, no}", ""},
		{"a list of words", "[see above]", ""},
		{"a value without quotes", `{"a": hello}`, ""},
		{"a name without a value", `{"a"`, ""},
		{"a name that is cut", `{"a":1,"b`, ""},
		{"a value that is cut", `{"a":`, ""},
		{"a quote missing in the middle", `{"a":"b, "c":1, "d":"e}`, ""},
		{"what goes on behind it", `{"a":1},"b":2}`, ""},
		{"a number that is none", `{"a":1.2.3}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, changed := JSON(test.text, true)
			if changed != (test.want != "") {
				t.Fatalf("changed: %t, %s", changed, got)
			}
			if !changed {
				test.want = test.text
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestObjectsAlone(t *testing.T) {
	for text, want := range map[string]string{
		"[1,2,]":            "",
		"As [1]: {\"a\":1}": `{"a":1}`,
		"[{\"a\":1,}]":      "",
	} {
		if got, changed := JSON(text, false); changed != (want != "") || changed && got != want {
			t.Errorf("%s: changed: %t, %s", text, changed, got)
		}
	}
}

// Text that a model can be made to write must not take more than its share of time: eight
// times the text takes about eight times the time, where by the square it takes 64 times.
func TestTimeIsInProportion(t *testing.T) {
	const short, long = 16 << 10, 128 << 10
	for _, begin := range []string{"", `{"k":`, "[", `{"k":"`, `["`} {
		for _, piece := range []string{
			"[", `{"a":`, `"a" "b" `, `\`, "'", "```", "/*", "//", "{", "a", "a:", `"`, `"a",`, `x " y `, ",", "1", "\n", " ", "“", `{"a":"b"c"d,`,
			`"\`, `'"`, `["a`, "{}", "[1],", `" ,`, `" a:`, "\"\n", "}", "]}",
		} {
			timed := func(size int) time.Duration {
				text := begin + strings.Repeat(piece, size/len(piece))
				began := processorTime(t)
				JSON(text, true)
				return processorTime(t) - began
			}
			// Little time is little whatever it grows by, and too little to compare.
			if took := timed(long); took > 100*time.Millisecond && took > 32*timed(short) {
				t.Errorf("%q and many of %q take %v", begin, piece, took)
			}
		}
	}
}

// processorTime is what the process has used so far: the clock tells what others do too.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		"```json\n{\"a\":1,}\n```", `{'a': 'it\'s', b: True}`, `{"a":["b]}`, `Here: [1 2 {"c":"d" "e":"f"}] [1]`, `{"a":"\u12 \n` + "\n", `{“a”:"x"y",}`, "[[[[", `{"a":1}}`,
	} {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, arrays bool) {
		healed, changed := JSON(text, arrays)
		if !changed {
			if healed != text {
				t.Errorf("%q became %q unsaid", text, healed)
			}
			return
		}
		if jsontext.Value(strings.TrimSpace(text)).IsValid(lenient...) {
			t.Errorf("%q was JSON", text)
		}
		if !jsontext.Value(healed).IsValid(lenient...) || healed[0] != '{' && (!arrays || healed[0] != '[') {
			t.Errorf("%q became %q", text, healed)
		}
		if again, changed := JSON(healed, arrays); changed {
			t.Errorf("%q became %q, and then %q", text, healed, again)
		}
	})
}

func BenchmarkJSON(b *testing.B) {
	for _, size := range []int{1 << 10, 100 << 10} {
		entries := strings.Repeat(`{"name":"Lorem ipsum","count":12,"tags":["a","b"]},`, size/50)
		for name, text := range map[string]string{
			"right":  `{"list":[` + strings.TrimSuffix(entries, ",") + `]}`,
			"fenced": "```json\n{\"list\":[" + strings.TrimSuffix(entries, ",") + "]}\n```",
			"broken": `{'list':[` + entries + `],}`,
		} {
			b.Run(fmt.Sprintf("%s/%dKB", name, size>>10), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					JSON(text, true)
				}
			})
		}
	}
}
