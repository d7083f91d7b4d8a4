package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/usage"
	"github.com/switchyard/switchyard/policies/usage/store"
)

// Ledger is what the gateway's account of its requests tells.
type Ledger interface {
	// Get returns a generation, or [store.ErrNone].
	Get(ctx context.Context, id string) (*usage.Generation, error)
	// Content returns what was said in a generation, or [store.ErrNone].
	Content(ctx context.Context, id string) (*usage.Content, error)
	// Spending is what some keys have cost, by period.
	Spending(ctx context.Context, keyHashes []string, since store.Periods) (map[string]store.Spending, error)
	// SpentBy is what someone has spent from a day on.
	SpentBy(ctx context.Context, who store.Who, since time.Time) (store.Bill, error)
	// Sums adds up what was done by some dimensions; by none, there is one sum.
	Sums(ctx context.Context, span store.Span, by ...store.Dimension) ([]store.Group, error)
	// PurgeWorkspaces deletes what was created before a time in some workspaces, and
	// returns how many generations there were.
	PurgeWorkspaces(ctx context.Context, before time.Time, workspaces []string) (int64, error)
}

// wireGeneration is a generation as clients get it (spec section 1.3). Counts of
// tokens are the provider's own, also where OpenRouter counts by a tokenizer of its
// own. What this gateway does not have is null or zero.
type wireGeneration struct {
	ID                  string         `json:"id"`
	RequestID           string         `json:"request_id"`
	UpstreamID          *string        `json:"upstream_id"`
	Model               string         `json:"model"`
	ProviderName        string         `json:"provider_name"`
	Router              *string        `json:"router"`
	PresetID            *string        `json:"preset_id"`
	APIType             string         `json:"api_type"`
	CreatedAt           time.Time      `json:"created_at"`
	Streamed            bool           `json:"streamed"`
	Cancelled           bool           `json:"cancelled"`
	Estimated           bool           `json:"estimated"` // the gateway's own
	FinishReason        *string        `json:"finish_reason"`
	NativeFinishReason  *string        `json:"native_finish_reason"`
	Latency             int64          `json:"latency"`         // milliseconds
	GenerationTime      int64          `json:"generation_time"` // milliseconds
	ModerationLatency   *int64         `json:"moderation_latency"`
	TokensPrompt        int64          `json:"tokens_prompt"`
	TokensCompletion    int64          `json:"tokens_completion"`
	NativePrompt        int64          `json:"native_tokens_prompt"`
	NativeCompletion    int64          `json:"native_tokens_completion"`
	NativeReasoning     int64          `json:"native_tokens_reasoning"`
	NativeCached        int64          `json:"native_tokens_cached"`
	NativeImages        int64          `json:"native_tokens_completion_images"`
	MediaPrompt         int64          `json:"num_media_prompt"`
	MediaCompletion     *int64         `json:"num_media_completion"`
	AudioPrompt         *int64         `json:"num_input_audio_prompt"`
	SearchResults       *int64         `json:"num_search_results"`
	Fetches             *int64         `json:"num_fetches"`
	Usage               money.USD      `json:"usage"`
	TotalCost           money.USD      `json:"total_cost"`
	UpstreamCost        *money.USD     `json:"upstream_inference_cost"`
	CacheDiscount       *money.USD     `json:"cache_discount"`
	IsBYOK              bool           `json:"is_byok"`
	ServiceTier         *string        `json:"service_tier"`
	DataRegion          string         `json:"data_region"`
	SessionID           *string        `json:"session_id"`
	ExternalUser        *string        `json:"external_user"`
	WorkspaceID         *string        `json:"workspace_id"`
	AppID               *int64         `json:"app_id"`
	Origin              string         `json:"origin"`
	Referer             *string        `json:"http_referer"`
	UserAgent           *string        `json:"user_agent"`
	WebSearchEngine     *string        `json:"web_search_engine"`
	ResponseCacheSource *string        `json:"response_cache_source_id"`
	ProviderResponses   []wireResponse `json:"provider_responses"`
}

// wireResponse is one attempt.
type wireResponse struct {
	ID           *string `json:"id"`
	ProviderName string  `json:"provider_name"`
	Status       *int    `json:"status"`
	Latency      int64   `json:"latency"` // milliseconds
	IsBYOK       bool    `json:"is_byok"`
	EndpointID   string  `json:"endpoint_id"`
	Model        string  `json:"model_permaslug"`
	ServiceTier  *string `json:"routed_service_tier"`
	// What follows is the gateway's own.
	Outcome string    `json:"outcome"`
	Reason  *string   `json:"reason"`
	Cost    money.USD `json:"cost"`
}

func newGeneration(from *usage.Generation) wireGeneration {
	served := from.Served()
	if served == nil {
		served = &usage.Attempt{}
	}
	cost := from.Cost()
	wire := wireGeneration{
		ID: from.ID, RequestID: from.RequestID, UpstreamID: stated(served.UpstreamID),
		Model: served.Model, ProviderName: served.ProviderName, PresetID: stated(from.Preset), APIType: from.API,
		CreatedAt: from.Created, Streamed: from.Streamed, Cancelled: from.Cancelled, Estimated: from.Estimated,
		FinishReason: stated(from.FinishReason), NativeFinishReason: stated(from.NativeFinishReason),
		Latency: served.Latency.Milliseconds(), GenerationTime: served.Duration.Milliseconds(),
		TokensPrompt: served.Tokens.Prompt, TokensCompletion: served.Tokens.Completion,
		NativePrompt: served.Tokens.Prompt, NativeCompletion: served.Tokens.Completion, NativeReasoning: served.Tokens.Reasoning,
		NativeCached: served.Tokens.CacheRead, NativeImages: served.Tokens.ImageCompletion, MediaPrompt: served.Tokens.Images,
		Usage: cost, TotalCost: cost, ServiceTier: stated(served.ServiceTier), DataRegion: "global",
		WorkspaceID: stated(from.Workspace), SessionID: stated(from.Session), ExternalUser: stated(from.User),
		ResponseCacheSource: stated(from.ResponseCacheSource),
		Origin:              from.Referer, Referer: stated(from.Referer), UserAgent: stated(from.UserAgent),
	}
	if strings.HasPrefix(from.Requested, "openrouter/") {
		wire.Router = &from.Requested
	}
	if served.OwnKey != "" {
		wire.IsBYOK, wire.UpstreamCost = true, new(from.Upstream())
	}
	for _, attempt := range from.Attempts {
		if attempt.Outcome == usage.Cached {
			continue // no provider has responded
		}
		wire.ProviderResponses = append(wire.ProviderResponses, wireResponse{
			ID: stated(attempt.UpstreamID), ProviderName: attempt.ProviderName, Status: stated(attempt.Status),
			Latency: attempt.Duration.Milliseconds(), IsBYOK: attempt.OwnKey != "", EndpointID: attempt.Endpoint, Model: attempt.Model,
			ServiceTier: stated(attempt.ServiceTier), Outcome: attempt.Outcome, Reason: stated(attempt.Reason), Cost: attempt.Charge.Total,
		})
	}
	return wire
}

// generation tells of one generation to whoever made it (rows 168 and 169), and to
// management keys of the organisation.
func (s *server) generation(w http.ResponseWriter, r *http.Request) {
	if _, found := s.ownGeneration(w, r, identity.ReadUsage); found != nil {
		reply(w, http.StatusOK, data[wireGeneration]{newGeneration(found)})
	}
}

// ownGeneration finds the generation that a request names, of the key that it comes with,
// or of the organisation of a management key with a permission. Nil is one that is refused.
func (s *server) ownGeneration(w http.ResponseWriter, r *http.Request, permission identity.Permission) (*identity.Key, *usage.Generation) {
	key, err := s.caller(r)
	if err != nil {
		refuseCaller(w, err)
		return nil, nil
	}
	if key.Management() && !key.Role.May(permission) {
		s.refuseChange(w, mayNot(key, permission))
		return nil, nil
	}
	id := r.URL.Query().Get("id")
	if id == "" {
		refuse(w, http.StatusBadRequest, "invalid_request", fmt.Sprintf("Give the generation's id: %s?id=gen-...", r.URL.Path))
		return nil, nil
	}
	found, err := s.Ledger.Get(r.Context(), id)
	own := false
	if err == nil {
		own, err = s.owns(r.Context(), key, found)
	}
	switch {
	case errors.Is(err, store.ErrNone), err == nil && !own:
		refuse(w, http.StatusNotFound, "not_found", fmt.Sprintf("Generation %s not found", id))
	case err != nil:
		s.ledgerFailed(w, err)
	default:
		return key, found
	}
	return nil, nil
}

// owns reports whether a generation is a key's, or of the organisation of a management key.
func (s *server) owns(ctx context.Context, key *identity.Key, g *usage.Generation) (bool, error) {
	if g.KeyHash == key.Hash || !key.Management() || s.Identity == nil {
		return g.KeyHash == key.Hash, nil
	}
	workspaces, err := s.Identity.Store.WorkspaceIDs(ctx, key.Organization)
	return slices.Contains(workspaces, g.Workspace), err
}

// content tells what was said in a generation to whoever made it, and to management keys
// of the organisation, if that is kept (row 170).
func (s *server) content(w http.ResponseWriter, r *http.Request) {
	key, found := s.ownGeneration(w, r, identity.ReadContent)
	if found == nil {
		return
	}
	content, err := s.Ledger.Content(r.Context(), found.ID)
	switch {
	case errors.Is(err, store.ErrNone) && !key.Management() && !key.StoreContent:
		refuse(w, http.StatusForbidden, "permission_denied", "What is said with this key is not stored. To have it stored, set store_content of the key, in the gateway's configuration or by PATCH /keys/{hash}.")
	case errors.Is(err, store.ErrNone):
		refuse(w, http.StatusNotFound, "not_found", fmt.Sprintf("Content of generation %s not found: its key stored none then, or it has been deleted since", found.ID))
	case err != nil:
		s.ledgerFailed(w, err)
	default:
		if err := s.noteRead(r.Context(), key, found); err != nil {
			s.refuseChange(w, err)
			return
		}
		reply(w, http.StatusOK, data[wireContent]{wireContent{content.Input, content.Output, content.Error}})
	}
}

// noteRead has it in the audit log who reads what was said, before they do: what cannot be
// logged is not told. A gateway without managed keys has no such log.
func (s *server) noteRead(ctx context.Context, by *identity.Key, g *usage.Generation) error {
	if s.Identity == nil {
		return nil
	}
	type read struct {
		KeyHash   string `json:"key_hash"`
		Workspace string `json:"workspace_id"`
	}
	return s.Identity.Store.NoteRead(ctx, actor(by), keystore.Entry{Target: g.ID, Before: read{g.KeyHash, g.Workspace}})
}

// wireContent is what was said as clients get it (spec section 1.3).
type wireContent struct {
	Input  usage.Input    `json:"input"`
	Output usage.Output   `json:"output"`
	Error  jsontext.Value `json:"error"`
}

func (s *server) ledgerFailed(w http.ResponseWriter, err error) {
	s.Logger.Error("the ledger cannot be read", "error", err.Error())
	refuse(w, http.StatusServiceUnavailable, "server", "The ledger cannot be read at the moment. Try again later.")
}

// keyUsage is what a key has used, in US dollars (spec section 1.3). Days, weeks from
// Monday on and months are those of UTC.
type keyUsage struct {
	Usage       money.USD `json:"usage"`
	Daily       money.USD `json:"usage_daily"`
	Weekly      money.USD `json:"usage_weekly"`
	Monthly     money.USD `json:"usage_monthly"`
	BYOK        money.USD `json:"byok_usage"`
	BYOKDaily   money.USD `json:"byok_usage_daily"`
	BYOKWeekly  money.USD `json:"byok_usage_weekly"`
	BYOKMonthly money.USD `json:"byok_usage_monthly"`
}

func (s *server) usageOf(ctx context.Context, key *identity.Key, now time.Time) (keyUsage, error) {
	spending, err := s.Ledger.Spending(ctx, []string{key.Hash}, periods(now))
	return newKeyUsage(spending[key.Hash]), err
}

func newKeyUsage(spent store.Spending) keyUsage {
	own := spent.Upstream
	return keyUsage{
		Usage: spent.Ever, Daily: spent.Day, Weekly: spent.Week, Monthly: spent.Month,
		BYOK: own.Ever, BYOKDaily: own.Day, BYOKWeekly: own.Week, BYOKMonthly: own.Month,
	}
}

func periods(now time.Time) store.Periods {
	return store.Periods{Day: identity.ResetDaily.Start(now), Week: identity.ResetWeekly.Start(now), Month: identity.ResetMonthly.Start(now)}
}
