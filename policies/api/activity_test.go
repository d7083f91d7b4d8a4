package api

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/usage"
)

// served is a generation at an endpoint of the small catalog.
func served(id string, at time.Time, keyHash, keyName string) usage.Generation {
	return usage.Generation{ID: id, Created: at, KeyHash: keyHash, KeyName: keyName, Workspace: identity.Default, Attempts: []usage.Attempt{{
		Outcome: "ok", Model: "m/a", Endpoint: "m/a|anthropic", Provider: "anthropic",
		Tokens: usage.Tokens{Prompt: 100, Completion: 10, Reasoning: 4, CacheRead: 90}, Charge: usage.Charge{Total: money.Dollar / 2, Upstream: 2 * money.Dollar},
	}}}
}

func TestRow171ActivityIsOfCompletedDays(t *testing.T) {
	g := manage(t)
	one, other := identity.Hash("one"), identity.Hash("other")
	today := identity.ResetDaily.Start(time.Now())
	if err := g.generations.Save(t.Context(), []usage.Generation{
		served("today", today, one, "k"), served("a", today.Add(-time.Microsecond), one, "k"), served("b", today.Add(-time.Hour), other, "k"),
		served("c", today.AddDate(0, 0, -30), one, "k"), served("d", today.AddDate(0, 0, -30).Add(-time.Microsecond), one, "k"),
	}); err != nil {
		t.Fatal(err)
	}
	row := func(day, requests int) activity {
		n := int64(requests)
		return activity{
			Date: today.AddDate(0, 0, -day).Format(time.DateOnly), Model: "m/a", Permaslug: "m/a-2026", EndpointID: "m/a|anthropic", ProviderName: "Anthropic",
			Usage: money.USD(n) * money.Dollar / 2, BYOK: 2 * money.Dollar.Mul(n), Requests: n, PromptTokens: 100 * n, CompletionTokens: 10 * n, ReasoningTokens: 4 * n, CachedTokens: 90 * n,
		}
	}
	for query, want := range map[string][]activity{
		"":                     {row(1, 2), row(30, 1)},
		"?api_key_hash=" + one: {row(1, 1), row(30, 1)},
		"?date=" + row(1, 1).Date + "&api_key_hash=" + other:    {row(1, 1)},
		"?date=" + row(30, 1).Date:                              {row(30, 1)},
		"?date=" + today.AddDate(0, 0, -2).Format("2006-01-02"): {},
	} {
		got := decode[data[[]activity]](t, g.call(managementKey, "GET", "/api/v1/activity"+query, "")).Data
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	grouped := g.call(managementKey, "GET", "/api/v1/activity?group_by=workspace&workspace_id=default&date="+row(1, 1).Date, "").Body.String()
	if !strings.Contains(grouped, `"requests":2,`) || !strings.Contains(grouped, `"workspace_id":"default"`) {
		t.Errorf("by workspace: %s", grouped)
	}
	wantError(t, g.call(managementKey, "GET", "/api/v1/activity?workspace_id=none", ""), 404, "not_found")
	for _, query := range []string{
		"date=" + today.Format(time.DateOnly), "date=" + row(31, 1).Date, "date=yesterday", "api_key_hash=k", "user_id=u", "group_by=key",
	} {
		wantError(t, g.call(managementKey, "GET", "/api/v1/activity?"+query, ""), 400, "invalid_request")
	}
}

func TestCreditsAndUsageAreOfAllKeys(t *testing.T) {
	g := manage(t)
	one, other := identity.Hash("one"), identity.Hash("other")
	now := time.Now().UTC()
	if err := g.generations.Save(t.Context(), []usage.Generation{
		served("a", now, one, "old name"), served("b", now, one, "new name"), served("c", now, other, "others"), served("d", now.AddDate(0, 0, -40), other, "others"),
	}); err != nil {
		t.Fatal(err)
	}
	if got := g.call(managementKey, "GET", "/api/v1/credits", "").Body.String(); got != `{"data":{"total_credits":0,"total_usage":2}}`+"\n" {
		t.Errorf("%s", got)
	}
	for query, want := range map[string]string{
		"":                                    `[{"usage":1.5,"byok_usage_inference":6,"requests":3,`,
		"?by=key":                             `"key_name":"new name","usage":1,"byok_usage_inference":4,"requests":2,`,
		"?by=day,model&api_key_hash=" + other: `[{"date":"` + now.Format(time.DateOnly) + `","model":"m/a","usage":0.5,"byok_usage_inference":2,"requests":1,`,
		"?by=day&from=" + now.AddDate(0, 0, -40).Format(time.DateOnly) + "&to=" + now.AddDate(0, 0, -40).Format(time.DateOnly): `"usage":0.5,"byok_usage_inference":2,"requests":1,`,
	} {
		if got := g.call(managementKey, "GET", "/api/v1/usage"+query, "").Body.String(); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	for _, query := range []string{"by=hour", "from=x", "to=2026-13-01"} {
		wantError(t, g.call(managementKey, "GET", "/api/v1/usage?"+query, ""), 400, "invalid_request")
	}
	for _, path := range []string{"/activity", "/credits", "/usage", "/audit"} {
		wantError(t, g.call(goodKey, "GET", "/api/v1"+path, ""), 403, "permission_denied")
	}
}

func TestAuditLogTellsWhoChangedWhat(t *testing.T) {
	g := manage(t)
	admin := g.made(managementKey, `{"name":"admin","role":"admin"}`)
	created := g.made(admin.Key, `{"name":"k"}`)
	g.call(admin.Key, "PATCH", "/api/v1/keys/"+created.Data.Hash, `{"disabled":true}`)
	type state struct {
		Disabled bool `json:"disabled"`
	}
	type entry struct {
		Actor  string `json:"actor_name"`
		Action string `json:"action"`
		Target string `json:"target"`
		Before *state `json:"before"`
		After  *state `json:"after"`
	}
	got := decode[data[[]entry]](t, g.call(admin.Key, "GET", "/api/v1/audit?limit=2", "")).Data
	want := []entry{
		{"admin", "key.update", created.Data.Hash, &state{false}, &state{true}},
		{"admin", "key.create", created.Data.Hash, nil, &state{false}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	developer := g.made(managementKey, `{"name":"d","role":"developer"}`)
	wantError(t, g.call(developer.Key, "GET", "/api/v1/audit", ""), 403, "permission_denied")
	wantError(t, g.call(developer.Key, "GET", "/api/v1/activity", ""), 403, "permission_denied")
}
