package identity

import "slices"

// Role is what a management key may do. The zero value is that of an inference key,
// which manages nothing.
type Role string

// The roles, from the one that may do most.
const (
	Owner     Role = "owner"
	Admin     Role = "admin"
	Developer Role = "developer"
	Billing   Role = "billing"
	Viewer    Role = "viewer"
)

// Roles are all of them.
func Roles() []Role { return []Role{Owner, Admin, Developer, Billing, Viewer} }

// Permission is one thing that takes a role.
type Permission string

// The permissions. PERMISSIONS.md has the table of who has which.
const (
	ReadKeys            Permission = "keys.read"
	WriteKeys           Permission = "keys.write"
	WriteManagementKeys Permission = "management_keys.write"
	ReadUsage           Permission = "usage.read"
	ReadContent         Permission = "content.read"
	ReadAudit           Permission = "audit.read"
	ReadOrganization    Permission = "organization.read"
	WriteWorkspaces     Permission = "workspaces.write"
	WriteMembers        Permission = "members.write"
	WriteBudgets        Permission = "budgets.write"
	ReadGuardrails      Permission = "guardrails.read"
	WriteGuardrails     Permission = "guardrails.write"
	ReadOwnKeys         Permission = "byok.read"
	WriteOwnKeys        Permission = "byok.write"
	WriteOrganizations  Permission = "organizations.write"
	WriteCredits        Permission = "credits.write"
	PurgeUsage          Permission = "usage.purge"
)

// rule says who has a permission, and what it is for.
type rule struct {
	permission Permission
	roles      []Role
	allows     string
}

// rules are the permission table.
var rules = []rule{
	{ReadKeys, []Role{Owner, Admin, Developer, Billing, Viewer}, "list keys and what they have used"},
	{WriteKeys, []Role{Owner, Admin, Developer}, "create, change, rotate and delete inference keys"},
	{WriteManagementKeys, []Role{Owner, Admin}, "the same of management keys whose role is not above one's own"},
	{ReadUsage, []Role{Owner, Admin, Billing, Viewer}, "activity, credits, single generations, and what is in budgets that keys share"},
	{ReadContent, []Role{Owner, Admin}, "what was said with keys that have that stored"},
	{ReadAudit, []Role{Owner, Admin}, "the audit log"},
	{ReadOrganization, []Role{Owner, Admin, Developer, Billing, Viewer}, "list workspaces and members"},
	{WriteWorkspaces, []Role{Owner, Admin}, "create, change and delete workspaces, and say who is in them"},
	{WriteMembers, []Role{Owner, Admin}, "add, change and remove members whose role is not above one's own"},
	{WriteBudgets, []Role{Owner, Admin, Billing}, "set what workspaces may spend"},
	{ReadGuardrails, []Role{Owner, Admin, Developer, Billing, Viewer}, "list guardrails and who is held to them"},
	{WriteGuardrails, []Role{Owner, Admin}, "create, change, assign and delete guardrails, and take keys out of them"},
	{PurgeUsage, []Role{Owner}, "delete old generations; what they come to by day stays"},
	{ReadOwnKeys, []Role{Owner, Admin, Developer, Billing, Viewer}, "list the organisation's own keys of providers, masked"},
	{WriteOwnKeys, []Role{Owner, Admin}, "create, change, rotate and delete them"},
	{WriteOrganizations, []Role{Owner}, "list and create organisations; a key of the configuration alone may"},
	{WriteCredits, []Role{Owner}, "give credits to organisations; a key of the configuration alone may"},
}

// May reports whether the role has a permission.
func (r Role) May(permission Permission) bool {
	return slices.Contains(permission.Roles(), r)
}

// Reaches reports whether the role may hand out another, or change who has it: one's
// own, or one below. Below means to have no permission that the first has not.
func (r Role) Reaches(other Role) bool {
	for _, rule := range rules {
		if slices.Contains(rule.roles, other) && !slices.Contains(rule.roles, r) {
			return false
		}
	}
	return r != ""
}

// Roles are those that have the permission.
func (p Permission) Roles() []Role {
	for _, rule := range rules {
		if rule.permission == p {
			return rule.roles
		}
	}
	return nil
}
