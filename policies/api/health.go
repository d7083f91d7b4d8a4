package api

import "net/http"

// Check is the state of one part of the gateway.
type Check struct {
	Name string `json:"name"`
	// OK: the part does its work. One that does not makes the gateway not ready.
	OK bool `json:"ok"`
	// Detail is for people.
	Detail string `json:"detail,omitzero"`
}

// health answers 200 if the gateway can serve, else 503, with the reasons.
func (o Options) health(w http.ResponseWriter, _ *http.Request) {
	checks := o.Checks()
	status, word := http.StatusOK, "ready"
	for _, check := range checks {
		if !check.OK {
			status, word = http.StatusServiceUnavailable, "not ready"
		}
	}
	writeJSON(w, status, struct {
		Status string  `json:"status"`
		Live   bool    `json:"live"`
		Checks []Check `json:"checks"`
	}{word, true, checks})
}

// live answers 200 as long as the process runs.
func live(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, struct {
		Live bool `json:"live"`
	}{true})
}
