package api

import (
	"net/http"
	"time"
)

// anthropicVersion is the header that each request of Anthropic's clients has, and none
// of others.
const anthropicVersion = "Anthropic-Version"

// anthropicModel is a model as Anthropic's clients read it
// (https://docs.anthropic.com/en/api/models-list).
type anthropicModel struct {
	Type        string    `json:"type"`
	ID          string    `json:"id"`
	DisplayName string    `json:"display_name"`
	CreatedAt   time.Time `json:"created_at"`
}

func newAnthropicModel(shown *wireModel) anthropicModel {
	return anthropicModel{"model", shown.ID, shown.Name, time.Unix(shown.Created, 0).UTC()}
}

// anthropicModels lists the catalog on one page.
func (s *server) anthropicModels(w http.ResponseWriter, _ *http.Request) {
	page := struct {
		Data    []anthropicModel `json:"data"`
		HasMore bool             `json:"has_more"`
		FirstID *string          `json:"first_id"`
		LastID  *string          `json:"last_id"`
	}{Data: []anthropicModel{}}
	for _, e := range s.listing().entries {
		page.Data = append(page.Data, newAnthropicModel(&e.shown))
	}
	if n := len(page.Data); n > 0 {
		page.FirstID, page.LastID = &page.Data[0].ID, &page.Data[n-1].ID
	}
	reply(w, http.StatusOK, page)
}
