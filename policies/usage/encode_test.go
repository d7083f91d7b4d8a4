package usage

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// filled is a generation of which every field has a value of its own.
func filled() Generation {
	var g Generation
	fill(reflect.ValueOf(&g).Elem(), new(int64))
	return g
}

func fill(v reflect.Value, n *int64) {
	*n++
	switch value := v.Addr().Interface().(type) {
	case *time.Time:
		*value = time.UnixMicro(1_795_435_464_123_456 + *n).UTC()
		return
	case *jsontext.Value:
		*value = fmt.Appendf(nil, `[%d]`, *n)
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(*n)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	default:
		panic(fmt.Sprintf("a field of a kind that no field had before: %v", v.Type()))
	}
}

func same(t *testing.T, g *Generation) {
	t.Helper()
	want, failed := json.Marshal(g, jsontext.AllowInvalidUTF8(true))
	got, err := g.AppendJSON([]byte("before"))
	if failed != nil || err != nil {
		if (failed == nil) != (err == nil) {
			t.Errorf("the package says %v, and this %v", failed, err)
		}
		return
	}
	if want := append([]byte("before"), want...); !bytes.Equal(want, got) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A field that is added, and not written, is found here.
func TestEveryFieldIsWrittenAsThePackageDoes(t *testing.T) {
	whole := filled()
	same(t, &whole)
	same(t, &Generation{})
	same(t, &Generation{Attempts: []Attempt{{}}})
	same(t, &Generation{Created: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)})
	same(t, &Generation{Content: &Content{Error: jsontext.Value(`{`)}})
	for _, odd := range []string{"\"", "\\", "\n", "\x00", "\x7f", "é", "\xff", "a\u2028b", "<&>", "\U0001F600", "\xed\xa0\x80"} {
		same(t, &Generation{ID: odd, User: odd, Attempts: []Attempt{{Reason: odd}}})
	}
	for _, zone := range []*time.Location{time.FixedZone("", 3600), time.FixedZone("", 86400), time.FixedZone("", 1)} {
		same(t, &Generation{Created: time.Unix(1_795_435_464, 0).In(zone)})
	}
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	want := filled()
	text, err := want.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	var got Generation
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzAppendJSON(f *testing.F) {
	whole := filled()
	text, err := whole.AppendJSON(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"user":"\ud800","attempts":[{"charge":{"Total":-9223372.036854775808}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var g Generation
		if err := json.Unmarshal(text, &g, jsontext.AllowInvalidUTF8(true)); err == nil {
			same(t, &g)
		}
	})
}

func BenchmarkAppendJSON(b *testing.B) {
	g := filled()
	g.Content = nil
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		line, _ = g.AppendJSON(line[:0])
	}
}
