package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/switchyard/switchyard/policies/identity"
)

// Member is a person of an organisation. Keys are made for members: they may do no more
// than the member, and are disabled when the member leaves or may no longer do that.
type Member struct {
	ID        string        `json:"id"`
	Email     string        `json:"email"`
	FirstName string        `json:"first_name"`
	LastName  string        `json:"last_name"`
	Role      identity.Role `json:"gateway_role"`
	Created   time.Time     `json:"created_at"`
}

const memberColumns = `id, email, first_name, last_name, role, created`

func scanMember(scan func(...any) error) (Member, error) {
	var m Member
	var created int64
	err := scan(&m.ID, &m.Email, &m.FirstName, &m.LastName, &m.Role, &created)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNone
	}
	m.Created = instant(created)
	return m, err
}

// Members lists those of an organisation, the oldest first.
func (s *Store) Members(ctx context.Context, organization string) ([]Member, error) {
	return list(ctx, s, scanMember, `SELECT `+memberColumns+` FROM members WHERE organization_id = ? ORDER BY created, id`, organization)
}

func (t *transaction) member(ctx context.Context, by Actor, id string) (Member, error) {
	m, err := scanMember(t.QueryRowContext(ctx, t.db.Rebind(`SELECT `+memberColumns+` FROM members WHERE id = ? AND organization_id = ?`), id, by.Organization).Scan)
	return m, noneOf(err, KindMember, id)
}

func (t *transaction) freeEmail(ctx context.Context, by Actor, m *Member) error {
	n, err := t.count(ctx, `members WHERE email_lowered = ? AND organization_id = ? AND id <> ?`, strings.ToLower(m.Email), by.Organization, m.ID)
	if err == nil && n > 0 {
		err = &TakenError{KindMember, "email", m.Email}
	}
	return err
}

// CreateMember adds a member to the actor's organisation, and to its default workspace.
// The error is [ErrTaken] if another has the address.
func (s *Store) CreateMember(ctx context.Context, by Actor, m Member) (Member, error) {
	m.ID = "user_" + uuid.NewString()
	err := s.change(ctx, by, func(t *transaction) (Entry, error) {
		m.Created = t.now
		if err := t.freeEmail(ctx, by, &m); err != nil {
			return Entry{}, err
		}
		return Entry{Action: "member.create", Target: m.ID, After: m},
			t.exec(ctx, `INSERT INTO members (`+memberColumns+`, organization_id, email_lowered) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
				m.ID, m.Email, m.FirstName, m.LastName, string(m.Role), micros(m.Created), by.Organization, strings.ToLower(m.Email))
	})
	return m, err
}

// UpdateMember changes a member, and disables those of their management keys that may do
// more than they may now. The error is [ErrNone], [ErrTaken], or what alter
// returned.
func (s *Store) UpdateMember(ctx context.Context, by Actor, id string, alter func(*Member) error) (Member, error) {
	var m Member
	err := s.change(ctx, by, func(t *transaction) (Entry, error) {
		before, err := t.member(ctx, by, id)
		if err != nil {
			return Entry{}, err
		}
		m = before
		if err := alter(&m); err != nil {
			return Entry{}, err
		}
		if err := t.freeEmail(ctx, by, &m); err != nil {
			return Entry{}, err
		}
		for _, role := range identity.Roles() {
			if m.Role.Reaches(role) {
				continue
			}
			if err := t.disableKeys(ctx, by, `creator = ? AND role = ?`, m.ID, string(role)); err != nil {
				return Entry{}, err
			}
		}
		return Entry{Action: "member.update", Target: m.ID, Before: before, After: m},
			t.exec(ctx, `UPDATE members SET email = ?, email_lowered = ?, first_name = ?, last_name = ?, role = ? WHERE id = ?`, m.Email, strings.ToLower(m.Email), m.FirstName, m.LastName, string(m.Role), m.ID)
	})
	return m, err
}

// DeleteMember removes a member, and disables their keys. The error is [ErrNone], or
// what refuse returned of the member.
func (s *Store) DeleteMember(ctx context.Context, by Actor, id string, refuse func(*Member) error) error {
	return s.change(ctx, by, func(t *transaction) (Entry, error) {
		m, err := t.member(ctx, by, id)
		if err == nil {
			err = refuse(&m)
		}
		if err == nil {
			err = t.disableKeys(ctx, by, `creator = ?`, m.ID)
		}
		if err == nil {
			err = t.exec(ctx, `DELETE FROM workspace_members WHERE member_id = ?`, m.ID)
		}
		if err == nil {
			err = t.exec(ctx, `DELETE FROM guardrail_assignments WHERE kind = ? AND assignee = ?`, string(AssigneeMember), m.ID)
		}
		if err == nil {
			err = t.exec(ctx, `DELETE FROM members WHERE id = ?`, m.ID)
		}
		return Entry{Action: "member.delete", Target: m.ID, Before: m}, err
	})
}

// Membership is a member in a workspace. Role is the member's in the organisation.
type Membership struct {
	ID, Workspace, Member string
	Role                  identity.Role
	Created               time.Time
}

// Memberships lists the members of a workspace, which has the id; all are in the default
// one.
func (s *Store) Memberships(ctx context.Context, organization, workspace string) ([]Membership, error) {
	read := func(scan func(...any) error) (m Membership, err error) {
		var created int64
		err = scan(&m.ID, &m.Member, &m.Role, &created)
		m.Workspace, m.Created = workspace, instant(created)
		return m, err
	}
	if workspace == defaultOf(organization) {
		return list(ctx, s, read, `SELECT id, id, role, created FROM members WHERE organization_id = ? ORDER BY created, id`, organization)
	}
	return list(ctx, s, read, `SELECT w.id, m.id, m.role, w.created FROM workspace_members w JOIN members m ON m.id = w.member_id `+
		`WHERE w.workspace_id = ? AND m.organization_id = ? ORDER BY w.created, w.id`, workspace, organization)
}

// Enroll puts members into a workspace and returns how many were not in it. The error is
// [ErrNone] if one of them, or the workspace, is not in the organisation; then none is
// put there.
func (s *Store) Enroll(ctx context.Context, by Actor, workspace string, members []string) (added int, err error) {
	err = s.change(ctx, by, func(t *transaction) (Entry, error) {
		w, err := t.workspace(ctx, by, workspace)
		if err != nil {
			return Entry{}, err
		}
		for _, id := range members {
			if _, err := t.member(ctx, by, id); err != nil {
				return Entry{}, err
			}
			n, err := t.count(ctx, `workspace_members WHERE workspace_id = ? AND member_id = ?`, w.ID, id)
			if err != nil {
				return Entry{}, err
			}
			if n > 0 || w.ID == defaultOf(by.Organization) {
				continue
			}
			added++
			if err := t.exec(ctx, `INSERT INTO workspace_members (id, workspace_id, member_id, created) VALUES (?, ?, ?, ?)`, uuid.NewString(), w.ID, id, micros(t.now)); err != nil {
				return Entry{}, err
			}
		}
		return Entry{Action: "workspace.add_members", Target: w.ID, After: loggedMembers{members}}, nil
	})
	return added, err
}

// Expel takes members out of a workspace, disables their keys in it, and returns how many
// were in it. Nobody leaves the default workspace but with the organisation: the error
// is [ErrDefault] then.
func (s *Store) Expel(ctx context.Context, by Actor, workspace string, members []string) (removed int, err error) {
	err = s.change(ctx, by, func(t *transaction) (Entry, error) {
		w, err := t.workspace(ctx, by, workspace)
		if err == nil && w.ID == defaultOf(by.Organization) {
			err = ErrDefault
		}
		if err != nil {
			return Entry{}, err
		}
		for _, id := range members {
			n, err := t.count(ctx, `workspace_members WHERE workspace_id = ? AND member_id = ?`, w.ID, id)
			if err == nil {
				err = t.exec(ctx, `DELETE FROM workspace_members WHERE workspace_id = ? AND member_id = ?`, w.ID, id)
			}
			if err == nil {
				err = t.disableKeys(ctx, by, `workspace_id = ? AND creator = ?`, w.ID, id)
			}
			if err != nil {
				return Entry{}, err
			}
			removed += n
		}
		return Entry{Action: "workspace.remove_members", Target: w.ID, Before: loggedMembers{members}}, nil
	})
	return removed, err
}
