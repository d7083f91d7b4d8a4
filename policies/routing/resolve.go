package routing

import (
	"strings"

	"github.com/switchyard/switchyard/policies/catalog"
)

// target is a model that the request asks for, and how.
type target struct {
	model *catalog.Model
	variant
	strategy string
}

// The ways in which an id leads to a model (spec section 4.13).
const (
	strategyDirect   = "direct"
	strategyAlias    = "alias"
	strategyLatest   = "latest"
	strategyFallback = "fallback"
	strategyAuto     = "auto"
	strategyFree     = "free"
)

// resolve finds the models asked for, each of them once, in their order. requested
// is the id that came first.
func (s *scope) resolve() (requested string, err error) {
	if len(s.request.Models) > s.options.MaxFallbackModels {
		return "", &TooManyModelsError{Limit: s.options.MaxFallbackModels}
	}
	requested = s.request.Model
	if requested == "" && len(s.request.Models) == 0 {
		requested = s.options.DefaultModel
	}
	if requested != "" {
		if err := s.add(requested); err != nil {
			return "", err
		}
	}
	for _, id := range s.request.Models {
		if err := s.add(id); err != nil {
			return "", err
		}
	}
	if requested == "" && len(s.request.Models) > 0 {
		requested = s.request.Models[0]
	}
	if requested == "" {
		return "", ErrNoModel
	}
	return requested, nil
}

// add resolves one id; a router's id may lead to several models.
func (s *scope) add(id string) error {
	found, err := s.find(id)
	if err != nil {
		return err
	}
	for _, t := range found {
		if !s.asks(t.model) {
			s.targets = append(s.targets, t)
		}
	}
	return nil
}

// asks reports whether a model is among the targets. By id: models on demand are
// made anew each time.
func (s *scope) asks(model *catalog.Model) bool {
	for i := range s.targets {
		if s.targets[i].model.ID == model.ID {
			return true
		}
	}
	return false
}

// find resolves an id: a configured model, an alias or a router, with any dynamic
// variants behind it, and last a model on demand, whose names may have colons.
func (s *scope) find(id string) ([]target, error) {
	if model, ok := s.catalog.Configured(id); ok {
		return []target{{model: model, strategy: strategyDirect}}, nil
	}
	if model, ok := s.catalog.Alias(id); ok {
		strategy := strategyAlias
		if strings.HasPrefix(id, "~") {
			strategy = strategyLatest
		}
		return []target{{model: model, strategy: strategy}}, nil
	}
	if router := routerOf(id); router != nil {
		return router(s, id)
	}
	if base, suffix, ok := cutVariant(id); ok {
		found, err := s.find(base)
		if err != nil {
			return nil, err
		}
		for i := range found {
			found[i].variant = suffix.over(found[i].variant)
		}
		return found, nil
	}
	if model, ok := s.catalog.Model(id); ok {
		return []target{{model: model, strategy: strategyDirect}}, nil
	}
	return nil, s.unknown(id)
}

// unknown says what is wrong with an id that leads nowhere: the variant, if the
// model without it exists.
func (s *scope) unknown(id string) error {
	if base, ok := strings.CutSuffix(id, ":batch"); ok && s.known(base) {
		return &BatchOnlyError{ID: id}
	}
	if base, ok := strings.CutSuffix(id, ":free"); ok && s.known(base) {
		return &FreeEndedError{ID: id, Paid: base}
	}
	return &UnknownModelError{ID: id}
}

func (s *scope) known(id string) bool {
	_, configured := s.catalog.Configured(id)
	_, alias := s.catalog.Alias(id)
	return configured || alias
}
