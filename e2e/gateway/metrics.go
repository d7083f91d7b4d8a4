package gateway

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Metric sums the samples of a Prometheus metric that carry all the labels,
// written as `name="value"`. It is 0 when there are none.
func (g *Gateway) Metric(name string, labels ...string) (float64, error) {
	response, err := g.client.Get(g.URL + "/metrics")
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("GET /metrics: %s: %s", response.Status, text)
	}
	return sum(string(text), name, labels)
}

func sum(exposition, name string, labels []string) (float64, error) {
	total := 0.0
	for line := range strings.Lines(exposition) {
		sample, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if at := strings.LastIndex(line, "} "); at >= 0 {
			sample, value = line[:at+1], strings.TrimSpace(line[at+2:])
		}
		metric, set, _ := strings.Cut(sample, "{")
		if metric != name || !carries(set, labels) {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", name, err)
		}
		total += number
	}
	return total, nil
}

func carries(set string, labels []string) bool {
	for _, label := range labels {
		if !strings.Contains(set, label) {
			return false
		}
	}
	return true
}
