package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/usage"
	"github.com/switchyard/switchyard/policies/usage/store"
)

func TestRow165CreditsAreGivenByOperators(t *testing.T) {
	g := manage(t)
	if err := g.generations.Save(t.Context(), []usage.Generation{served("gen-1-a", time.Now(), identity.Hash("k"), "k")}); err != nil {
		t.Fatal(err)
	}
	const path = "/api/v1/organizations/default/credits"
	if got := g.call(managementKey, "POST", path, `{"amount":10.25,"reference":"invoice 1","note":"first"}`); got.Code != 201 || !strings.Contains(got.Body.String(), `"amount":10.25`) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := g.call(managementKey, "POST", path, `{"amount":10.25,"reference":"invoice 1"}`); got.Code != 200 {
		t.Errorf("the same again: %d %s", got.Code, got.Body)
	}
	if got := g.call(managementKey, "POST", path, `{"amount":-0.25}`); got.Code != 201 {
		t.Errorf("taken back: %d %s", got.Code, got.Body)
	}
	if got := g.call(managementKey, "GET", "/api/v1/credits", "").Body.String(); got != `{"data":{"total_credits":10,"total_usage":0.5}}`+"\n" {
		t.Errorf("credits: %s", got)
	}
	if got := g.call(managementKey, "POST", "/api/v1/workspaces", `{"name":"Lab","slug":"lab"}`); got.Code != 201 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	if got := g.call(managementKey, "GET", "/api/v1/credits?workspace_id=lab", "").Body.String(); got != `{"data":{"total_credits":10,"total_usage":0.5}}`+"\n" {
		t.Errorf("credits are the organisation's: %s", got)
	}
	if got := g.call(managementKey, "GET", path, "").Body.String(); !strings.Contains(got, `"total_count":2`) {
		t.Errorf("entries: %s", got)
	}
	wantError(t, g.call(managementKey, "POST", path, `{"amount":1,"reference":"invoice 1"}`), 409, "invalid_request")
	wantError(t, g.call(managementKey, "POST", "/api/v1/organizations/none/credits", `{"amount":1}`), 404, "not_found")
	for _, body := range []string{`{}`, `{"amount":"1"}`, `{"amount":1e30}`, `{"amount":0.0000000000001}`, `{"amount":1,"gift":true}`, `{"amount":1,"note":"` + strings.Repeat("x", maxNote+1) + `"}`} {
		wantError(t, g.call(managementKey, "POST", path, body), 400, "invalid_request")
	}
	// Nobody gives credits to themselves.
	owner := g.made(managementKey, `{"name":"owner","role":"owner"}`).Key
	wantError(t, g.call(owner, "POST", path, `{"amount":1}`), 403, "permission_denied")
	wantError(t, g.call(owner, "GET", path, ""), 403, "permission_denied")
	wantError(t, g.call(goodKey, "POST", path, `{"amount":1}`), 403, "permission_denied")
}

// Entries are listed newest first, and their sum does not depend on that.
func TestCreditsAreSummedExactly(t *testing.T) {
	g := manage(t)
	for _, amount := range []string{"9000000", "-9000000", "9000000"} {
		if got := g.call(managementKey, "POST", "/api/v1/organizations/default/credits", `{"amount":`+amount+`}`); got.Code != 201 {
			t.Errorf("%s: %d %s", amount, got.Code, got.Body)
		}
	}
	if got := g.call(managementKey, "POST", "/api/v1/organizations/default/credits", `{"amount":9000000}`); got.Code != 400 {
		t.Errorf("beyond the range: %d %s", got.Code, got.Body)
	}
	for _, amount := range []string{"-9000000", "-9000000", "9000000", "9000000"} {
		if got := g.call(managementKey, "POST", "/api/v1/organizations/default/credits", `{"amount":`+amount+`}`); got.Code != 201 {
			t.Errorf("%s: %d %s", amount, got.Code, got.Body)
		}
	}
	if got := g.call(managementKey, "GET", "/api/v1/credits", "").Body.String(); !strings.Contains(got, `"total_credits":9000000,`) {
		t.Errorf("%s", got)
	}
	got := g.call(managementKey, "POST", "/api/v1/organizations", `{"name":"in debt","credits":-5}`)
	if wantError(t, got, 400, "invalid_request"); !strings.Contains(got.Body.String(), "credits must") {
		t.Errorf("%s", got.Body)
	}
}

func TestRow180BudgetsOfAWorkspaceGrowWithTheirInterval(t *testing.T) {
	g := manage(t)
	const path = "/api/v1/workspaces/default/budgets/"
	for _, test := range []struct {
		interval, limit string
		status          int
	}{
		{"daily", "10", 200}, {"weekly", "5", 400}, {"weekly", "10", 400}, {"weekly", "20", 200},
		{"lifetime", "19", 400}, {"lifetime", "50", 200}, {"monthly", "50", 400}, {"monthly", "49.5", 200},
		{"daily", "20", 400}, {"daily", "0", 400}, {"daily", "-1", 400}, {"daily", `"1"`, 400}, {"hourly", "1", 400}, {"never", "1", 400},
	} {
		if got := g.call(managementKey, "PUT", path+test.interval, `{"limit_usd":`+test.limit+`}`); got.Code != test.status {
			t.Errorf("%s %s: %d %s", test.interval, test.limit, got.Code, got.Body)
		}
	}
	if got := g.call(managementKey, "GET", path+"lifetime", "").Body.String(); !strings.Contains(got, `"limit_usd":50,"reset_interval":null`) {
		t.Errorf("lifetime: %s", got)
	}
	list := strings.TrimSuffix(path, "/")
	if got := g.call(managementKey, "GET", list, "").Body.String(); strings.Count(got, `"limit_usd"`) != 4 || !strings.Contains(got, `"include_byok_in_budgets":false`) {
		t.Errorf("all: %s", got)
	}
	if got := g.call(managementKey, "PUT", path+"lifetime", `{"limit_usd":50,"include_byok_in_budgets":true}`); got.Code != 200 {
		t.Errorf("own keys: %d %s", got.Code, got.Body)
	}
	for _, shown := range []string{list, "/api/v1/workspaces/default"} {
		if got := g.call(managementKey, "GET", shown, "").Body.String(); !strings.Contains(got, `"include_byok_in_budgets":true`) {
			t.Errorf("%s: %s", shown, got)
		}
	}
	for range 2 {
		if got := g.call(managementKey, "DELETE", path+"daily", "").Body.String(); got != `{"deleted":true}`+"\n" {
			t.Errorf("deleted: %s", got)
		}
	}
	wantError(t, g.call(managementKey, "GET", path+"daily", ""), 404, "not_found")
	wantError(t, g.call(managementKey, "PUT", "/api/v1/workspaces/none/budgets/daily", `{"limit_usd":1}`), 404, "not_found")
	for role, status := range map[identity.Role]int{identity.Billing: 200, identity.Developer: 403, identity.Viewer: 403} {
		key := g.made(managementKey, fmt.Sprintf(`{"name":"k","role":%q}`, role)).Key
		if got := g.call(key, "PUT", path+"daily", `{"limit_usd":1}`); got.Code != status {
			t.Errorf("%s: %d %s", role, got.Code, got.Body)
		}
	}
}

func TestPurgeDeletesGenerationsAndKeepsWhatTheyCost(t *testing.T) {
	g := manage(t)
	now := time.Now()
	old := served("gen-1-old", now.AddDate(0, 0, -9), identity.Hash("k"), "k")
	old.User = "ada"
	if err := g.generations.Save(t.Context(), []usage.Generation{old, served("gen-1-new", now, identity.Hash("k"), "k")}); err != nil {
		t.Fatal(err)
	}
	told := func() string {
		t.Helper()
		all := ""
		for _, path := range []string{"/activity", "/usage?by=day,key,model,workspace", "/credits"} {
			all += g.call(managementKey, "GET", "/api/v1"+path, "").Body.String()
		}
		return all
	}
	before := told()
	if strings.Count(before, `"usage":0.5`) != 3 || !strings.Contains(before, `"total_usage":1`) {
		t.Errorf("told: %s", before)
	}
	day := now.UTC().AddDate(0, 0, -3).Format(time.DateOnly)
	if got := g.call(managementKey, "DELETE", "/api/v1/usage?before="+day, "").Body.String(); got != `{"data":{"deleted_generations":1}}`+"\n" {
		t.Errorf("purged: %s", got)
	}
	if _, err := g.generations.Get(t.Context(), "gen-1-new"); err != nil {
		t.Errorf("the new one: %v", err)
	}
	if after := told(); after != before {
		t.Errorf("told %s\nand before %s", after, before)
	}
	for who, want := range map[store.Who]money.USD{{}: money.Dollar, {KeyHash: identity.Hash("k"), User: "ada"}: money.Dollar / 2} {
		if spent, err := g.generations.SpentBy(t.Context(), who, time.Time{}); err != nil || spent.Cost != want {
			t.Errorf("%+v: %+v, %v", who, spent, err)
		}
	}
	if got := g.call(managementKey, "GET", "/api/v1/audit", "").Body.String(); !strings.Contains(got, `"action":"usage.purge","target":"`+day) {
		t.Errorf("audit: %s", got)
	}
	wantError(t, g.call(managementKey, "DELETE", "/api/v1/usage", ""), 400, "invalid_request")
	// What is as new as that may be told again, and would count twice.
	for ago, want := range map[int]int{-1: 400, 0: 400, 1: 200} {
		got := g.call(managementKey, "DELETE", "/api/v1/usage?before="+time.Now().UTC().AddDate(0, 0, -ago).Format(time.DateOnly), "")
		if got.Code != want {
			t.Errorf("before %d days ago: %d %s, want %d", ago, got.Code, got.Body, want)
		}
	}
	wantError(t, g.call(g.made(managementKey, `{"name":"k","role":"admin"}`).Key, "DELETE", "/api/v1/usage?before="+day, ""), 403, "permission_denied")
}
