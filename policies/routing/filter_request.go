package routing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/policies/catalog"
)

// outputFilter drops models that make something else than the API endpoint of the
// request is for (row 146).
var outputFilter = filter{
	step: "Filter by Output Modality", field: "model", code: codeWrongEndpoint,
	hint:   "Send the request to the API endpoint that is for such models.",
	active: func(*scope) bool { return true },
	refuse: func(s *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		return Reason{words: "makes no %s", text: s.output()}, !catalog.Makes(e.Model, e.Provider, s.output())
	},
	message: func(s *scope, left []entry) string {
		model := left[0].endpoint.Model
		return fmt.Sprintf("%s makes no %s. Send the request to %s.", model.ID, s.output(), apiOf(model.OutputModalities))
	},
}

func (s *scope) output() string {
	if s.request.OutputModality == "" {
		return "text"
	}
	return s.request.OutputModality
}

// apiOf is where models of these modalities are served (spec section 1.1).
func apiOf(modalities []string) string {
	for _, modality := range modalities {
		switch modality {
		case "text":
			return "/chat/completions"
		case "embeddings", "rerank":
			return "/" + modality
		case "image":
			return "/images/generations"
		case "audio", "speech":
			return "/audio/speech"
		case "transcription":
			return "/audio/transcriptions"
		case "video":
			return "/videos"
		}
	}
	return "/chat/completions"
}

// toolFilter is hard, as the live API has it, though its documents say otherwise
// (rows 54 and 55).
var toolFilter = filter{
	step: "Filter by Tool Compatibility", field: "tools", code: codeConstraint,
	hint:   "Leave out tools, or choose another model.",
	active: func(s *scope) bool { return s.request.Tools },
	refuse: func(_ *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		return Reason{words: "takes no tools"}, !takes(e, "tools")
	},
	message: func(s *scope, _ []entry) string {
		if s.request.ToolName == "" {
			return "No endpoints found that support tool use. Leave out `tools`, or choose another model."
		}
		return fmt.Sprintf("No endpoints found that support tool use. Try disabling %q.", s.request.ToolName)
	},
}

func takes(e *catalog.Endpoint, parameter string) bool {
	return slices.Contains(e.Parameters(), parameter)
}

// toolChoiceFilter: a choice that forces or forbids a call must not get lost.
var toolChoiceFilter = filter{
	step: "Filter by Tool Choice", field: "tool_choice", code: codeConstraint,
	hint: "Leave out tool_choice, or ask for auto.",
	active: func(s *scope) bool {
		return s.request.Tools && s.request.ToolChoice != "" && s.request.ToolChoice != "auto"
	},
	refuse: func(_ *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		return Reason{words: "takes no tool_choice"}, !takes(e, "tool_choice")
	},
	message: saying("No endpoints found that support the provided 'tool_choice' value. Leave it out, or ask for auto."),
}

// webSearchFilter leaves a model that is to search the web the endpoints that can: an
// answer that has not searched must not pass for one that has (row 73).
var webSearchFilter = filter{
	step: "Filter by Web Search", field: "plugins", code: codeConstraint,
	hint:   "Leave out the web plugin or :online, or choose a model that searches the web.",
	active: func(s *scope) bool { return s.request.Preferences.Web || s.online() },
	refuse: func(s *scope, e *catalog.Endpoint, v variant) (Reason, bool) {
		return Reason{words: "takes no " + searchOptions}, s.searches(v) &&
			(!takes(e, searchOptions) || slices.Contains(e.Provider.RefusedFields, searchOptions))
	},
	message: saying("No endpoints found that can search the web. Leave out the web plugin or :online, or choose another model."),
}

const searchOptions = "web_search_options"

// searches reports whether a model in a variant is to search the web.
func (s *scope) searches(v variant) bool { return s.request.Preferences.Web || v.web }

// online reports whether an id may ask for a search. Which ones do is known when they
// are resolved; a model of its own may have such an id.
func (s *scope) online() bool {
	isOnline := func(id string) bool { return strings.Contains(id, ":online") }
	return isOnline(s.request.Model) || isOnline(s.options.DefaultModel) || slices.ContainsFunc(s.request.Models, isOnline)
}

// inputFilter drops endpoints of models that cannot read one kind of input (row 58), which
// the gateway does not read for them either (row 121).
func inputFilter(modality, step string) filter {
	return filter{
		step: step, field: "messages", code: codeConstraint,
		hint:   "Leave the " + modality + " out, or choose a model that reads it.",
		active: func(s *scope) bool { return slices.Contains(s.request.InputModalities, modality) },
		refuse: func(s *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
			return Reason{words: "takes no %s input", text: modality}, !slices.Contains(e.Model.InputModalities, modality) &&
				(modality != "file" || s.request.FilesAsText == nil || !s.request.FilesAsText())
		},
		message: saying("No endpoints found that support " + modality + " input"),
	}
}

// responseFormatFilter and verbosityFilter make an endpoint that honours the
// parameter come before one that does not, but the request is served either way
// (row 56).
var responseFormatFilter = filter{
	step: "Filter by Response Format", field: "response_format", code: codeConstraint, soft: true,
	active: func(s *scope) bool { return s.request.ResponseFormat != "" },
	refuse: func(s *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		return Reason{words: "takes no %s", text: s.request.ResponseFormat}, !e.Formats(s.request.ResponseFormat)
	},
}

var verbosityFilter = filter{
	step: "Filter by Verbosity", field: "verbosity", code: codeConstraint, soft: true,
	active: func(s *scope) bool { return slices.Contains(s.request.Parameters, "verbosity") },
	refuse: func(_ *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		return Reason{words: "takes no verbosity"}, !takes(e, "verbosity")
	},
}

// parameterFilter holds an endpoint to every parameter given (row 19).
var parameterFilter = filter{
	step: "Filter by Parameters", field: "provider.require_parameters", code: codeConstraint, excludedBy: "require_parameters",
	hint:   "Leave out provider.require_parameters, or the parameters that no endpoint takes.",
	active: func(s *scope) bool { return s.request.Preferences.RequireParameters },
	refuse: func(s *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		for _, parameter := range s.request.Parameters {
			if !s.handles(e, parameter) {
				if parameter == "response_format" {
					parameter = s.request.ResponseFormat
				}
				return Reason{words: "takes no %s", text: parameter}, true
			}
		}
		return Reason{}, false
	},
	message: func(s *scope, left []entry) string {
		return fmt.Sprintf("No endpoints found that can handle the requested parameters: %s. Leave out some of them, or provider.require_parameters.",
			strings.Join(s.unhandled(left), ", "))
	},
}

// handles reports whether an endpoint takes a parameter of the request as it is.
func (s *scope) handles(e *catalog.Endpoint, parameter string) bool {
	if parameter == "response_format" { // of which text needs none
		return e.Formats(s.request.ResponseFormat)
	}
	return takes(e, parameter)
}

// unhandled are the parameters that none of the endpoints takes. If there is none, it is
// the combination that no endpoint takes, and they are all that any of them lacks.
func (s *scope) unhandled(left []entry) []string {
	var nowhere, somewhere []string
	for _, parameter := range s.request.Parameters {
		lacking := 0
		for i := range left {
			if !s.handles(left[i].endpoint, parameter) {
				lacking++
			}
		}
		if lacking == len(left) {
			nowhere = append(nowhere, parameter)
		} else if lacking > 0 {
			somewhere = append(somewhere, parameter)
		}
	}
	if nowhere == nil {
		return somewhere
	}
	return nowhere
}
