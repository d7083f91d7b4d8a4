package health

import (
	"testing"
	"time"
)

func TestRingHoldsTheWindow(t *testing.T) {
	const window, step = 10 * time.Second, time.Second
	tests := []struct {
		name    string
		written []time.Duration
		read    time.Duration
		want    int
	}{
		{"at once", []time.Duration{0}, 0, 1},
		{"at the end of the window", []time.Duration{0}, window, 1},
		{"a step after it", []time.Duration{0}, window + step, 0},
		{"never less than the window", []time.Duration{999 * time.Millisecond}, window + 999*time.Millisecond, 1},
		{"all steps", []time.Duration{0, 1e9, 2e9, 3e9, 4e9, 5e9, 6e9, 7e9, 8e9, 9e9, 10e9}, window, 11},
		{"a turn later", []time.Duration{0, 11e9}, 11 * time.Second, 1},
		{"long after", []time.Duration{0, time.Hour}, time.Hour, 1},
		{"late, within the window", []time.Duration{5e9, 0}, 5 * time.Second, 2},
		{"late, before the window", []time.Duration{time.Hour, 0}, time.Hour, 1},
		{"read before the latest", []time.Duration{0, 5e9}, 2 * time.Second, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRing[int](window, step)
			for _, at := range test.written {
				if slot := r.at(after(at)); slot != nil {
					*slot++
				}
			}
			got := 0
			r.each(after(test.read), func(count int) { got += count })
			if got != test.want {
				t.Errorf("read %d, want %d", got, test.want)
			}
		})
	}
}

func TestRingBearsTheZeroTime(t *testing.T) {
	r := newRing[int](time.Minute, time.Second)
	if r.at(time.Time{}) != nil {
		t.Error("the zero time has a slot")
	}
	r.each(time.Time{}, func(count int) {
		if count != 0 {
			t.Errorf("read %d", count)
		}
	})
}
