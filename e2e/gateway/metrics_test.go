package gateway

import "testing"

func TestSumAddsSamplesByNameAndLabels(t *testing.T) {
	const exposition = `# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{model="m/x",status="200"} 3
requests_total{model="m/x",status="429"} 2
requests_total{model="m/y, z {}",status="200"} 5
requests_total_created 9
plain 1.5
`
	for name, test := range map[string]struct {
		metric string
		labels []string
		want   float64
	}{
		"all samples":        {"requests_total", nil, 10},
		"one label":          {"requests_total", []string{`status="200"`}, 8},
		"two labels":         {"requests_total", []string{`status="200"`, `model="m/x"`}, 3},
		"no labels at all":   {"plain", nil, 1.5},
		"a metric not there": {"requests", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := sum(exposition, test.metric, test.labels); err != nil || got != test.want {
				t.Errorf("sum = %v, %v; want %v", got, err, test.want)
			}
		})
	}
}
