package health

import (
	"fmt"
	"testing"
	"time"
)

// busy is a tracker of endpoints that answer, one of which cools down.
func busy(endpoints int) (*Tracker, []string) {
	tracker := New(options)
	ids := make([]string, endpoints)
	for i := range ids {
		ids[i] = fmt.Sprint("author/model-of-some-size|provider-", i)
		for step := range 300 {
			tracker.Record(answer(ids[i], step))
		}
	}
	fail(tracker, ids[0], ServerError, 0, after(5*time.Minute))
	return tracker, ids
}

func answer(id string, step int) Sample {
	return Sample{
		EndpointID: id, CompletionTokens: 100, ToolCalls: 1,
		FirstToken: time.Duration(100+step) * time.Millisecond, Duration: 2 * time.Second,
		Now: after(time.Duration(step) * time.Second),
	}
}

func BenchmarkSummary(b *testing.B) {
	tracker, ids := busy(100)
	peer, _ := busy(100)
	now := after(5 * time.Minute)
	b.Run("alone", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			tracker.Summary(ids[i%len(ids)], now)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				tracker.Summary(ids[i%len(ids)], now)
			}
		})
	})
	b.Run("with a peer", func(b *testing.B) {
		if err := tracker.Import("peer", peer.Export(now, all), now); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			tracker.Summary(ids[i%len(ids)], now)
		}
	})
	b.Run("once a second", func(b *testing.B) {
		tracker, ids := busy(1)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			tracker.Summary(ids[0], now.Add(time.Duration(i%60)*time.Second))
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	b.Run("success", func(b *testing.B) {
		tracker, ids := busy(100)
		sample := answer(ids[1], 300)
		b.ReportAllocs()
		for b.Loop() {
			sample.Now = sample.Now.Add(time.Millisecond)
			tracker.Record(sample)
		}
	})
	b.Run("failure", func(b *testing.B) {
		tracker, ids := busy(100)
		now := after(5 * time.Minute)
		b.ReportAllocs()
		for b.Loop() {
			now = now.Add(time.Millisecond)
			fail(tracker, ids[1], ServerError, 0, now)
		}
	})
	b.Run("made up ids", func(b *testing.B) {
		tracker := New(options)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			fail(tracker, fmt.Sprint(i), NotFound, 0, start)
		}
	})
}

func BenchmarkExport(b *testing.B) {
	tracker, _ := busy(100)
	now := after(5 * time.Minute)
	b.ReportAllocs()
	for b.Loop() {
		b.ReportMetric(float64(len(tracker.Export(now, all)))/100, "B/endpoint")
	}
}

func BenchmarkImport(b *testing.B) {
	peer, _ := busy(100)
	now := after(5 * time.Minute)
	tracker := New(options)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		now = now.Add(time.Millisecond)
		export := peer.Export(now, all) // the same one again would change nothing
		b.StartTimer()
		if err := tracker.Import("peer", export, now); err != nil {
			b.Fatal(err)
		}
	}
}
