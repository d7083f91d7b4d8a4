package quota

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

func TestRulesOfAConfiguration(t *testing.T) {
	rules, err := NewRules(&configpb.Config{
		TotalLimits: &configpb.Limits{Budget: "100", BudgetReset: configpb.BudgetReset_BUDGET_RESET_MONTHLY},
		Models: map[string]*configpb.Model{
			"m/x": {Limits: &configpb.Limits{Tokens: 5000}},
			"m/y": {},
		},
		Providers: map[string]*configpb.Provider{"a": {Limits: &configpb.Limits{
			Requests: 5, Window: durationpb.New(time.Minute), Concurrency: 3, OnRedisFailure: configpb.RedisFailure_REDIS_FAILURE_CLOSED,
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	key := &identity.Key{
		Hash: "h", Limits: identity.Limits{Limit: identity.Limit{Requests: 40, Window: 10 * time.Second}},
		User: identity.Limits{Budget: identity.Budget{Amount: 2*money.Dollar + 1, Reset: identity.ResetDaily}, Outage: identity.OutageOpen},
	}
	total := Limit{Scope: "gateway:", Measure: Money, Most: 100e9, Reset: identity.ResetMonthly, Closed: true}
	own := Limit{Scope: "key:h", Measure: Requests, Most: 40, Window: 10 * time.Second}
	user := Limit{Scope: "user:" + userName("h", "u"), Measure: Money, Most: 2e9, Reset: identity.ResetDaily, Of: Spender{KeyHash: "h", User: "u"}}
	for name, want := range map[string][]Limit{"": {own, total}, "u": {own, user, total}} {
		if diff := cmp.Diff(want, rules.Request(key, name)); diff != "" {
			t.Errorf("user %q (-want +got):\n%s", name, diff)
		}
	}
	ofModel, ofProvider := rules.Attempt("m/x", "a")
	if diff := cmp.Diff([]Limit{{Scope: "model:m/x", Measure: Tokens, Most: 5000, Window: time.Minute}}, ofModel); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Limit{
		{Scope: "provider:a", Measure: Requests, Most: 5, Window: time.Minute, Closed: true},
		{Scope: "provider:a", Measure: Concurrency, Most: 3, Closed: true},
	}, ofProvider); diff != "" {
		t.Error(diff)
	}
	if ofModel, ofProvider := rules.Attempt("m/y", "b"); ofModel != nil || ofProvider != nil {
		t.Errorf("limits of others: %v, %v", ofModel, ofProvider)
	}
	if got := (*Rules)(nil).Request(&identity.Key{}, "u"); len(got) != 0 {
		t.Errorf("no rules are %v", got)
	}
}

func TestMistakesOfRulesNameTheirField(t *testing.T) {
	_, err := NewRules(&configpb.Config{
		TotalLimits: &configpb.Limits{Budget: "much"}, Providers: map[string]*configpb.Provider{"a": {Limits: &configpb.Limits{Budget: "-1"}}},
	})
	if err == nil || !strings.Contains(err.Error(), "total_limits.budget") || !strings.Contains(err.Error(), `providers["a"].limits.budget`) {
		t.Errorf("error %v", err)
	}
}

func TestUsersOfTwoKeysShareNoCounter(t *testing.T) {
	if userName("a", "u") == userName("b", "u") || userName("a", "u") == userName("a", "v") {
		t.Error("two users have one counter")
	}
}

func TestNanodollarsAreRoundedUp(t *testing.T) {
	for amount, want := range map[money.USD]int64{0: 0, 1: 1, 999: 1, 1000: 1, 1001: 2, money.Dollar: 1e9, -1: 0, money.Max: 9223372036854776} {
		if got := Nanodollars(amount); got != want {
			t.Errorf("%d picodollars are %d nanodollars, want %d", amount, got, want)
		}
	}
	if got := Dollars(1e9); got != money.Dollar {
		t.Errorf("%v", got)
	}
}

func TestAccountsOfOrganizationsAndWorkspaces(t *testing.T) {
	rules, err := NewRules(&configpb.Config{OrganizationLimits: &configpb.Limits{Concurrency: 7}})
	if err != nil {
		t.Fatal(err)
	}
	managed := rules.With(Accounts{
		Credits: map[string]money.USD{"acme": -3 * money.Dollar, "none": 0},
		Budgets: map[string][]identity.Budget{"team": {{Amount: money.Dollar, Reset: identity.ResetDaily}, {Amount: 9 * money.Dollar}}},
	})
	atOnce := func(organization string) Limit {
		return Limit{Scope: "organization:" + organization, Measure: Concurrency, Most: 7}
	}
	credits := func(organization string, most int64) Limit {
		return Limit{Scope: "credits:" + organization, Measure: Money, Most: most, Of: Spender{Organization: organization}, Closed: true}
	}
	budget := func(most int64, reset identity.Reset) Limit {
		return Limit{Scope: "workspace:team", Measure: Money, Most: most, Reset: reset, Of: Spender{Workspace: "team"}, Closed: true}
	}
	for _, test := range []struct {
		organization, workspace string
		want                    []Limit
	}{
		{"acme", "team", []Limit{budget(1e9, identity.ResetDaily), budget(9e9, identity.ResetNever), atOnce("acme"), credits("acme", -3e9)}},
		{"none", "other", []Limit{atOnce("none"), credits("none", 0)}},
		{"free", "other", []Limit{atOnce("free")}},
	} {
		key := &identity.Key{Hash: "h", Organization: test.organization, Workspace: test.workspace}
		if diff := cmp.Diff(test.want, managed.Request(key, "")); diff != "" {
			t.Errorf("%s: %s", test.organization, diff)
		}
	}
	if got := rules.Request(&identity.Key{Organization: "acme", Workspace: "team"}, ""); len(got) != 1 {
		t.Errorf("the rules before: %+v", got)
	}
	var none *Rules
	if got := none.With(Accounts{Credits: map[string]money.USD{"acme": 0}}).Request(&identity.Key{Organization: "acme"}, ""); len(got) != 1 {
		t.Errorf("without rules: %+v", got)
	}
}
