package main

import (
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/config"
	"github.com/switchyard/switchyard/policies/health"
)

// Clients can make up models where a provider serves any.
func TestOtherGatewaysHearOfTheCatalogAlone(t *testing.T) {
	effective, err := config.Load(writeFile(t, strings.Replace(working, "{dialect", "{any_model: true, dialect", 1)), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	current, err := newGeneration(effective, "/run/switchyard/api.sock")
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{health: health.New(health.Options{})}
	g.current.Store(current)
	now := time.Now()
	for _, id := range []string{"local/m|local", "local/made-up|local"} {
		g.health.Record(health.Sample{EndpointID: id, Now: now})
	}
	there := health.New(health.Options{})
	if err := there.Import("here", exchanger{g.health, g}.Export(now), now); err != nil {
		t.Fatal(err)
	}
	if got := there.Summary("local/m|local", now).Requests.Last5m; got != 1 {
		t.Errorf("%d attempts of the catalog's model are told, want 1", got)
	}
	if got := there.Summary("local/made-up|local", now).Requests.Last5m; got != 0 {
		t.Errorf("%d attempts of a model that was made up are told, want none", got)
	}
}
