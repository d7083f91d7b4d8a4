package api

import "testing"

func TestHealth(t *testing.T) {
	good, bad := Check{"xds", true, "version 3"}, Check{"envoy", false, "exited with 1"}
	const (
		ready       = `{"status":"ready","checks":[{"name":"xds","ok":true,"detail":"version 3"}]}`
		unavailable = `{"status":"unavailable","checks":[{"name":"xds","ok":true,"detail":"version 3"},{"name":"envoy","ok":false,"detail":"exited with 1"}]}`
		live        = `{"status":"live"}`
	)
	tests := []struct {
		name, path string
		checks     []Check
		status     int
		want       string
	}{
		{"all is well", "/health", []Check{good}, 200, ready},
		{"something is wrong", "/health", []Check{good, bad}, 503, unavailable},
		{"ready", "/health/ready", []Check{good}, 200, ready},
		{"not ready", "/health/ready", []Check{good, bad}, 503, unavailable},
		{"live though not ready", "/health/live", []Check{bad}, 200, live},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			options := gateway(t)
			options.Checks = func() []Check { return test.checks }
			response := ask(options, "GET", test.path)
			if response.Code != test.status || response.Body.String() != test.want+"\n" {
				t.Errorf("%d %s, want %d %s", response.Code, response.Body, test.status, test.want)
			}
			if got := response.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("cache control %q: a proxy may answer for the gateway", got)
			}
		})
	}
}
