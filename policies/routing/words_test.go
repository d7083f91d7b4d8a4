package routing

import (
	"fmt"
	"testing"
)

// A long list is looked up in another way than a short one, and finds the same.
func TestLongListsFindWhatShortOnesDo(t *testing.T) {
	filler := make([]string, maxSearched)
	for i := range filler {
		filler[i] = fmt.Sprintf("none-%d", i)
	}
	short := []string{"EU", "v/us", "Moonshot AI", "eu", ""}
	long := newWords(append(append([]string{}, short...), filler...))
	if long.places == nil || newWords(short).places != nil {
		t.Fatal("the lists are not of the two kinds")
	}
	for name, want := range map[string]int{
		"eu": 0, "eu-west-1": 0, "V/US": 1, "v-us": 5, "moonshot ai": 2, "europa": 5, "": 4, "-": 4,
	} {
		if got := newWords(short).placeOfPart(name, '-'); got != want {
			t.Errorf("short list: %q is at %d, want %d", name, got, want)
		}
		if want == len(short) {
			want = len(long.list)
		}
		if got := long.placeOfPart(name, '-'); got != want {
			t.Errorf("long list: %q is at %d, want %d", name, got, want)
		}
	}
}
