package rawjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

func TestWalk(t *testing.T) {
	type member struct{ Name, Value string }
	for _, test := range []struct {
		name, text string
		want       []member
	}{
		{"object", `{"a":1,"b":"x"}`, []member{{"a", "1"}, {"b", `"x"`}}},
		{"array", `[1,"x",null]`, []member{{"", "1"}, {"", `"x"`}, {"", "null"}}},
		{"space everywhere", " {\n\"a\" : [ 1 , 2 ] ,\t\"b\" : { } } ", []member{{"a", "[ 1 , 2 ]"}, {"b", "{ }"}}},
		{"brackets and quotes in strings", `{"a":"}]\"{","b":["]","\\"]}`, []member{{"a", `"}]\"{"`}, {"b", `["]","\\"]`}}},
		{"escaped names", `{"mod\u0065l":1}`, []member{{"model", "1"}}},
		{"a name that is a backslash", `{"\\":1,"b":2}`, []member{{`\`, "1"}, {"b", "2"}}},
		{"numbers", `[-1.5e3,0]`, []member{{"", "-1.5e3"}, {"", "0"}}},
		{"empty", `{}`, nil},
		{"neither", `"x"`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []member
			for c := Walk([]byte(test.text)); c.Next(); {
				got = append(got, member{string(c.Name), string(c.Value)})
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		text   string
		offset int64 // -1 for valid
	}{
		{`{"a":[1,2]}`, -1},
		{" 1 \n", -1},
		{`{"a":1,"a":2}`, 7},
		{`{"a":{"b":1,"b":2}}`, 12},
		{`{"a":1}x`, 7},
		{"{\"a\":\"\xff\"}", 6},
		{`{"a":"\ud83d"}`, 6},
		{strings.Repeat("[", 10001) + strings.Repeat("]", 10001), 10000},
	} {
		err := Validate([]byte(test.text))
		var syntax *jsontext.SyntacticError
		switch {
		case test.offset < 0 && err != nil:
			t.Errorf("%.40s: %v", test.text, err)
		case test.offset >= 0 && (!errors.As(err, &syntax) || syntax.ByteOffset != test.offset):
			t.Errorf("%.40s: got %v, want an error at %d", test.text, err, test.offset)
		}
	}
	if Validate([]byte(`{"a":`)) == nil {
		t.Error("half an object is valid")
	}
}

func TestRepair(t *testing.T) {
	for _, text := range []string{`{"a":1,"a":2}`, `{"a":"\ud83d"}`} {
		if got, err := Repair([]byte(text)); err != nil || string(got) != text {
			t.Errorf("%s became %s, %v", text, got, err)
		}
	}
	if got, err := Repair([]byte("{\"a\":\"x\xff\"}")); err != nil || string(got) != "{\"a\":\"x\uFFFD\"}" {
		t.Errorf("invalid UTF-8 became %q, %v", got, err)
	}
	if _, err := Repair([]byte(`{"a"}`)); err == nil {
		t.Error("half a member passed")
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]int64{"12": 12, "-3": -3, "12.0": 12, "1e3": 1000} {
		if got, ok := Int([]byte(text)); !ok || got != want {
			t.Errorf("Int(%s) is %d, %t", text, got, ok)
		}
	}
	for _, text := range []string{"1.5", `"1"`, "1e400", "null", "", "9223372036854775808"} {
		if got, ok := Int([]byte(text)); ok {
			t.Errorf("Int(%s) is %d", text, got)
		}
	}
}

// FuzzWalk holds that walking valid JSON finds what a decoder finds, and that
// walking anything at all ends without a panic.
func TestEdits(t *testing.T) {
	upper := func(dst, value []byte) []byte { return append(dst, bytes.ToUpper(value)...) }
	for text, want := range map[string]string{
		`{"a" : "x", "b":["y",{"a":"z"}]}`: `{"a" : "X","b":["y",{"a":"z"}]}`,
		`{"b":1}`:                          `{"b":1}`,
		`{}`:                               `{}`,
		`null`:                             `null`,
		`"a"`:                              `"a"`,
	} {
		if got := AppendReplaced([]byte("~"), []byte(text), "a", upper); string(got) != "~"+want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
	numbered := AppendEdited(nil, []byte(`["x", 1 ,{"a":2}]`), func(dst []byte, c *Cursor) []byte { return append(append(dst, '0'), c.Value...) })
	if want := `[0"x",01,0{"a":2}]`; string(numbered) != want {
		t.Errorf("got %s, want %s", numbered, want)
	}
}

func FuzzWalk(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"}\""}],"c\u0064":null}`))
	f.Add([]byte(`[["]"],"\\"]`))
	f.Add([]byte(`{"a`))
	f.Add([]byte(`{"a":["` + strings.Repeat(`long \"text\" `, 30) + `",{"b":"` + strings.Repeat(`long \"text\" `, 30) + `"}],"c":"d"}`))
	f.Add([]byte(`{"a":"eight bytes and then \"quotes\" \\\" of \\","b":["\"]"]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		valid := Validate(text) == nil
		built := walk(nil, bytes.TrimSpace(text), 0)
		once := Walk(text)
		sameWithinOnePass(t, Walk(text), &once, 0, valid)
		if document, err := Read(text); (err == nil) != valid {
			t.Fatalf("Read says %v", err)
		} else if noted := document.Walk(); valid {
			sameWithinOnePass(t, Walk(text), &noted, 0, true)
			for want, noted := Walk(text), document.Walk(); noted.Next(); { // ends found from outside
				if want.Next(); !bytes.Equal(noted.Member, want.Member) {
					t.Fatalf("member %q, want %q", noted.Member, want.Member)
				}
			}
		}
		if !valid {
			return
		}
		var want, got any
		if json.Unmarshal(text, &want) != nil {
			return // a number beyond what Go holds
		}
		if err := json.Unmarshal(built, &got); err != nil {
			t.Fatalf("%q was rebuilt as %q: %v", text, built, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// sameWithinOnePass compares a walk that finds each value's end on its way through the
// value with one that looks for it first. On text that is not valid it is enough that
// both come to an end.
func sameWithinOnePass(t *testing.T, want Cursor, got *Cursor, depth int, valid bool) {
	for {
		more := want.Next()
		if opened := got.Open(); valid && opened != more {
			t.Fatalf("a member is found: %v, want %v", opened, more)
		} else if !opened {
			return
		}
		if inner := got.Walk(); depth < 50 && (Kind(got.Value) == '{' || Kind(got.Value) == '[') {
			sameWithinOnePass(t, Walk(want.Value), &inner, depth+1, valid)
			got.CloseAfter(&inner)
		} else if !got.Close() {
			return
		}
		if valid && (!bytes.Equal(got.Value, want.Value) || !bytes.Equal(got.Member, want.Member) || !bytes.Equal(got.Name, want.Name)) {
			t.Fatalf("member %q with value %q, want %q with %q", got.Member, got.Value, want.Member, want.Value)
		}
	}
}

// walk rebuilds a value from what a cursor says of it.
func walk(dst, value []byte, depth int) []byte {
	kind := Kind(value)
	if kind != '{' && kind != '[' || depth > 50 {
		return append(dst, value...)
	}
	dst = append(dst, kind)
	for c := Walk(value); c.Next(); {
		dst = Comma(dst)
		if kind == '{' {
			dst = append(AppendQuoted(dst, c.Name), ':')
		}
		dst = walk(dst, c.Value, depth+1)
	}
	return append(dst, kind+2)
}

func TestSizeIsThatOfTheUnquotedText(t *testing.T) {
	for value, want := range map[string]int64{
		`""`: 0, `"plain"`: 5, `"я"`: 2, `"\u044f\u044F"`: 4, `"a\nb\\\"c"`: 6, `"\u0041"`: 1, `"\u4e2d文"`: 6,
		`"\ud83d\ude00!"`: 5, `"\ud83d"`: 3, `"\ud83d\u0041"`: 4, `"\ude00\ud83d"`: 6, `"\\u044f"`: 6,
		`12`: 0, `null`: 0, ``: 0, `{"a":"b"}`: 0,
	} {
		if got := Size([]byte(value)); got != want {
			t.Errorf("Size(%s) = %d, want %d", value, got, want)
		}
	}
}

func FuzzSize(f *testing.F) {
	for _, seed := range []string{`"a\u044f\n"`, `"\ud83d\ude00"`, `"\ud83d\ud83d\ude00"`, `"\u"`, `"\`, `"\u12`, `"\\\`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		size := Size(value)
		if text, err := Repair(value); err == nil && Kind(text) == '"' {
			text = bytes.TrimSpace(text)
			if want := int64(len(Unquote(text))); Size(text) != want {
				t.Errorf("Size(%q) = %d, want %d", text, Size(text), want)
			}
		}
		if size < 0 {
			t.Errorf("Size(%q) = %d", value, size)
		}
	})
}
