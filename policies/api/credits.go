package api

import (
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/usage/store"
)

// Bounds of what is said of an entry of credits, in characters.
const (
	maxReference = 200
	maxNote      = 1000
)

// routeCredits adds the routes of credits under a base path. All but GET /credits are
// the gateway's own: OpenRouter sells credits on its web site.
func (s *server) routeCredits(mux *http.ServeMux, base string) {
	mux.HandleFunc("GET "+base+"/credits", s.managing(identity.ReadUsage, s.credits))
	mux.HandleFunc("GET "+base+"/organizations/{id}/credits", s.managing(identity.WriteCredits, s.listCredits))
	mux.HandleFunc("POST "+base+"/organizations/{id}/credits", s.managing(identity.WriteCredits, s.addCredits))
}

// credits tells what an organisation was given, and what it has used of that in all its
// workspaces: credits are not given to one of them.
func (s *server) credits(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	type credits struct {
		Total money.USD `json:"total_credits"`
		Used  money.USD `json:"total_usage"`
	}
	entries, err := s.Identity.Store.CreditEntries(r.Context(), by.Organization)
	if err != nil {
		return err
	}
	spent, err := s.Ledger.SpentBy(r.Context(), store.Who{Organization: by.Organization}, time.Time{})
	if err != nil {
		return err
	}
	told := credits{Used: spent.Cost}
	var total money.Sum
	for _, entry := range entries {
		total.Add(entry.Amount)
	}
	told.Total, _ = total.USD()
	reply(w, http.StatusOK, data[credits]{told})
	return nil
}

func (s *server) listCredits(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	if err := asOperator(by); err != nil {
		return err
	}
	all, err := s.Identity.Store.CreditEntries(r.Context(), r.PathValue("id"))
	if err == nil {
		replyPage(w, r, all, func(e keystore.CreditEntry) keystore.CreditEntry { return e })
	}
	return err
}

// addCredits answers 201, or 200 if an entry with the reference is there already: a
// request whose answer was lost can be sent again.
func (s *server) addCredits(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	if err := asOperator(by); err != nil {
		return err
	}
	var members struct {
		Amount    jsontext.Value `json:"amount"`
		Reference string         `json:"reference"`
		Note      string         `json:"note"`
	}
	if err := readBody(r, &members); err != nil {
		return err
	}
	amount, err := readAmount("amount", members.Amount)
	if err != nil {
		return err
	}
	entry := keystore.CreditEntry{
		Organization: r.PathValue("id"), Amount: amount, Reference: strings.TrimSpace(members.Reference), Note: strings.TrimSpace(members.Note),
	}
	if utf8.RuneCountInString(entry.Reference) > maxReference || utf8.RuneCountInString(entry.Note) > maxNote {
		return badRequest("reference must have up to %d characters, note up to %d.", maxReference, maxNote)
	}
	made, added, err := s.Identity.Store.AddCredits(r.Context(), actor(by), entry)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if added {
		s.refresh(r)
		status = http.StatusCreated
	}
	reply(w, status, data[keystore.CreditEntry]{made})
	return nil
}

// readAmount reads a number of US dollars, which may be negative.
func readAmount(name string, value jsontext.Value) (money.USD, error) {
	if value == nil {
		return 0, missing(name)
	}
	amount, err := money.Parse(string(value))
	if err != nil {
		return 0, badRequest("%s must be a number of US dollars from %s to %s with at most 12 digits after the point, not %s.", name, -money.Max, money.Max, money.Excerpt(string(value)))
	}
	return amount, nil
}

// readBudget reads a number of US dollars that is not to be exceeded; instead tells what
// to do for none.
func readBudget(name string, value jsontext.Value, instead string) (money.USD, error) {
	if value == nil {
		return 0, missing(name)
	}
	amount, err := identity.ParseBudget(string(value))
	if err != nil {
		return 0, badRequest("%s %v. %s", name, err, instead)
	}
	return amount, nil
}
