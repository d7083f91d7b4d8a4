package api

import "net/http"

// wireProvider is one entry of row 158; its slug can be named in `provider.only`.
type wireProvider struct {
	Name              string   `json:"name"`
	Slug              string   `json:"slug"`
	PrivacyPolicyURL  *string  `json:"privacy_policy_url"`
	TermsOfServiceURL *string  `json:"terms_of_service_url"`
	StatusPageURL     *string  `json:"status_page_url"`
	Headquarters      *string  `json:"headquarters"`
	Datacenters       []string `json:"datacenters"`
}

// providers is row 158.
func (s *server) providers(w http.ResponseWriter, _ *http.Request) {
	shown := []wireProvider{}
	for _, provider := range s.Catalog().Providers() {
		shown = append(shown, wireProvider{
			Name:              provider.Name,
			Slug:              provider.Slug,
			PrivacyPolicyURL:  stated(provider.PrivacyPolicyURL),
			TermsOfServiceURL: stated(provider.TermsOfServiceURL),
			StatusPageURL:     stated(provider.StatusPageURL),
			Headquarters:      stated(provider.Headquarters),
			Datacenters:       provider.Datacenters,
		})
	}
	reply(w, http.StatusOK, data[[]wireProvider]{shown})
}

// parameters tells which parameters a model takes, at one provider if the query names
// it (by slug or by name). It is gone from OpenRouter's description of its API, and
// old clients still ask.
func (s *server) parameters(w http.ResponseWriter, r *http.Request) {
	found, ok := s.lookUp(w, r.PathValue("id"))
	if !ok {
		return
	}
	type parameters struct {
		Model               string   `json:"model"`
		SupportedParameters []string `json:"supported_parameters"`
	}
	answer := parameters{found.shown.ID, found.shown.SupportedParameters}
	if wanted := r.URL.Query().Get("provider"); wanted != "" {
		var served []string
		for _, endpoint := range found.endpoints() {
			if endpoint.Provider.Slug == wanted || endpoint.Provider.Name == wanted {
				served = append(served, endpoint.Parameters()...)
			}
		}
		answer.SupportedParameters = distinct(served)
	}
	reply(w, http.StatusOK, data[parameters]{answer})
}
