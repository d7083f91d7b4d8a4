package health

import (
	"time"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"
)

// Percentiles come from DDSketch (Masson, Rim, Lee: VLDB 2019): a histogram whose
// bins grow with the value, so that each percentile is within a known share of the
// exact one, and that merges without loss, over time and between instances.
const (
	// relativeAccuracy is how far a percentile may be from the exact one.
	relativeAccuracy = 0.02
	// maxBins bounds a sketch to 2 KiB. So many bins span a factor of 28,000, from a
	// millisecond to half a minute; of values further apart the least run together.
	maxBins = 256
)

// bins maps values to the bins of all sketches, in every instance.
var bins = newBins()

func newBins() mapping.IndexMapping {
	bins, err := mapping.NewLogarithmicMapping(relativeAccuracy)
	if err != nil {
		panic(err) // the accuracy is a constant between 0 and 1
	}
	return bins
}

func newSketch() *ddsketch.DDSketch {
	return ddsketch.NewDDSketch(bins, store.NewCollapsingLowestDenseStore(maxBins), store.NewCollapsingLowestDenseStore(1))
}

// merge adds the values of one sketch to another, made if there is none.
func merge(into, from *ddsketch.DDSketch) *ddsketch.DDSketch {
	if from == nil || from.IsEmpty() {
		return into
	}
	if into == nil {
		into = newSketch()
	}
	if err := into.MergeWith(from); err != nil {
		panic(err) // all sketches have the same bins
	}
	return into
}

// sketchBytes is about what a sketch takes in memory: 8 bytes for each bin from its
// least to its greatest, in blocks of 64.
func sketchBytes(sketch *ddsketch.DDSketch) int {
	if sketch == nil {
		return 0
	}
	const itself, block = 320, 64
	least, _ := sketch.GetPositiveValueStore().MinIndex() // an error is an empty one
	greatest, _ := sketch.GetPositiveValueStore().MaxIndex()
	return itself + 8*block*(min(greatest-least, maxBins-1)/block+1)
}

// percentiles of a sketch; of none they are unknown.
func percentiles(sketch *ddsketch.DDSketch) Percentiles {
	if sketch == nil {
		return Percentiles{}
	}
	values, err := sketch.GetValuesAtQuantiles([]float64{0.50, 0.75, 0.90, 0.99})
	if err != nil {
		return Percentiles{} // it is empty
	}
	return Percentiles{P50: values[0], P75: values[1], P90: values[2], P99: values[3]}
}

// spans are the sketches over the spans of time that percentiles are told of.
type spans struct{ Last5m, Last30m *ddsketch.DDSketch }

func (s spans) merge(other spans) spans {
	return spans{Last5m: merge(s.Last5m, other.Last5m), Last30m: merge(s.Last30m, other.Last30m)}
}

// distribution keeps the values of the last half hour.
type distribution struct{ last5m, last30m ring[*ddsketch.DDSketch] }

func newDistribution() distribution {
	return distribution{
		last5m:  newRing[*ddsketch.DDSketch](5*time.Minute, time.Minute),
		last30m: newRing[*ddsketch.DDSketch](30*time.Minute, 5*time.Minute),
	}
}

// add takes in a value greater than zero.
func (d *distribution) add(value float64, now time.Time) {
	for _, ring := range []*ring[*ddsketch.DDSketch]{&d.last5m, &d.last30m} {
		slot := ring.at(now)
		if slot == nil {
			continue
		}
		if *slot == nil {
			*slot = newSketch()
		}
		// A value that no bin holds, such as infinity, is not counted.
		_ = (*slot).Add(value)
	}
}

// spans are what is known now, in sketches of their own.
func (d *distribution) spans(now time.Time) spans {
	var s spans
	d.last5m.each(now, func(sketch *ddsketch.DDSketch) { s.Last5m = merge(s.Last5m, sketch) })
	d.last30m.each(now, func(sketch *ddsketch.DDSketch) { s.Last30m = merge(s.Last30m, sketch) })
	return s
}
