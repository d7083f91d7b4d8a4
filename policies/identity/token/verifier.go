package token

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// fetchEvery is how often the keys of issuers are fetched, fetchAgain how soon after
	// a failure, or for a token that none of them has signed.
	fetchEvery = 5 * time.Minute
	fetchAgain = 5 * time.Second
	// longestFetch and largestKeys bound what an issuer may take.
	longestFetch = 10 * time.Second
	largestKeys  = 1 << 20
)

// Verifier knows the issuers of tokens and their keys. All methods may be called
// concurrently.
type Verifier struct {
	log    *slog.Logger
	client *http.Client
	state  atomic.Pointer[state]
	woken  chan struct{} // something is to be fetched soon
}

// New returns a verifier without issuers. client fetches their keys.
func New(client *http.Client, log *slog.Logger) *Verifier {
	v := &Verifier{log: log, client: client, woken: make(chan struct{}, 1)}
	v.state.Store(newState(nil))
	return v
}

// Configure replaces the issuers. The keys that are known of one stay.
func (v *Verifier) Configure(issuers []Issuer) {
	for {
		old := v.state.Load()
		next := make(map[string]*issuer, len(issuers))
		for _, each := range issuers {
			next[each.URL] = &issuer{Issuer: each}
			if before, ok := old.issuers[each.URL]; ok {
				next[each.URL].keys = before.keys
			}
		}
		if v.state.CompareAndSwap(old, newState(next)) {
			v.wake()
			return
		}
	}
}

// wake has keys fetched at once, if they were not just now.
func (v *Verifier) wake() {
	select {
	case v.woken <- struct{}{}:
	default:
	}
}

// Run fetches the keys of the issuers until ctx ends. An issuer that does not answer
// keeps those that are known of it.
func (v *Verifier) Run(ctx context.Context) {
	for {
		select {
		case <-v.woken: // by what is fetched now
		default:
		}
		next := fetchEvery
		if !v.fetchAll(ctx) {
			next = 0
		}
		// However many tokens there are that nobody signed, the issuers are asked no more
		// often than this.
		select {
		case <-ctx.Done():
			return
		case <-time.After(fetchAgain):
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(next):
		case <-v.woken:
		}
	}
}

// fetchAll reports whether all issuers have answered.
func (v *Verifier) fetchAll(ctx context.Context) bool {
	complete := true
	for url := range v.state.Load().issuers {
		keys, err := v.fetch(ctx, url)
		if err != nil {
			if ctx.Err() == nil {
				v.log.Error("the keys of a token issuer cannot be fetched; those known stay in use", "issuer", url, "error", err.Error())
			}
			complete = false
			continue
		}
		v.learn(url, keys)
	}
	return complete
}

// learn puts the keys of an issuer to use. What they have verified before is forgotten:
// it may be the work of a key that was withdrawn.
func (v *Verifier) learn(url string, keys []any) {
	for {
		old := v.state.Load()
		if old.issuers[url] == nil { // configured away meanwhile
			return
		}
		next := make(map[string]*issuer, len(old.issuers))
		for name, each := range old.issuers {
			next[name] = each
		}
		next[url] = &issuer{old.issuers[url].Issuer, keys}
		if v.state.CompareAndSwap(old, newState(next)) {
			return
		}
	}
}

// fetch asks an issuer for its public keys.
func (v *Verifier) fetch(ctx context.Context, url string) ([]any, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, v.client), longestFetch)
	defer cancel()
	provider, err := oidc.NewProvider(ctx, url)
	if err != nil {
		return nil, err
	}
	var found struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&found); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, found.Keys, nil)
	if err != nil {
		return nil, err
	}
	response, err := v.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, largestKeys))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", found.Keys, response.Status)
	}
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("%s: %w", found.Keys, err)
	}
	keys := []any{}
	for _, text := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(text) != nil {
			continue // of a kind that is not known here: others can be used (RFC 7517, section 5)
		}
		if key.IsPublic() && key.Valid() && (key.Use == "" || key.Use == "sig") {
			keys = append(keys, key.Key)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s has no public key for signatures", found.Keys)
	}
	return keys, nil
}
