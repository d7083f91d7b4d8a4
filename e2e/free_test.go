package e2e

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Rows 74 and 76, on a gateway that limits free models as OpenRouter does.
func TestRow74FreeModelsAreLimited(t *testing.T) {
	s, gpt, _ := pair(t)
	s.config["limits"] = settings{"unlimited": true}
	s.config["free_limits"] = settings{"requests_per_minute": 20, "requests_per_day": 50}
	s.serve("m/openai:free", gpt)
	s.start()
	for i := range 20 {
		got := s.ask(question("m/openai:free"))
		if got.status != 200 || got.header.Get("X-RateLimit-Limit") != "" {
			t.Fatalf("request %d: %d %s %v", i, got.status, got.body, got.header)
		}
	}
	got := s.ask(question("m/openai:free"))
	reset, err := strconv.ParseInt(got.header.Get("X-RateLimit-Reset"), 10, 64)
	if got.status != 429 || !strings.Contains(got.body, "Rate limit exceeded: free-models-per-min") || !strings.Contains(got.body, `"limit_source":"openrouter_free_models_per_min"`) ||
		got.header.Get("X-RateLimit-Limit") != "20" || got.header.Get("X-RateLimit-Remaining") != "0" || got.header.Get("Retry-After") == "" ||
		err != nil || time.Until(time.UnixMilli(reset)) <= 0 || time.Until(time.UnixMilli(reset)) > time.Minute {
		t.Errorf("%d %s\n%v", got.status, got.body, got.header)
	}
	if got := s.ask(question("m/openai")); got.status != 200 {
		t.Errorf("the paid model: %d %s", got.status, got.body)
	}
	var key struct {
		Data struct {
			Free struct{ Limit, Remaining, Used int64 } `json:"free_model_daily_requests"`
		}
	}
	told := s.do(http.MethodGet, "/api/v1/key", "")
	if err := json.Unmarshal([]byte(told.body), &key); err != nil || key.Data.Free != struct{ Limit, Remaining, Used int64 }{50, 30, 20} {
		t.Errorf("%s", told.body)
	}
}

// Row 75, but for the credits, which raise nothing here: a day's requests are those of all
// the organisation's keys, and begin anew at midnight in UTC.
func TestRow75FreeModelsAreLimitedByDay(t *testing.T) {
	s, gpt, _ := pair(t)
	s.config["limits"] = settings{"unlimited": true}
	s.config["free_limits"] = settings{"requests_per_day": 50}
	s.serve("m/openai:free", gpt)
	s.manageable()
	s.start()
	other := s.makeKey(`{"name":"other"}`).Key
	for i := range 50 {
		var key []string
		if i%2 == 0 {
			key = as(other)
		}
		if got := s.ask(question("m/openai:free"), key...); got.status != 200 {
			t.Fatalf("request %d: %d %s", i, got.status, got.body)
		}
	}
	tomorrow := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	got := s.ask(question("m/openai:free"), as(other)...)
	if got.status != 429 || !strings.Contains(got.body, "Rate limit exceeded: free-models-per-day") || !strings.Contains(got.body, `"limit_source":"openrouter_free_tier_daily"`) ||
		got.header.Get("X-RateLimit-Limit") != "50" || got.header.Get("X-RateLimit-Remaining") != "0" || got.header.Get("X-RateLimit-Reset") != strconv.FormatInt(tomorrow.UnixMilli(), 10) {
		t.Errorf("%d %s\n%v", got.status, got.body, got.header)
	}
	if got := s.ask(question("m/openai"), as(other)...); got.status != 200 {
		t.Errorf("the paid model: %d %s", got.status, got.body)
	}
}
