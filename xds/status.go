package xds

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
)

// Status is a picture of the server at one moment.
type Status struct {
	// Version is what an Envoy gets that connects now; empty before the first
	// Update.
	Version string
	// Acked tells that every connected Envoy had taken Version.
	Acked bool
	// Good is the last version of which that was true.
	Good string
	// Nack is the last refusal, in one line with Envoy's reason; empty once
	// another version is offered.
	Nack string
	// Nodes is the number of connected Envoys; Envoys are these, the one that
	// connected first in front.
	Nodes  int
	Envoys []Node
}

// Nack is an Envoy's refusal of a part of a snapshot.
type Nack struct {
	Version string    // of the snapshot
	Type    string    // cluster, listener, route or secret
	Node    string    // id of the Envoy
	Reason  string    // in Envoy's words
	Time    time.Time // of its arrival
}

// Error makes a refusal an error for WaitAcked.
func (n *Nack) Error() string {
	return fmt.Sprintf("envoy %q refused the %s of configuration %s: %s", n.Node, n.Type, n.Version, n.Reason)
}

// Node is one connected Envoy.
type Node struct {
	ID      string
	Envoy   string // its version, such as 1.40.0
	Since   time.Time
	Current bool              // it holds exactly the served version
	Acked   map[string]string // version last acknowledged, by resource type
}

// ErrSuperseded means that another Update came before all had answered.
var ErrSuperseded = errors.New("a newer configuration took its place")

// Status returns the present state.
func (s *Server) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := Status{Nodes: len(s.subscribers)}
	if s.served != nil {
		status.Version = s.served.version
		status.Acked = s.good == s.served
	}
	if s.good != nil {
		status.Good = s.good.version
	}
	if s.nack != nil {
		status.Nack = s.nack.Error()
	}
	// Stream ids count upwards.
	for _, id := range slices.Sorted(maps.Keys(s.subscribers)) {
		sub := s.subscribers[id]
		node := Node{
			ID:      sub.node.GetId(),
			Envoy:   envoyVersion(sub.node),
			Since:   sub.since,
			Current: s.served != nil && sub.holds(s.served),
			Acked:   make(map[string]string),
		}
		for typ, version := range sub.acked {
			node.Acked[shortType(typ)] = version
		}
		status.Envoys = append(status.Envoys, node)
	}
	return status
}

// WaitAcked returns nil once every connected Envoy, and at least one, holds
// the version: from then on its clusters can be used. It returns a *Nack when
// one refused it, ErrSuperseded when another version is served, and the
// context's error when that is done first.
func (s *Server) WaitAcked(ctx context.Context, version string) error {
	for {
		done, err, changed := s.acked(version)
		if done {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("configuration %s is not acknowledged: %w", version, context.Cause(ctx))
		}
	}
}

func (s *Server) acked(version string) (done bool, err error, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.good != nil && s.good.version == version && s.good == s.served:
		return true, nil, nil
	case s.nack != nil && s.nack.Version == version:
		return true, s.nack, nil
	case s.served == nil || s.served.version != version:
		return true, ErrSuperseded, nil
	}
	return false, nil, s.changed
}

// shortType is the last word of a type URL, in lower case: "cluster" for
// type.googleapis.com/envoy.config.cluster.v3.Cluster.
func shortType(typ resource.Type) string {
	switch typ {
	case resource.ClusterType, resource.ListenerType, resource.RouteType, resource.SecretType:
	default:
		// A metric's label is no place for whatever a peer sends.
		return "other"
	}
	short := strings.ToLower(typ[strings.LastIndexByte(typ, '.')+1:])
	return strings.TrimSuffix(short, "configuration")
}

func envoyVersion(node *core.Node) string {
	version := node.GetUserAgentBuildVersion().GetVersion()
	return fmt.Sprintf("%d.%d.%d", version.GetMajorNumber(), version.GetMinorNumber(), version.GetPatch())
}
