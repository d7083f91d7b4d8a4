package health

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// series are the metrics by name and labels.
func series(t *testing.T, collected prometheus.Collector) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collected)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]float64)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			var labels []string
			for _, label := range metric.GetLabel() {
				labels = append(labels, label.GetName()+"="+label.GetValue())
			}
			found[family.GetName()+" "+strings.Join(labels, " ")] = value(metric)
		}
	}
	return found
}

func value(metric *dto.Metric) float64 {
	if metric.GetCounter() != nil {
		return metric.GetCounter().GetValue()
	}
	return metric.GetGauge().GetValue()
}

func TestCollector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracker := New(options)
		for range 3 {
			tracker.Record(Sample{EndpointID: "m/x|a", FirstToken: time.Second, Duration: 2 * time.Second, CompletionTokens: 100, Now: time.Now()})
		}
		fail(tracker, "m/x|a", ServerError, 0, time.Now())
		fail(tracker, "m/x|b", RateLimited, 0, time.Now())
		fail(tracker, "made up|b", NotFound, 0, time.Now())
		collected := tracker.Collector(func(id string) (string, string, bool) {
			model, provider, _ := strings.Cut(id, "|")
			return model, provider, model != "made up"
		})
		got := series(t, collected)

		const a, b = " endpoint=m/x|a model=m/x provider=a", " endpoint=m/x|b model=m/x provider=b"
		for name, want := range map[string]float64{
			"uptime_ratio" + a: 0.75, "outage" + a: 1, "cooling_down" + a: 1,
			"outage" + b: 0, "cooling_down" + b: 1,
			"first_token_seconds" + a + " quantile=0.5": 1, "first_token_seconds" + a + " quantile=0.9": 1,
			"first_token_seconds" + a + " quantile=0.99": 1,
			"tokens_per_second" + a + " quantile=0.5":    50, "tokens_per_second" + a + " quantile=0.9": 50,
			"tokens_per_second" + a + " quantile=0.99": 50,
		} {
			if value, told := got["switchyard_endpoint_"+name]; !told || !near(value, want) {
				t.Errorf("%s is %v (told: %t), want %v", name, value, told, want)
			}
			delete(got, "switchyard_endpoint_"+name)
		}
		for _, name := range []string{"errors_total class=server_error" + a, "errors_total class=rate_limited" + b} {
			if got["switchyard_endpoint_"+name] != 1 {
				t.Errorf("%s is not 1", name)
			}
			delete(got, "switchyard_endpoint_"+name)
		}
		if len(got) != 0 {
			t.Errorf("also told: %v", got)
		}

		// Counters do not go back with the windows.
		time.Sleep(48 * time.Hour)
		if series(t, collected)["switchyard_endpoint_errors_total class=server_error"+a] != 1 {
			t.Error("the error is forgotten after two days")
		}
	})
}
