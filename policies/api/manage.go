package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
	"github.com/switchyard/switchyard/policies/money"
)

// Identity is the keys that are managed over the API.
type Identity struct {
	Store *keystore.Store
	// Refresh puts to use what was changed before it was called.
	Refresh func(ctx context.Context) error
	// CheckOwnKey says whether a provider can be reached with a customer's own key, and
	// what may be shown of it. The error is fit to be shown. Nil is [byok.Reach].
	CheckOwnKey func(provider *catalog.Provider, key string) (label string, err error)
}

// refusal is an answer that a change was refused with.
type refusal struct {
	status             int
	errorType, message string
}

func (r *refusal) Error() string { return r.message }

func badRequest(format string, args ...any) *refusal {
	return &refusal{http.StatusBadRequest, "invalid_request", fmt.Sprintf(format, args...)}
}

func forbidden(format string, args ...any) *refusal {
	return &refusal{http.StatusForbidden, "permission_denied", fmt.Sprintf(format, args...)}
}

// managing serves management keys whose role has a permission (row 9).
func (s *server) managing(permission identity.Permission, serve func(w http.ResponseWriter, r *http.Request, by *identity.Key) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key, err := s.caller(r)
		if err != nil {
			refuseCaller(w, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		switch {
		case !key.Management():
			err = forbidden("Only management keys can perform this operation")
		case !key.Role.May(permission):
			err = mayNot(key, permission)
		default:
			err = serve(w, r, key)
		}
		if err != nil {
			s.refuseChange(w, err)
		}
	}
}

// mayNot refuses a management key whose role has not a permission.
func mayNot(key *identity.Key, permission identity.Permission) *refusal {
	return forbidden("The role %s may not do this. It takes %s, which these have: %s.", key.Role, permission, roleNames(permission.Roles()))
}

func roleNames(roles []identity.Role) string {
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = string(role)
	}
	return strings.Join(names, ", ")
}

// refuseChange answers why nothing was changed, or read.
func (s *server) refuseChange(w http.ResponseWriter, err error) {
	var refused *refusal
	var none *keystore.NoneError
	var taken *keystore.TakenError
	switch {
	case errors.As(err, &refused):
		refuse(w, refused.status, refused.errorType, refused.message)
	case errors.As(err, &none):
		refuse(w, http.StatusNotFound, "not_found", noneText(none))
	case errors.Is(err, keystore.ErrNoMember):
		refuse(w, http.StatusBadRequest, "invalid_request", "The key would be of somebody who is not in its workspace. Add them to it by POST /workspaces/{id}/members/add, or name another one as creator_user_id: null is nobody, and without it the key is of the member who makes it.")
	case errors.Is(err, keystore.ErrRole):
		refuse(w, http.StatusForbidden, "permission_denied", "A management key may do no more than the member whose it is: give it a lower role, or the member a higher one.")
	case errors.Is(err, keystore.ErrHeld):
		refuse(w, http.StatusForbidden, "permission_denied", fmt.Sprintf("The key is held to the guardrail of its user or its workspace. To change creator_user_id or workspace_id of it takes %s, which these have: %s.",
			identity.WriteGuardrails, roleNames(identity.WriteGuardrails.Roles())))
	case errors.Is(err, keystore.ErrMaker):
		refuse(w, http.StatusForbidden, "permission_denied", fmt.Sprintf("You are held to a guardrail, and with you every key whose secret you get: leave creator_user_id out, so that the key is yours. To make or rotate keys of others takes %s, which these have: %s.",
			identity.WriteGuardrails, roleNames(identity.WriteGuardrails.Roles())))
	case errors.Is(err, keystore.ErrNoVault):
		refuse(w, http.StatusBadRequest, "invalid_request", "This gateway keeps no own keys of providers: with a shared database byok.encryption_key must be configured.")
	case errors.As(err, &taken):
		refuse(w, http.StatusConflict, "invalid_request", fmt.Sprintf("%s: another %s of the organization has %q already. Choose another.", taken.Member, taken.Kind, taken.Value))
	case errors.Is(err, keystore.ErrRange):
		refuse(w, http.StatusBadRequest, "invalid_request", fmt.Sprintf("All credits of an organization together must be between -$%s and $%s.", money.Max, money.Max))
	case errors.Is(err, keystore.ErrFull):
		refuse(w, http.StatusBadRequest, "invalid_request", fmt.Sprintf("An organization has up to %d guardrails, with the default ones that were changed; change or delete one.", keystore.MaxGuardrails))
	case errors.Is(err, keystore.ErrInUse):
		refuse(w, http.StatusBadRequest, "invalid_request", "The workspace has keys, or own keys of providers. Delete them first, or move keys by PATCH /keys/{hash} with another workspace_id.")
	case errors.Is(err, keystore.ErrDefault):
		refuse(w, http.StatusBadRequest, "invalid_request", "This is the organization's default workspace: it is not deleted, and all members are in it for good.")
	default:
		s.Logger.Error("the database cannot be read or written", "error", err.Error())
		refuse(w, http.StatusServiceUnavailable, "server", "The gateway's database cannot be read or written at the moment. Its log says why.")
	}
}

// lists are where what there is of a kind is listed.
var lists = map[keystore.Kind]string{
	keystore.KindKey:          "/keys?include_disabled=true",
	keystore.KindWorkspace:    "/workspaces",
	keystore.KindMember:       "/organization/members",
	keystore.KindGuardrail:    "/guardrails",
	keystore.KindOwnKey:       "/byok",
	keystore.KindOrganization: "/organizations",
}

func noneText(none *keystore.NoneError) string {
	where := " in your organization"
	if none.Kind == keystore.KindOrganization {
		where = ""
	}
	text := fmt.Sprintf("There is no %s %.64q%s; GET %s lists what there is.", none.Kind, none.Named, where, lists[none.Kind])
	if none.Kind == keystore.KindKey {
		text += " Keys of the gateway's configuration are not managed here, but in its file."
	}
	return text
}

func actor(by *identity.Key) keystore.Actor {
	a := keystore.Actor{Hash: by.Hash, Name: by.Name, Organization: by.Organization, Member: by.Creator, Frees: by.Role.May(identity.WriteGuardrails)}
	if by.Token {
		a.TokenEnds = by.ExpiresAt
	}
	return a
}

// longestRefresh is how long an answer waits for its change to be in use: what it tells,
// such as a new key, is told only once.
const longestRefresh = time.Second

// refresh puts a change to use here at once. Should that fail, the change holds all the
// same, and is seen as soon as the database can be read.
func (s *server) refresh(r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), longestRefresh)
	defer cancel()
	if err := s.Identity.Refresh(ctx); err != nil {
		s.Logger.Warn("a change of keys is not in use yet", "error", err.Error())
	}
}

// readBody reads a request's JSON strictly: a member that is not known is a mistake,
// not something to leave out of a change in silence.
func readBody(r *http.Request, into any) error {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, into, json.RejectUnknownMembers(true))
	}
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return refuseNull(body)
	case errors.As(err, &tooLarge):
		return &refusal{http.StatusRequestEntityTooLarge, "payload_too_large", fmt.Sprintf("The request body is larger than %d bytes.", maxBody)}
	}
	return unreadable(err, "")
}

// unreadable says where the body, or the member that a pointer leads to, is not what it must
// be.
func unreadable(err error, pointer jsontext.Pointer) error {
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return badRequest("The request body is not a valid JSON object: %s.", strings.TrimPrefix(err.Error(), "jsontext: "))
	}
	what, member := "The request body", strings.TrimPrefix(string(pointer+semantic.JSONPointer), "/")
	if member != "" {
		what = fmt.Sprintf("Member %q", member)
	}
	if errors.Is(err, json.ErrUnknownName) {
		return badRequest("Unknown member %q. Nothing was changed.", member)
	}
	return badRequest("%s must be %s, not %s.", what, wanted(semantic.GoType), kinds[semantic.JSONKind])
}

// refuseNull refuses texts with the character U+0000, which PostgreSQL does not keep: what is
// answered is what is kept. The body is valid.
func refuseNull(body []byte) error {
	if !bytes.Contains(body, []byte(`\u0000`)) {
		return nil
	}
	for d := jsontext.NewDecoder(bytes.NewReader(body)); ; {
		token, err := d.ReadToken()
		if err != nil {
			return nil // the end
		}
		if token.Kind() == '"' && strings.ContainsRune(token.String(), 0) {
			return badRequest("Member %q has the character U+0000, which cannot be kept.", strings.TrimPrefix(string(d.StackPointer()), "/"))
		}
	}
}

// kinds are what JSON calls its values.
var kinds = map[jsontext.Kind]string{'n': "null", 't': "true", 'f': "false", '0': "a number like this", '"': "a string like this", '{': "an object", '[': "a list"}

// wanted is what a member takes, in the words of JSON.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return wanted(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	case reflect.Struct:
		return "an object"
	}
	return "a string"
}

// missing refuses a request without a member that it needs.
func missing(name string) *refusal { return badRequest("%s is missing.", name) }

// textOrNull reads a string, or null as "". An empty string is neither.
func textOrNull(value jsontext.Value, most int) (string, error) {
	var text *string
	if err := json.Unmarshal(value, &text); err != nil || text != nil && (*text == "" || utf8.RuneCountInString(*text) > most) {
		return "", badRequest("want a string of 1 to %d characters, or null", most)
	}
	if text == nil {
		return "", nil
	}
	return *text, nil
}

// listOrNull reads a list of strings that is not empty (row 187), or null as nil.
func listOrNull(value jsontext.Value) ([]string, error) {
	var entries []string
	if err := json.Unmarshal(value, &entries); err != nil || entries != nil && len(entries) == 0 || len(entries) > maxList {
		return nil, badRequest("want a list of 1 to %d strings, or null for no bound", maxList)
	}
	for _, entry := range entries {
		if entry == "" || len(entry) > maxEntry {
			return nil, badRequest("an entry must have from 1 to %d bytes", maxEntry)
		}
	}
	return entries, nil
}

// replyDeleted answers that something is gone.
func replyDeleted(w http.ResponseWriter) {
	reply(w, http.StatusOK, struct {
		Deleted bool `json:"deleted"`
	}{true})
}

// audit lists the changes of keys, the newest first. It is the gateway's own.
func (s *server) audit(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	query := parser{values: r.URL.Query()}
	page := keystore.Page{Offset: query.whole("offset", 0, 0, 1<<31), Limit: query.whole("limit", managedPage, 1, largestManagedPage)}
	if err := query.err(); err != nil {
		return badRequest("%v", err)
	}
	logged, err := s.Identity.Store.Audit(r.Context(), by.Organization, page)
	if err != nil {
		return err
	}
	reply(w, http.StatusOK, data[[]keystore.Logged]{logged})
	return nil
}
