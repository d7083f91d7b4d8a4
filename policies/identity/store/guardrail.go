package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

// Guardrail is what the keys and members that it is assigned to are held to besides
// limits (spec section 5.6). Whether its patterns can be compiled is for the caller to
// see to.
type Guardrail struct {
	ID string `json:"id"`
	// Workspace is the id of the one whose keys are all held to the guardrail, "" for
	// one that is assigned.
	Workspace string `json:"workspace_id,omitempty"`
	GuardrailTerms
	Created time.Time `json:"created_at"`
	Updated time.Time `json:"updated_at"`
	// Limited is when the limit was last set otherwise than in its amount; zero if it is as
	// it was made.
	Limited time.Time `json:"-"`
	// Unreadable is why what the guardrail says is not known: nobody passes it, and it can
	// be deleted but not changed.
	Unreadable error `json:"-"`
}

// GuardrailTerms are what a guardrail says. Nil lists and switches say nothing.
type GuardrailTerms struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Limit is the most that each assignee may spend in the periods that Reset ends.
	Limit            *money.USD     `json:"limit_usd,omitempty"`
	Reset            identity.Reset `json:"reset_interval"`
	IncludeBYOK      bool           `json:"include_byok_in_budgets,omitempty"`
	AllowedModels    []string       `json:"allowed_models,omitempty"`
	IgnoredModels    []string       `json:"ignored_models,omitempty"`
	AllowedProviders []string       `json:"allowed_providers,omitempty"`
	IgnoredProviders []string       `json:"ignored_providers,omitempty"`
	// ZDR says of which authors' models only endpoints may answer that keep nothing; the
	// author "other" is all that are not named.
	ZDR map[string]bool `json:"enforce_zdr,omitempty"`
	// FreeTraining and PaidTraining allow endpoints that train on what they are sent.
	FreeTraining *bool `json:"enable_free_model_training,omitempty"`
	PaidTraining *bool `json:"enable_paid_model_training,omitempty"`
	// FreePublication is said, if it is, to be false: there is nothing to allow.
	FreePublication *bool           `json:"enable_free_model_publication,omitempty"`
	Filters         []ContentFilter `json:"content_filters,omitempty"`
	Builtins        []BuiltinFilter `json:"content_filter_builtins,omitempty"`
}

// ContentFilter looks for a pattern.
type ContentFilter struct {
	Pattern string  `json:"pattern"`
	Action  string  `json:"action"`
	Label   *string `json:"label,omitempty"`
}

// BuiltinFilter looks for something by built-in patterns.
type BuiltinFilter struct {
	Slug      string `json:"slug"`
	Action    string `json:"action"`
	ScanScope string `json:"scan_scope,omitempty"`
}

// Assignee is whom a guardrail can be assigned to.
type Assignee string

// The assignees: keys by their hash, members by their id.
const (
	AssigneeKey    Assignee = "key"
	AssigneeMember Assignee = "member"
)

// Assignment says who is held to a guardrail.
type Assignment struct {
	ID, Guardrail string
	Assignee      string // hash or id
	// KeyName and KeyLabel are those of a key that is held to it.
	KeyName, KeyLabel string
	Actor             string // hash of a key
	Created           time.Time
}

// DefaultGuardrail is the id of the guardrail that all keys of a workspace are held to.
func DefaultGuardrail(workspace string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("switchyard:workspace:"+workspace)).String()
}

// defaultGuardrail is a workspace's until it is changed: it says nothing.
func defaultGuardrail(w *Workspace) Guardrail {
	return Guardrail{ID: DefaultGuardrail(w.ID), Workspace: w.ID, GuardrailTerms: GuardrailTerms{Name: "Workspace " + w.ID + " Default"}, Created: w.Created, Updated: w.Created}
}

const guardrailColumns = `id, terms, created, updated`

// keptGuardrail is what the column terms holds.
type keptGuardrail struct {
	Workspace string    `json:"workspace_id,omitempty"`
	Limited   time.Time `json:"limited_at,omitzero"`
	GuardrailTerms
}

func scanGuardrail(scan func(...any) error) (Guardrail, error) {
	var g Guardrail
	var terms string
	var created, updated int64
	if err := scan(&g.ID, &terms, &created, &updated); errors.Is(err, sql.ErrNoRows) {
		return g, ErrNone
	} else if err != nil {
		return g, err
	}
	var kept keptGuardrail
	g.Unreadable = json.Unmarshal([]byte(terms), &kept)
	g.Workspace, g.GuardrailTerms, g.Created, g.Updated, g.Limited = kept.Workspace, kept.GuardrailTerms, instant(created), instant(updated), kept.Limited
	return g, nil
}

// MaxGuardrails is how many guardrails an organisation may have, with the default ones that
// were changed. Each change of a key composes all of them anew.
const MaxGuardrails = 100

func (t *transaction) saveGuardrail(ctx context.Context, by Actor, g *Guardrail) error {
	others, err := t.count(ctx, `guardrails WHERE organization_id = ? AND NOT EXISTS (SELECT 1 FROM guardrails WHERE id = ?)`, by.Organization, g.ID)
	if err != nil {
		return err
	}
	if others >= MaxGuardrails {
		return ErrFull
	}
	terms, err := json.Marshal(keptGuardrail{g.Workspace, g.Limited, g.GuardrailTerms}, jsontext.AllowInvalidUTF8(true), json.Deterministic(true))
	if err != nil {
		return err
	}
	return t.exec(ctx, `INSERT INTO guardrails (`+guardrailColumns+`, organization_id) VALUES (?, ?, ?, ?, ?) `+
		`ON CONFLICT (id) DO UPDATE SET terms = excluded.terms, updated = excluded.updated`,
		g.ID, string(terms), micros(g.Created), micros(g.Updated), by.Organization)
}

// Guardrails lists those of an organisation, the oldest first, without the default ones
// that nobody has changed.
func (s *Store) Guardrails(ctx context.Context, organization string) ([]Guardrail, error) {
	return list(ctx, s, scanGuardrail, `SELECT `+guardrailColumns+` FROM guardrails WHERE organization_id = ? ORDER BY created, id`, organization)
}

const oneGuardrail = `SELECT ` + guardrailColumns + ` FROM guardrails WHERE id = ? AND organization_id = ?`

// guardrail reads a guardrail within a change.
func (t *transaction) guardrail(ctx context.Context, by Actor, id string) (Guardrail, error) {
	g, err := scanGuardrail(t.QueryRowContext(ctx, t.db.Rebind(oneGuardrail), id, by.Organization).Scan)
	return g, noneOf(err, KindGuardrail, id)
}

// Guardrail returns a guardrail of an organisation, or [ErrNone].
func (s *Store) Guardrail(ctx context.Context, organization, id string) (Guardrail, error) {
	db, err := s.source.Get(ctx)
	if err != nil {
		return Guardrail{}, err
	}
	g, err := scanGuardrail(db.QueryRowContext(ctx, db.Rebind(oneGuardrail), id, organization).Scan)
	if !errors.Is(err, ErrNone) {
		return g, err
	}
	workspaces, err := s.Workspaces(ctx, organization)
	if err != nil {
		return Guardrail{}, err
	}
	return unchanged(workspaces, id)
}

// unchanged is the default guardrail of one of some workspaces.
func unchanged(workspaces []Workspace, id string) (Guardrail, error) {
	for i := range workspaces {
		if DefaultGuardrail(workspaces[i].ID) == id {
			return defaultGuardrail(&workspaces[i]), nil
		}
	}
	return Guardrail{}, &NoneError{KindGuardrail, id}
}

// CreateGuardrail adds a guardrail that nobody is held to yet. The error is [ErrFull] if
// there are too many.
func (s *Store) CreateGuardrail(ctx context.Context, by Actor, terms GuardrailTerms) (Guardrail, error) {
	g := Guardrail{ID: uuid.NewString(), GuardrailTerms: terms}
	err := s.change(ctx, by, func(t *transaction) (Entry, error) {
		g.Created, g.Updated = t.now, t.now
		return Entry{Action: "guardrail.create", Target: g.ID, After: loggedGuardrail(&g)}, t.saveGuardrail(ctx, by, &g)
	})
	return g, err
}

// UpdateGuardrail changes a guardrail, a workspace's default one too. The error is
// [ErrNone], what alter returned, or [ErrFull] for a default one that nobody has changed
// before.
func (s *Store) UpdateGuardrail(ctx context.Context, by Actor, id string, alter func(*GuardrailTerms) error) (Guardrail, error) {
	workspaces, err := s.Workspaces(ctx, by.Organization)
	if err != nil {
		return Guardrail{}, err
	}
	var g Guardrail
	err = s.change(ctx, by, func(t *transaction) (Entry, error) {
		before, err := t.guardrail(ctx, by, id)
		if errors.Is(err, ErrNone) {
			before, err = unchanged(workspaces, id)
		}
		if err == nil {
			err = before.Unreadable
		}
		if err != nil {
			return Entry{}, err
		}
		g = before
		if err := alter(&g.GuardrailTerms); err != nil {
			return Entry{}, err
		}
		g.Updated = t.now
		if (g.Limit == nil) != (before.Limit == nil) || g.Reset != before.Reset || g.IncludeBYOK != before.IncludeBYOK {
			g.Limited = t.now
		}
		return Entry{Action: "guardrail.update", Target: id, Before: loggedGuardrail(&before), After: loggedGuardrail(&g)}, t.saveGuardrail(ctx, by, &g)
	})
	return g, err
}

// DeleteGuardrail removes a guardrail, and whom it is assigned to with it. A workspace's
// default one then says nothing again.
func (s *Store) DeleteGuardrail(ctx context.Context, by Actor, id string) error {
	return s.change(ctx, by, func(t *transaction) (Entry, error) {
		g, err := t.guardrail(ctx, by, id)
		if err == nil {
			err = t.exec(ctx, `DELETE FROM guardrail_assignments WHERE guardrail_id = ?`, id)
		}
		if err == nil {
			err = t.exec(ctx, `DELETE FROM guardrails WHERE id = ?`, id)
		}
		return Entry{Action: "guardrail.delete", Target: id, Before: loggedGuardrail(&g)}, err
	})
}

// Assign holds keys or members to a guardrail, instead of what they were held to, and
// returns how many. Who is held to it already stays so since they were. The error is [ErrNone] if the guardrail or one of them is not in
// the actor's organisation; then nothing has changed.
func (s *Store) Assign(ctx context.Context, by Actor, id string, kind Assignee, to []string) (int, error) {
	n := 0
	err := s.change(ctx, by, func(t *transaction) (Entry, error) {
		if _, err := t.guardrail(ctx, by, id); err != nil {
			return Entry{}, err
		}
		for _, assignee := range to {
			if err := t.belongs(ctx, by, kind, assignee); err != nil {
				return Entry{}, err
			}
			if err := t.exec(ctx, `INSERT INTO guardrail_assignments (id, guardrail_id, kind, assignee, actor_hash, created) VALUES (?, ?, ?, ?, ?, ?) `+
				`ON CONFLICT (kind, assignee) DO UPDATE SET guardrail_id = excluded.guardrail_id, actor_hash = excluded.actor_hash, `+
				`created = CASE WHEN guardrail_assignments.guardrail_id = excluded.guardrail_id THEN guardrail_assignments.created ELSE excluded.created END`,
				uuid.NewString(), id, string(kind), assignee, by.Hash, micros(t.now)); err != nil {
				return Entry{}, err
			}
			n++
		}
		return Entry{Action: "guardrail.assign", Target: id, After: loggedAssignees(kind, to)}, nil
	})
	return n, err
}

func (t *transaction) belongs(ctx context.Context, by Actor, kind Assignee, assignee string) error {
	var err error
	if kind == AssigneeKey {
		_, err = t.key(ctx, by, assignee)
	} else {
		_, err = t.member(ctx, by, assignee)
	}
	return err
}

// Unassign ends that keys or members are held to a guardrail, and returns of how many
// that was so.
func (s *Store) Unassign(ctx context.Context, by Actor, id string, kind Assignee, from []string) (int, error) {
	n := 0
	err := s.change(ctx, by, func(t *transaction) (Entry, error) {
		if _, err := t.guardrail(ctx, by, id); err != nil {
			return Entry{}, err
		}
		for _, assignee := range from {
			held, err := t.count(ctx, `guardrail_assignments WHERE guardrail_id = ? AND kind = ? AND assignee = ?`, id, string(kind), assignee)
			if err == nil {
				err = t.exec(ctx, `DELETE FROM guardrail_assignments WHERE guardrail_id = ? AND kind = ? AND assignee = ?`, id, string(kind), assignee)
			}
			if err != nil {
				return Entry{}, err
			}
			n += held
		}
		return Entry{Action: "guardrail.unassign", Target: id, Before: loggedAssignees(kind, from)}, nil
	})
	return n, err
}

// Assignments lists who of a kind is held to a guardrail of an organisation, or to any
// if id is "".
func (s *Store) Assignments(ctx context.Context, organization, id string, kind Assignee) ([]Assignment, error) {
	where, values := `g.organization_id = ? AND a.kind = ?`, []any{organization, string(kind)}
	if id != "" {
		if _, err := s.Guardrail(ctx, organization, id); err != nil {
			return nil, err
		}
		where, values = where+` AND g.id = ?`, append(values, id)
	}
	return list(ctx, s, scanAssignment, `SELECT a.id, a.guardrail_id, a.assignee, COALESCE(k.name, ''), COALESCE(k.label, ''), a.actor_hash, a.created `+
		`FROM guardrail_assignments a JOIN guardrails g ON g.id = a.guardrail_id LEFT JOIN api_keys k ON a.kind = 'key' AND k.hash = a.assignee WHERE `+where+` ORDER BY a.created, a.id`, values...)
}

func scanAssignment(scan func(...any) error) (Assignment, error) {
	var a Assignment
	var created int64
	err := scan(&a.ID, &a.Guardrail, &a.Assignee, &a.KeyName, &a.KeyLabel, &a.Actor, &created)
	a.Created = instant(created)
	return a, err
}

// Guarded are all guardrails, and who is held to which.
type Guarded struct {
	Guardrails map[string]Guardrail // by id
	// Keys have the guardrail that a key is assigned to, by its hash; Members
	// have the member whose key it is and the guardrail of that one.
	Keys    map[string]KeyGuardrail
	Members map[string]MemberGuardrail
}

// KeyGuardrail is the id of what a key is held to, and since when.
type KeyGuardrail struct {
	Guardrail string
	Since     time.Time
}

// MemberGuardrail is the id of what a key is held to for its member's sake, and since when
// the member is.
type MemberGuardrail struct {
	Member, Guardrail string
	Since             time.Time
}

func (s *Store) readGuarded(ctx context.Context, into *Snapshot) error {
	g := Guarded{Guardrails: make(map[string]Guardrail), Keys: make(map[string]KeyGuardrail), Members: make(map[string]MemberGuardrail)}
	into.Guarded = g
	_, err := list(ctx, s, func(scan func(...any) error) (struct{}, error) {
		each, err := scanGuardrail(scan)
		if err != nil {
			each.Unreadable = err
		}
		if each.Unreadable != nil {
			into.unreadable("guardrail", each.ID, each.Unreadable)
		}
		g.Guardrails[each.ID] = each
		return struct{}{}, nil
	}, `SELECT `+guardrailColumns+` FROM guardrails`)
	if err != nil || len(g.Guardrails) == 0 {
		return err
	}
	_, err = list(ctx, s, func(scan func(...any) error) (struct{}, error) {
		var kind Assignee
		var assignee, guardrail, key string
		var created int64
		if err := scan(&kind, &assignee, &guardrail, &key, &created); err != nil { // it holds, since ever
			into.unreadable("assignment to guardrail", guardrail, err)
		}
		if kind == AssigneeKey {
			g.Keys[assignee] = KeyGuardrail{guardrail, instant(created)}
		} else if key != "" {
			g.Members[key] = MemberGuardrail{assignee, guardrail, instant(created)}
		}
		return struct{}{}, nil
	}, `SELECT a.kind, a.assignee, a.guardrail_id, COALESCE(k.hash, ''), a.created FROM guardrail_assignments a LEFT JOIN api_keys k ON a.kind = 'member' AND k.creator = a.assignee`)
	return err
}
