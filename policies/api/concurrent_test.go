package api

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/database/databasetest"
)

func TestMain(m *testing.M) { os.Exit(databasetest.Run(m)) }

// Of changes that two gateways make of one thing at once none is lost, and the log tells of
// each what the one before it left.
func TestChangesAtOnceAreAllMade(t *testing.T) {
	databasetest.OnBoth(t, func(t *testing.T, open func() *database.DB) {
		gateways := []*managedGateway{manageIn(t, open()), manageIn(t, open())}
		g := gateways[0]
		key := g.made(managementKey, `{"name":"k"}`).Data.Hash
		guardrail := g.guardrail(`{"name":"g"}`)
		workspace := as[data[wireWorkspace]](g, 201, managementKey, "POST", "/workspaces", `{"name":"w","slug":"w"}`).Data.ID
		member := as[data[wireMember]](g, 201, managementKey, "POST", "/organization/members", `{"email":"a@example.com","gateway_role":"viewer"}`).Data.ID
		for _, test := range []struct {
			path, action, target string
			changes              map[string]any
		}{
			{"/keys/" + key, "key.update", key, map[string]any{
				"name": "renamed", "disabled": true, "limit": 5., "limit_reset": "daily", "include_byok_in_limit": true, "store_content": true,
				"expires_at": "2999-01-01T00:00:00Z", "allowed_models": []any{"m/a"}, "allowed_providers": []any{"openai"}, "allowed_ips": []any{"10.0.0.0/8"},
			}},
			{"/guardrails/" + guardrail, "guardrail.update", guardrail, map[string]any{
				"name": "renamed", "description": "d", "limit_usd": 5., "reset_interval": "weekly", "include_byok_in_budgets": true, "allowed_models": []any{"m/a"},
				"ignored_models": []any{"m/b"}, "allowed_providers": []any{"openai"}, "enforce_zdr_openai": true, "enforce_zdr_google": true, "enable_paid_model_training": false,
			}},
			{"/workspaces/" + workspace, "workspace.update", workspace, map[string]any{
				"name": "renamed", "slug": "renamed", "description": "d", "default_text_model": "m/a", "default_provider_sort": "price",
			}},
			{"/organization/members/" + member, "member.update", member, map[string]any{
				"email": "b@example.com", "first_name": "Ada", "last_name": "Lovelace", "gateway_role": "developer",
			}},
		} {
			var group sync.WaitGroup
			turn := 0
			for name, value := range test.changes {
				turn++
				by := gateways[turn%len(gateways)]
				body, err := json.Marshal(map[string]any{name: value})
				if err != nil {
					t.Fatal(err)
				}
				group.Go(func() {
					if got := by.call(managementKey, "PATCH", "/api/v1"+test.path, string(body)); got.Code != 200 {
						t.Errorf("%s %s: %d %s", test.path, body, got.Code, got.Body)
					}
				})
			}
			group.Wait()
			if test.action != "member.update" { // members are read in their list alone
				shown := as[data[map[string]any]](g, 200, managementKey, "GET", test.path, "").Data
				for name, want := range test.changes {
					if !reflect.DeepEqual(shown[name], want) {
						t.Errorf("%s of %s is lost: %v", name, test.path, shown[name])
					}
				}
			}
			g.inOrder(test.action, test.target, len(test.changes))
		}
	})
}

// inOrder sees to it that the log has so many changes of something, each of what the one
// before it left.
func (g *managedGateway) inOrder(action, target string, n int) {
	g.Helper()
	var log data[[]struct {
		ID      string         `json:"id"`
		Created time.Time      `json:"created_at"`
		Action  string         `json:"action"`
		Target  string         `json:"target"`
		Before  map[string]any `json:"before"`
		After   map[string]any `json:"after"`
	}]
	got := g.call(managementKey, "GET", "/api/v1/audit?limit=100", "")
	if err := json.Unmarshal(got.Body.Bytes(), &log); err != nil {
		g.Fatal(err)
	}
	slices.Reverse(log.Data) // the oldest first
	var last map[string]any
	var at time.Time
	seen := 0
	for _, entry := range log.Data {
		if entry.Action != action || entry.Target != target {
			continue
		}
		if last != nil && !reflect.DeepEqual(entry.Before, last) || entry.Created.Before(at) {
			g.Errorf("%s at %v follows what was at %v: %s", action, entry.Created, at, fmt.Sprint(entry.Before, " is not ", last))
		}
		last, at = entry.After, entry.Created
		seen++
	}
	if seen != n {
		g.Errorf("%d of %d changes are logged as %s", seen, n, action)
	}
}
