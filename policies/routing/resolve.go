package routing

import (
	"cmp"
	"errors"
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
// is the id that came first. One that exists no more, and a router that finds nothing,
// leave it to the next; an id that never existed is a mistake of the client's (spec
// section 3.2).
func (s *scope) resolve() (requested string, err error) {
	if len(s.request.Models) > s.options.MaxFallbackModels {
		return "", &TooManyModelsError{Limit: s.options.MaxFallbackModels}
	}
	requested = s.request.Model
	if requested == "" && len(s.request.Models) == 0 {
		requested = s.options.DefaultModel
	}
	ids := s.request.Models
	if requested != "" {
		ids = append([]string{requested}, ids...)
	}
	if len(ids) == 0 {
		return "", ErrNoModel
	}
	var ended error // the first id that nobody serves any more
	for _, id := range ids {
		err := s.add(id)
		var unknown *UnknownModelError
		if errors.As(err, &unknown) {
			return "", err
		}
		ended = cmp.Or(ended, err)
	}
	if len(s.targets) == 0 {
		return "", ended
	}
	return ids[0], nil
}

// add resolves one id; a router's id may lead to several models.
func (s *scope) add(id string) error {
	found, err := s.find(id, variant{})
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
// variants behind it, and last a model on demand, whose names may have colons. v is
// what the suffixes ask for that stood behind the id.
func (s *scope) find(id string, v variant) ([]target, error) {
	if model, ok := s.catalog.Configured(id); ok {
		return []target{{model: model, variant: v, strategy: strategyDirect}}, nil
	}
	if model, ok := s.catalog.Alias(id); ok {
		strategy := strategyAlias
		if strings.HasPrefix(id, "~") {
			strategy = strategyLatest
		}
		v.alias = true
		return []target{{model: model, variant: v, strategy: strategy}}, nil
	}
	if router := routerOf(id); router != nil {
		return router(s, id, v)
	}
	if base, suffix, ok := cutVariant(id); ok {
		return s.find(base, v.over(suffix))
	}
	if model, ok := s.catalog.Model(id); ok {
		return []target{{model: model, variant: v, strategy: strategyDirect}}, nil
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
