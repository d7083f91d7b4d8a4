package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/preset"
)

// Bounds of a page of what clients manage (spec section 1.5).
const (
	managedPage        = 50
	largestManagedPage = 100
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

// withKey serves only who has a valid key, and says whose presets it is about: a
// preset holds prompts, which are its owner's alone.
func (s *server) withKey(serve func(w http.ResponseWriter, r *http.Request, owner string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key, err := s.caller(r)
		if err != nil {
			refuseCaller(w, err)
			return
		}
		serve(w, r, key.Hash)
	}
}

// routePresets adds the routes of presets under a base path.
func (s *server) routePresets(mux *http.ServeMux, base string) {
	mux.HandleFunc("GET "+base+"/presets", s.withKey(s.presets))
	mux.HandleFunc("GET "+base+"/presets/{slug}", s.withKey(s.preset))
	mux.HandleFunc("DELETE "+base+"/presets/{slug}", s.withKey(s.deletePreset))
	mux.HandleFunc("GET "+base+"/presets/{slug}/versions", s.withKey(s.presetVersions))
	mux.HandleFunc("GET "+base+"/presets/{slug}/versions/{version}", s.withKey(s.presetVersion))
	for _, dialect := range []string{"chat/completions", "messages", "responses"} {
		mux.HandleFunc("POST "+base+"/presets/{slug}/"+dialect, s.withKey(func(w http.ResponseWriter, r *http.Request, owner string) {
			s.createPreset(w, r, owner, dialect)
		}))
	}
}

func (s *server) presets(w http.ResponseWriter, r *http.Request, owner string) {
	replyPage(w, r, s.Presets.List(owner), newPreset)
}

func (s *server) preset(w http.ResponseWriter, r *http.Request, owner string) {
	found, ok := s.Presets.Get(owner, r.PathValue("slug"))
	if !ok {
		refuseNoPreset(w, r)
		return
	}
	replyPreset(w, found)
}

// presetVersions lists the newest first.
func (s *server) presetVersions(w http.ResponseWriter, r *http.Request, owner string) {
	versions := s.Presets.Versions(owner, r.PathValue("slug"))
	if len(versions) == 0 {
		refuseNoPreset(w, r)
		return
	}
	replyPage(w, r, versions, newPresetVersion)
}

func (s *server) presetVersion(w http.ResponseWriter, r *http.Request, owner string) {
	for _, version := range s.Presets.Versions(owner, r.PathValue("slug")) {
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
func (s *server) createPreset(w http.ResponseWriter, r *http.Request, owner, dialect string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "payload_too_large", fmt.Sprintf("The request body is larger than %d bytes, or did not arrive whole.", maxBody))
		return
	}
	config, systemPrompt, err := preset.FromRequest(body)
	if err == nil && s.CheckPreset != nil {
		err = s.CheckPreset(dialect, config, systemPrompt)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	slug := r.PathValue("slug")
	created, err := s.Presets.Put(owner, slug, config, systemPrompt)
	if err != nil {
		s.refusePreset(w, slug, err)
		return
	}
	replyPreset(w, created)
}

// deletePreset is for the owner, with all versions at once.
func (s *server) deletePreset(w http.ResponseWriter, r *http.Request, owner string) {
	slug := r.PathValue("slug")
	if err := s.Presets.Delete(owner, slug); err != nil {
		s.refusePreset(w, slug, err)
		return
	}
	replyDeleted(w)
}

// refusePreset answers why a preset did not change.
func (s *server) refusePreset(w http.ResponseWriter, slug string, err error) {
	status, errorType := http.StatusInternalServerError, "server"
	switch {
	case errors.Is(err, preset.ErrSlug):
		status, errorType = http.StatusBadRequest, "invalid_request"
	case errors.Is(err, preset.ErrReadOnly):
		status, errorType = http.StatusConflict, "invalid_request"
	case errors.Is(err, preset.ErrFull):
		status, errorType = http.StatusRequestEntityTooLarge, "payload_too_large"
	case errors.Is(err, preset.ErrNone):
		status, errorType = http.StatusNotFound, "not_found"
	default:
		s.Logger.Error("preset not kept", "slug", slug, "error", err)
		refuse(w, status, errorType, "The preset could not be written. The gateway's log says why.")
		return
	}
	refuse(w, status, errorType, fmt.Sprintf("Preset %q %v", slug, err))
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
func replyPage[Entry, Wire any](w http.ResponseWriter, r *http.Request, list []Entry, convert func(Entry) Wire) {
	query := parser{values: r.URL.Query()}
	offset := query.whole("offset", 0, 0, 1<<31)
	limit := query.whole("limit", managedPage, 1, largestManagedPage)
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
