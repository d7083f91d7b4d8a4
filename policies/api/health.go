package api

import "net/http"

// Check is the state of one part of the gateway.
type Check struct {
	// Name is for programs: lower case, the same in every answer.
	Name string `json:"name"`
	// OK: requests can be served as far as this part is concerned.
	OK bool `json:"ok"`
	// Detail is for people: versions, counts, the last error. Whoever reaches the
	// gateway can read it.
	Detail string `json:"detail"`
}

// state is the answer to a question after the gateway's health.
type state struct {
	Status string  `json:"status"`
	Checks []Check `json:"checks,omitempty"`
}

// health says whether requests can be served, and why not: 503 if any check
// fails. Load balancers should ask here.
func (s *server) health(w http.ResponseWriter, _ *http.Request) {
	status, answer := http.StatusOK, state{Status: "ready", Checks: s.Checks()}
	for _, check := range answer.Checks {
		if !check.OK {
			status, answer.Status = http.StatusServiceUnavailable, "unavailable"
		}
	}
	replyLive(w, status, answer)
}

// live says that the process answers. A supervisor that restarts what is not
// live should ask here: restarting heals none of what the checks look at.
func live(w http.ResponseWriter, _ *http.Request) {
	replyLive(w, http.StatusOK, state{Status: "live"})
}
