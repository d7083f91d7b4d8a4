package xds

import (
	"context"
	"maps"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
)

// subscriber is one connected Envoy and what it is known to hold.
type subscriber struct {
	node  *core.Node
	since time.Time
	// held has the version of each resource, by type and name, that this Envoy
	// has acknowledged, or brought along when it connected.
	held map[resource.Type]map[string]string
	// sent are the responses without an answer yet, by nonce.
	sent map[string]sentResponse
	// acked is the snapshot version of the last acknowledged response by type.
	acked map[resource.Type]string
}

type sentResponse struct {
	*discovery.DeltaDiscoveryResponse
	offer int // the server's count of offers when it was sent
}

// holds tells whether the Envoy has each resource of the snapshot and no other.
// Comparing resources rather than counting responses needs no assumption about
// which types a change touches.
func (sub *subscriber) holds(snapshot *Snapshot) bool {
	for _, typ := range resourceTypes() {
		if !maps.Equal(sub.held[typ], snapshot.resources.GetVersionMap(typ)) {
			return false
		}
	}
	return true
}

func (s *Server) callbacks() server.Callbacks {
	return server.CallbackFuncs{
		DeltaStreamOpenFunc:     s.opened,
		DeltaStreamClosedFunc:   s.closed,
		StreamDeltaRequestFunc:  s.received,
		StreamDeltaResponseFunc: s.sending,
	}
}

func (s *Server) opened(_ context.Context, id int64, _ string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers[id] = &subscriber{
		since: time.Now(),
		held:  make(map[resource.Type]map[string]string),
		sent:  make(map[string]sentResponse),
		acked: make(map[resource.Type]string),
	}
	return nil
}

func (s *Server) closed(id int64, node *core.Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.subscribers, id)
	s.logger.Info("envoy disconnected from xDS", "node", node.GetId())
	s.settle() // it may have been the last one that was waited for
	s.notify()
}

func (s *Server) sending(id int64, _ *discovery.DeltaDiscoveryRequest, response *discovery.DeltaDiscoveryResponse) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers[id].sent[response.GetNonce()] = sentResponse{response, s.offers}
	typ := shortType(response.GetTypeUrl())
	s.pushed.WithLabelValues(typ, "sent").Add(float64(len(response.GetResources())))
	s.pushed.WithLabelValues(typ, "removed").Add(float64(len(response.GetRemovedResources())))
}

// received follows the delta protocol: a request is a subscription, and, with a
// nonce, the answer to a response at the same time.
func (s *Server) received(id int64, request *discovery.DeltaDiscoveryRequest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub := s.subscribers[id]
	if sub.node == nil && request.GetNode() != nil {
		sub.node = request.GetNode()
		s.logger.Info("envoy connected to xDS", "node", sub.node.GetId(), "envoy", envoyVersion(sub.node))
	}
	typ := request.GetTypeUrl()
	held := sub.held[typ]
	if held == nil {
		held = make(map[string]string)
		sub.held[typ] = held
	}
	// Only the first request of a type after a reconnect carries these.
	maps.Copy(held, request.GetInitialResourceVersions())
	for _, name := range request.GetResourceNamesUnsubscribe() {
		delete(held, name)
	}

	response, answered := sub.sent[request.GetResponseNonce()]
	delete(sub.sent, request.GetResponseNonce())
	switch {
	case !answered: // a change of subscriptions
	case request.GetErrorDetail() != nil:
		s.refused(sub, response, request.GetErrorDetail().GetMessage())
	default:
		for _, r := range response.GetResources() {
			held[r.GetName()] = r.GetVersion()
		}
		for _, name := range response.GetRemovedResources() {
			delete(held, name)
		}
		sub.acked[typ] = response.GetSystemVersionInfo()
	}
	s.settle()
	s.notify()
	return nil
}

// refused records a NACK. What the Envoy holds of the type is then unknown,
// since it applies the good resources of a response that has bad ones. So
// whatever is served next is sent whole: see Snapshot.stamped.
func (s *Server) refused(sub *subscriber, response sentResponse, reason string) {
	s.refusals++
	clear(sub.held[response.GetTypeUrl()])
	nack := &Nack{
		Version: response.GetSystemVersionInfo(),
		Type:    shortType(response.GetTypeUrl()),
		Node:    sub.node.GetId(),
		Reason:  reason,
		Time:    time.Now(),
	}
	s.nacks.WithLabelValues(nack.Type).Inc()
	s.logger.Error("envoy refused the configuration", "version", nack.Version, "type", nack.Type,
		"node", nack.Node, "reason", nack.Reason)
	switch {
	case response.offer != s.offers || nack.Version != s.served.version:
		// The answer crossed a newer offer. What was refused may be in that one
		// too, and would not have been sent again, being unchanged.
		s.offerAgain(s.served)
	case s.good == s.served:
		s.nack = nack // a newcomer's trouble
	default:
		s.nack = nack
		if s.good != nil {
			s.offerAgain(s.good)
		}
	}
}
