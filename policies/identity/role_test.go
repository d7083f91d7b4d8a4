package identity

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the permission table anew")

// The written table is the one that holds.
func TestPermissionTableIsWrittenDown(t *testing.T) {
	var table bytes.Buffer
	fmt.Fprintf(&table, "# Who may do what\n\nThe role is that of the management key; one in the configuration is an owner's. Inference keys manage nothing; `GET /key` tells them amounts of their own budgets, those of their guardrails and of their member, and of budgets that others spend too whether anything is left.\n\n| permission | allows to |")
	for _, role := range Roles() {
		fmt.Fprintf(&table, " %s |", role)
	}
	fmt.Fprintf(&table, "\n|---|---|%s\n", strings.Repeat(":-:|", len(Roles())))
	for _, rule := range rules {
		fmt.Fprintf(&table, "| `%s` | %s |", rule.permission, rule.allows)
		for _, role := range Roles() {
			fmt.Fprintf(&table, " %s |", map[bool]string{true: "✓", false: ""}[role.May(rule.permission)])
		}
		fmt.Fprintln(&table)
	}
	if *update {
		if err := os.WriteFile("PERMISSIONS.md", table.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if written, err := os.ReadFile("PERMISSIONS.md"); err != nil || !bytes.Equal(written, table.Bytes()) {
		t.Errorf("PERMISSIONS.md is not the table in the code (%v); go test ./policies/identity -update writes it:\n%s", err, table.Bytes())
	}
}

func TestInferenceKeysManageNothing(t *testing.T) {
	for _, rule := range rules {
		if Role("").May(rule.permission) || Role("root").May(rule.permission) || !Owner.May(rule.permission) {
			t.Errorf("%s: %v", rule.permission, rule.roles)
		}
	}
	if Owner.May("keys.none") {
		t.Error("a permission that is not in the table is granted")
	}
}

func TestNobodyHandsOutMoreThanTheyHave(t *testing.T) {
	for _, test := range []struct {
		role    Role
		reaches []Role
	}{
		{Owner, Roles()},
		{Admin, []Role{Admin, Developer, Billing, Viewer}},
		{"", nil},
	} {
		for _, other := range Roles() {
			if got, want := test.role.Reaches(other), slices.Contains(test.reaches, other); got != want {
				t.Errorf("%q reaches %q: %t", test.role, other, got)
			}
		}
	}
}
