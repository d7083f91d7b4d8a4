package usage

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

// A field that is added, and not copied, is found here: its text is where it was.
func TestCloneHasItsOwnTexts(t *testing.T) {
	g := filled()
	c := g.Clone()
	if diff := cmp.Diff(g, c); diff != "" {
		t.Fatal(diff)
	}
	var apart func(path string, a, b reflect.Value)
	apart = func(path string, a, b reflect.Value) {
		switch a.Kind() {
		case reflect.String:
			if unsafe.StringData(a.String()) == unsafe.StringData(b.String()) {
				t.Errorf("%s is not copied", path)
			}
		case reflect.Struct:
			for i := range a.NumField() {
				if a.Type().Field(i).IsExported() {
					apart(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
				}
			}
		case reflect.Slice:
			for i := range a.Len() {
				apart(path, a.Index(i), b.Index(i))
			}
		}
	}
	apart("Generation", reflect.ValueOf(g), reflect.ValueOf(c)) // not what Content points to
}
