package api

import (
	"net/http"
	"slices"
)

// wireImageModel and wireVideoModel are what the lists of media models have in place
// of [wireModel]. The catalog knows nothing of sizes and the like: what may be null is
// null, and the capabilities are none.
type wireImageModel struct {
	ID                  string              `json:"id"`
	Name                string              `json:"name"`
	Created             int64               `json:"created"`
	Description         string              `json:"description"`
	Architecture        mediaArchitecture   `json:"architecture"`
	Endpoints           string              `json:"endpoints"`
	SupportedParameters map[string]struct{} `json:"supported_parameters"`
	SupportsStreaming   bool                `json:"supports_streaming"`
}

type mediaArchitecture struct {
	InputModalities  []string `json:"input_modalities"`
	OutputModalities []string `json:"output_modalities"`
}

type wireVideoModel struct {
	ID                           string    `json:"id"`
	CanonicalSlug                string    `json:"canonical_slug"`
	Name                         string    `json:"name"`
	Created                      int64     `json:"created"`
	Description                  string    `json:"description"`
	HuggingFaceID                *string   `json:"hugging_face_id"`
	AllowedPassthroughParameters []string  `json:"allowed_passthrough_parameters"`
	Creativity                   *struct{} `json:"creativity"`
	GenerateAudio                *struct{} `json:"generate_audio"`
	Seed                         *struct{} `json:"seed"`
	SupportedAspectRatios        *struct{} `json:"supported_aspect_ratios"`
	SupportedDurations           *struct{} `json:"supported_durations"`
	SupportedFrameImages         *struct{} `json:"supported_frame_images"`
	SupportedResolutions         *struct{} `json:"supported_resolutions"`
	SupportedSizes               *struct{} `json:"supported_sizes"`
	UpscaleFactor                *struct{} `json:"upscale_factor"`
}

func (s *server) imageModels(w http.ResponseWriter, _ *http.Request) {
	models := []wireImageModel{}
	for e := range s.making("image") {
		models = append(models, wireImageModel{
			ID: e.ID, Name: e.Name, Created: e.Created, Description: e.Description,
			Architecture:        mediaArchitecture{e.Architecture.InputModalities, e.Architecture.OutputModalities},
			Endpoints:           e.Links.Details,
			SupportedParameters: map[string]struct{}{},
		})
	}
	reply(w, http.StatusOK, data[[]wireImageModel]{models})
}

func (s *server) videoModels(w http.ResponseWriter, _ *http.Request) {
	models := []wireVideoModel{}
	for e := range s.making("video") {
		models = append(models, wireVideoModel{
			ID: e.ID, CanonicalSlug: e.CanonicalSlug, Name: e.Name, Created: e.Created, Description: e.Description,
			HuggingFaceID: e.HuggingFaceID, AllowedPassthroughParameters: []string{},
		})
	}
	reply(w, http.StatusOK, data[[]wireVideoModel]{models})
}

// making yields the models that make an output.
func (s *server) making(output string) func(yield func(*wireModel) bool) {
	return func(yield func(*wireModel) bool) {
		for _, e := range s.listing().entries {
			if slices.Contains(e.shown.Architecture.OutputModalities, output) && !yield(&e.shown) {
				return
			}
		}
	}
}
