package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/preset"
)

// Bounds of a page of presets (spec section 1.5).
const (
	presetPage        = 50
	largestPresetPage = 100
)

// wirePreset is a preset as clients get it (row 129).
type wirePreset struct {
	Slug              string            `json:"slug"`
	Name              string            `json:"name"`
	Description       *string           `json:"description"`
	DesignatedVersion wirePresetVersion `json:"designated_version"`
}

type wirePresetVersion struct {
	Version      int            `json:"version"`
	Config       jsontext.Value `json:"config"`
	SystemPrompt *string        `json:"system_prompt"`
}

func newPreset(from preset.Preset) wirePreset {
	wire := wirePreset{Slug: from.Slug, Name: from.Name, DesignatedVersion: newPresetVersion(from)}
	if from.Name == "" {
		wire.Name = from.Slug
	}
	if from.Description != "" {
		wire.Description = &from.Description
	}
	return wire
}

func newPresetVersion(from preset.Preset) wirePresetVersion {
	wire := wirePresetVersion{Version: from.Version, Config: from.Config}
	if from.SystemPrompt != "" {
		wire.SystemPrompt = &from.SystemPrompt
	}
	return wire
}

// withKey serves only who has a valid key: presets hold prompts.
func (s *server) withKey(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, err := s.Keys().Authenticate(r.Header.Get("Authorization"), r.Header.Get("X-Api-Key"), time.Now()); err != nil {
			refuse(w, http.StatusUnauthorized, "authentication", err.Error())
			return
		}
		serve(w, r)
	}
}

// routePresets adds the routes of presets under a base path.
func (s *server) routePresets(mux *http.ServeMux, base string) {
	mux.HandleFunc("GET "+base+"/presets", s.withKey(s.presets))
	mux.HandleFunc("GET "+base+"/presets/{slug}", s.withKey(s.preset))
	mux.HandleFunc("GET "+base+"/presets/{slug}/versions", s.withKey(s.presetVersions))
	mux.HandleFunc("GET "+base+"/presets/{slug}/versions/{version}", s.withKey(s.presetVersion))
	for _, dialect := range []string{"chat/completions", "messages", "responses"} {
		mux.HandleFunc("POST "+base+"/presets/{slug}/"+dialect, s.withKey(s.createPreset))
	}
}

func (s *server) presets(w http.ResponseWriter, r *http.Request) {
	replyPage(w, r, s.Presets.List(), newPreset)
}

func (s *server) preset(w http.ResponseWriter, r *http.Request) {
	found, ok := s.Presets.Get(r.PathValue("slug"))
	if !ok {
		refuseNoPreset(w, r)
		return
	}
	replyPreset(w, found)
}

// presetVersions lists the newest first.
func (s *server) presetVersions(w http.ResponseWriter, r *http.Request) {
	versions := s.Presets.Versions(r.PathValue("slug"))
	if len(versions) == 0 {
		refuseNoPreset(w, r)
		return
	}
	replyPage(w, r, versions, newPresetVersion)
}

func (s *server) presetVersion(w http.ResponseWriter, r *http.Request) {
	for _, version := range s.Presets.Versions(r.PathValue("slug")) {
		if strconv.Itoa(version.Version) == r.PathValue("version") {
			reply(w, http.StatusOK, struct {
				Data wirePresetVersion `json:"data"`
			}{newPresetVersion(version)})
			return
		}
	}
	refuse(w, http.StatusNotFound, "not_found", fmt.Sprintf("Preset %q has no version %q", r.PathValue("slug"), r.PathValue("version")))
}

// createPreset is row 129: a request becomes a preset, or its next version.
func (s *server) createPreset(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "payload_too_large", fmt.Sprintf("The request body is larger than %d bytes, or did not arrive whole.", maxBody))
		return
	}
	config, systemPrompt, err := preset.FromRequest(body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	slug := r.PathValue("slug")
	created, err := s.Presets.Put(slug, config, systemPrompt)
	switch {
	case errors.Is(err, preset.ErrSlug):
		refuse(w, http.StatusBadRequest, "invalid_request", fmt.Sprintf("Preset %q %v", slug, err))
	case errors.Is(err, preset.ErrReadOnly):
		refuse(w, http.StatusConflict, "invalid_request", fmt.Sprintf("Preset %q %v", slug, err))
	case errors.Is(err, preset.ErrFull):
		refuse(w, http.StatusRequestEntityTooLarge, "payload_too_large", fmt.Sprintf("Preset %q %v", slug, err))
	case err != nil:
		s.Logger.Error("preset not kept", "slug", slug, "error", err)
		refuse(w, http.StatusInternalServerError, "server", "The preset could not be written. The gateway's log says why.")
	default:
		replyPreset(w, created)
	}
}

func replyPreset(w http.ResponseWriter, found preset.Preset) {
	reply(w, http.StatusOK, struct {
		Data wirePreset `json:"data"`
	}{newPreset(found)})
}

func refuseNoPreset(w http.ResponseWriter, r *http.Request) {
	refuse(w, http.StatusNotFound, "not_found", fmt.Sprintf("Preset %q not found", r.PathValue("slug")))
}

// replyPage answers with the part of a list that offset and limit ask for.
func replyPage[Wire any](w http.ResponseWriter, r *http.Request, list []preset.Preset, convert func(preset.Preset) Wire) {
	query := parser{values: r.URL.Query()}
	offset := query.whole("offset", 0, 0, 1<<31)
	limit := query.whole("limit", presetPage, 1, largestPresetPage)
	if err := query.err(); err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	from := min(offset, len(list))
	page := make([]Wire, 0, limit)
	for _, entry := range list[from:min(from+limit, len(list))] {
		page = append(page, convert(entry))
	}
	reply(w, http.StatusOK, struct {
		Data       []Wire `json:"data"`
		TotalCount int    `json:"total_count"`
	}{page, len(list)})
}
