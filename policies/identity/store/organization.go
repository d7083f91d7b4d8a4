package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

// Organization is whom workspaces, keys and members belong to. Nobody of another one
// sees them.
type Organization struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Created time.Time `json:"created_at"`
}

// Workspace is a part of an organisation, with keys of its own.
type Workspace struct {
	ID           string `json:"id"`
	Organization string `json:"organization_id"`
	Name         string `json:"name"`
	Slug         string `json:"slug"`
	Description  string `json:"description"`
	// DefaultTextModel answers requests that name no model, DefaultSort is the order of
	// providers where a request asks for none; "" is the gateway's.
	DefaultTextModel string `json:"default_text_model"`
	DefaultSort      string `json:"default_provider_sort"`
	// IncludeBYOK counts what providers bill own keys towards the budgets.
	IncludeBYOK bool      `json:"include_byok_in_budgets"`
	Creator     string    `json:"created_by"` // hash of a key
	Created     time.Time `json:"created_at"`
	Updated     time.Time `json:"updated_at"`
}

const workspaceColumns = `id, organization_id, name, slug, description, default_text_model, default_sort, include_byok, creator, created, updated`

// defaultOf is the id of an organisation's default workspace, which all its members are
// in, and which is not deleted: that of the organisation.
func defaultOf(organization string) string { return organization }

// DefaultWorkspace is the id of an organisation's default workspace.
func DefaultWorkspace(organization string) string { return defaultOf(organization) }

func scanWorkspace(scan func(...any) error) (Workspace, error) {
	var w Workspace
	var created, updated int64
	err := scan(&w.ID, &w.Organization, &w.Name, &w.Slug, &w.Description, &w.DefaultTextModel, &w.DefaultSort, &w.IncludeBYOK, &w.Creator, &created, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNone
	}
	w.Created, w.Updated = instant(created), instant(updated)
	return w, err
}

// oneWorkspace finds one by its id or slug. Should another one's slug be the id, the id
// counts.
const oneWorkspace = `SELECT ` + workspaceColumns + ` FROM workspaces WHERE (id = ? OR slug = ?) AND organization_id = ? AND deleted = 0 ` +
	`ORDER BY CASE WHEN id = ? THEN 0 ELSE 1 END LIMIT 1`

func (t *transaction) workspace(ctx context.Context, by Actor, id string) (Workspace, error) {
	w, err := scanWorkspace(t.QueryRowContext(ctx, t.db.Rebind(oneWorkspace), id, id, by.Organization, id).Scan)
	return w, noneOf(err, KindWorkspace, id)
}

// Workspace returns a workspace of an organisation by its id or slug, or [ErrNone].
func (s *Store) Workspace(ctx context.Context, organization, id string) (Workspace, error) {
	db, err := s.source.Get(ctx)
	if err != nil {
		return Workspace{}, err
	}
	w, err := scanWorkspace(db.QueryRowContext(ctx, db.Rebind(oneWorkspace), id, id, organization, id).Scan)
	return w, noneOf(err, KindWorkspace, id)
}

// Workspaces lists those of an organisation, the oldest first.
func (s *Store) Workspaces(ctx context.Context, organization string) ([]Workspace, error) {
	return list(ctx, s, scanWorkspace, `SELECT `+workspaceColumns+` FROM workspaces WHERE organization_id = ? AND deleted = 0 ORDER BY created, id`, organization)
}

// WorkspaceIDs are those of an organisation, with those that were deleted: what they
// used is still the organisation's.
func (s *Store) WorkspaceIDs(ctx context.Context, organization string) ([]string, error) {
	return list(ctx, s, func(scan func(...any) error) (id string, err error) { return id, scan(&id) },
		`SELECT id FROM workspaces WHERE organization_id = ?`, organization)
}

// list reads rows one by one.
func list[Row any](ctx context.Context, s *Store, read func(scan func(...any) error) (Row, error), text string, values ...any) ([]Row, error) {
	db, err := s.source.Get(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, db.Rebind(text), values...)
	if err != nil {
		return nil, err
	}
	return readAll(rows, read)
}

func readAll[Row any](rows *sql.Rows, read func(scan func(...any) error) (Row, error)) ([]Row, error) {
	defer rows.Close()
	all := []Row{}
	for rows.Next() {
		row, err := read(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// CreateWorkspace adds a workspace to the actor's organisation. The error is [ErrTaken]
// if the slug is another's, or its id.
func (s *Store) CreateWorkspace(ctx context.Context, by Actor, w Workspace) (Workspace, error) {
	w.ID, w.Organization, w.Creator = uuid.NewString(), by.Organization, by.Hash
	err := s.change(ctx, by, func(t *transaction) (Entry, error) {
		w.Created, w.Updated = t.now, t.now
		return Entry{Action: "workspace.create", Target: w.ID, After: w}, t.addWorkspace(ctx, by, &w)
	})
	return w, err
}

func (t *transaction) addWorkspace(ctx context.Context, by Actor, w *Workspace) error {
	if err := t.freeSlug(ctx, by, w); err != nil {
		return err
	}
	return t.exec(ctx, `INSERT INTO workspaces (`+workspaceColumns+`, deleted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
		w.ID, w.Organization, w.Name, w.Slug, w.Description, w.DefaultTextModel, w.DefaultSort, w.IncludeBYOK, w.Creator, micros(w.Created), micros(w.Updated))
}

// freeSlug refuses a slug that another workspace is called by, or its id, which can stand
// in its place.
func (t *transaction) freeSlug(ctx context.Context, by Actor, w *Workspace) error {
	n, err := t.count(ctx, `workspaces WHERE (slug = ? OR id = ?) AND organization_id = ? AND deleted = 0 AND id <> ?`, w.Slug, w.Slug, by.Organization, w.ID)
	if err == nil && n > 0 {
		err = &TakenError{KindWorkspace, "slug", w.Slug}
	}
	return err
}

// UpdateWorkspace changes a workspace. The error is [ErrNone], [ErrTaken], or what alter
// returned.
func (s *Store) UpdateWorkspace(ctx context.Context, by Actor, id string, alter func(*Workspace) error) (Workspace, error) {
	var w Workspace
	err := s.change(ctx, by, func(t *transaction) (Entry, error) {
		before, err := t.workspace(ctx, by, id)
		if err != nil {
			return Entry{}, err
		}
		w = before
		if err := alter(&w); err != nil {
			return Entry{}, err
		}
		w.Updated = t.now
		if err := t.freeSlug(ctx, by, &w); err != nil {
			return Entry{}, err
		}
		return Entry{Action: "workspace.update", Target: w.ID, Before: before, After: w},
			t.exec(ctx, `UPDATE workspaces SET name = ?, slug = ?, description = ?, default_text_model = ?, default_sort = ?, updated = ? WHERE id = ?`,
				w.Name, w.Slug, w.Description, w.DefaultTextModel, w.DefaultSort, micros(w.Updated), w.ID)
	})
	return w, err
}

// DeleteWorkspace removes a workspace without keys that is not the default one; else the
// error is [ErrInUse] or [ErrDefault].
func (s *Store) DeleteWorkspace(ctx context.Context, by Actor, id string) error {
	return s.change(ctx, by, func(t *transaction) (Entry, error) {
		w, err := t.workspace(ctx, by, id)
		if err == nil && w.ID == defaultOf(by.Organization) {
			err = ErrDefault
		}
		if err != nil {
			return Entry{}, err
		}
		n, err := t.count(ctx, `api_keys WHERE workspace_id = ?`, w.ID)
		own := 0
		if err == nil {
			own, err = t.count(ctx, `own_keys WHERE workspace_id = ?`, w.ID)
		}
		if err == nil && n+own > 0 {
			err = ErrInUse
		}
		if err == nil {
			err = t.exec(ctx, `DELETE FROM workspace_members WHERE workspace_id = ?`, w.ID)
		}
		if err == nil {
			err = t.exec(ctx, `DELETE FROM guardrail_assignments WHERE guardrail_id = ?`, DefaultGuardrail(w.ID))
		}
		if err == nil {
			err = t.exec(ctx, `DELETE FROM guardrails WHERE id = ?`, DefaultGuardrail(w.ID))
		}
		if err == nil {
			err = t.exec(ctx, `UPDATE workspaces SET deleted = ? WHERE id = ?`, micros(t.now), w.ID)
		}
		return Entry{Action: "workspace.delete", Target: w.ID, Before: w}, err
	})
}

// Organizations lists all, the oldest first.
func (s *Store) Organizations(ctx context.Context) ([]Organization, error) {
	return list(ctx, s, func(scan func(...any) error) (o Organization, err error) {
		var created int64
		err = scan(&o.ID, &o.Name, &created)
		o.Created = instant(created)
		return o, err
	}, `SELECT id, name, created FROM organizations ORDER BY created, id`)
}

// CreateOwner adds a management key, an owner's, to an organisation that need not be the
// actor's: where the last one is lost nobody else could. The error is [ErrNone] of the
// organisation.
func (s *Store) CreateOwner(ctx context.Context, by Actor, organization, name, plaintext string) (Key, error) {
	within := Actor{Hash: by.Hash, Name: by.Name, Organization: organization}
	k := Key{Name: name, Role: identity.Owner, Hash: identity.Hash(plaintext), Label: identity.Label(plaintext)}
	err := s.change(ctx, within, func(t *transaction) (Entry, error) {
		n, err := t.count(ctx, `organizations WHERE id = ?`, organization)
		if err == nil && n == 0 {
			err = &NoneError{KindOrganization, organization}
		}
		if err != nil {
			return Entry{}, err
		}
		return s.addKey(ctx, t, within, &k)
	})
	return k, err
}

// CreateOrganization adds an organisation with its default workspace, and a first
// management key, an owner's, that plaintext stands for. With credits it spends no more
// than those, even if they are zero.
func (s *Store) CreateOrganization(ctx context.Context, by Actor, name, plaintext string, credits *money.USD) (Organization, error) {
	o := Organization{ID: uuid.NewString(), Name: name}
	within := Actor{Hash: by.Hash, Name: by.Name, Organization: o.ID}
	err := s.change(ctx, by, func(t *transaction) (Entry, error) {
		o.Created = t.now
		if err := t.exec(ctx, `INSERT INTO organizations (id, name, created) VALUES (?, ?, ?)`, o.ID, o.Name, micros(o.Created)); err != nil {
			return Entry{}, err
		}
		w := Workspace{ID: defaultOf(o.ID), Organization: o.ID, Name: "Default", Slug: "default", Creator: by.Hash, Created: t.now, Updated: t.now}
		if err := t.addWorkspace(ctx, within, &w); err != nil {
			return Entry{}, err
		}
		k := Key{Name: "owner", Role: identity.Owner, Hash: identity.Hash(plaintext), Label: identity.Label(plaintext)}
		entry, err := s.addKey(ctx, t, within, &k)
		if err == nil {
			err = t.log(ctx, within, entry)
		}
		if err == nil && credits != nil {
			if entry, err = t.addCredits(ctx, by, &CreditEntry{Organization: o.ID, Amount: *credits}); err == nil {
				err = t.log(ctx, within, entry)
			}
		}
		return Entry{Action: "organization.create", Target: o.ID, After: o}, err
	})
	return o, err
}
