package xds

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
)

// everyNode is the cache key of all Envoys: they run the same configuration.
type everyNode struct{}

func (everyNode) ID(*core.Node) string { return "every" }

// Server pushes snapshots over delta ADS to every Envoy that connects, and
// knows which of them have taken what. It is safe for concurrent use.
//
// A snapshot is taken by all or by none. As long as it is pending, one refusal
// withdraws it: the last snapshot that every Envoy had taken is served again,
// both to those connected and to those which connect later. Before there is
// such a snapshot, a refused one stays, so that an Envoy that starts anew can
// try again. Once every connected Envoy has taken a snapshot it is good, and
// the later refusal of a newcomer is that newcomer's trouble: it is logged and
// counted, and changes nothing for the others.
type Server struct {
	logger *slog.Logger
	cache  cache.SnapshotCache
	nacks  *prometheus.CounterVec
	pushed *prometheus.CounterVec

	mu          sync.Mutex
	subscribers map[int64]*subscriber
	served      *Snapshot     // in the cache; nil before the first Update
	good        *Snapshot     // the last one that every connected Envoy had taken
	nack        *Nack         // the last refusal, until another version is offered
	offers      int           // snapshots put into the cache so far
	refusals    int           // NACKs so far
	changed     chan struct{} // closed and replaced whenever something above changes
}

// NewServer returns a server without a snapshot: an Envoy that connects waits
// for the first Update. Its counter is registered with registerer.
func NewServer(logger *slog.Logger, registerer prometheus.Registerer) *Server {
	s := &Server{
		logger: logger,
		cache:  cache.NewSnapshotCache(true, everyNode{}, cacheLogger{logger}),
		nacks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "switchyard_xds_nacks_total",
			Help: "Configuration that an Envoy has refused, by resource type.",
		}, []string{"type"}),
		pushed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "switchyard_xds_pushed_resources_total",
			Help: "Resources sent to or removed from Envoys, by resource type and change.",
		}, []string{"type", "change"}),
		subscribers: make(map[int64]*subscriber),
		changed:     make(chan struct{}),
	}
	registerer.MustRegister(s.nacks, s.pushed)
	// A series that exists from the start makes its first increase visible.
	for _, typ := range resourceTypes() {
		s.nacks.WithLabelValues(shortType(typ))
		s.pushed.WithLabelValues(shortType(typ), "sent")
		s.pushed.WithLabelValues(shortType(typ), "removed")
	}
	return s
}

// Serve answers Envoys on the listener until ctx is done, then returns nil with
// every stream closed. Envoy keeps running on what it has.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	// Envoy pings a connection without traffic; gRPC's default takes that for an
	// attack and closes the connection.
	grpcServer := grpc.NewServer(grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
		MinTime: 10 * time.Second, PermitWithoutStream: true,
	}))
	discovery.RegisterAggregatedDiscoveryServiceServer(grpcServer, server.NewServer(ctx, s.cache, s.callbacks()))
	stop := context.AfterFunc(ctx, grpcServer.Stop)
	defer stop()
	if err := grpcServer.Serve(listener); err != nil && ctx.Err() == nil {
		return fmt.Errorf("serve xDS: %w", err)
	}
	// AfterFunc may still be at it; Stop waits until every handler is done.
	grpcServer.Stop()
	return nil
}

// Update builds a snapshot and offers it to every Envoy, which is sent only
// those resources that differ. It returns the snapshot's version, to be passed
// to WaitAcked. With an error nothing has changed.
func (s *Server) Update(ctx context.Context, in Inputs) (string, error) {
	snapshot, err := Build(in)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.served != nil && s.served.version == snapshot.version && s.nack == nil {
		return snapshot.version, nil
	}
	s.nack = nil
	if err := s.serve(ctx, snapshot); err != nil {
		return "", err
	}
	s.settle()
	s.notify()
	return snapshot.version, nil
}

// serve puts a snapshot into the cache, which answers the open watches. The
// caller holds the lock. No callback is invoked from here, and the channels
// written to are large enough for a response to every watch of a stream.
func (s *Server) serve(ctx context.Context, snapshot *Snapshot) error {
	if err := s.cache.SetSnapshot(ctx, everyNode{}.ID(nil), snapshot.stamped(s.refusals)); err != nil {
		return fmt.Errorf("publish snapshot %s: %w", snapshot.version, err)
	}
	s.served = snapshot
	s.offers++
	return nil
}

// settle makes the served snapshot the good one when every connected Envoy has
// taken it. The caller holds the lock.
func (s *Server) settle() {
	if s.served == nil || s.good == s.served || len(s.subscribers) == 0 {
		return
	}
	for _, sub := range s.subscribers {
		if !sub.holds(s.served) {
			return
		}
	}
	s.good = s.served
	s.logger.Info("envoy runs the new configuration", "version", s.good.version, "nodes", len(s.subscribers))
}

// offerAgain sends the snapshot whole. The caller holds the lock.
func (s *Server) offerAgain(snapshot *Snapshot) {
	if err := s.serve(context.Background(), snapshot); err != nil {
		s.logger.Error("cannot offer the configuration again", "version", snapshot.version, "error", err)
	}
}

// notify wakes everyone in WaitAcked. The caller holds the lock.
func (s *Server) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// cacheLogger passes the library's messages on. They are about watches, of
// interest when debugging this package only; what matters is logged here.
type cacheLogger struct{ logger *slog.Logger }

func (l cacheLogger) Debugf(format string, args ...any) {}
func (l cacheLogger) Infof(format string, args ...any)  {}
func (l cacheLogger) Warnf(format string, args ...any)  { l.logger.Warn(fmt.Sprintf(format, args...)) }
func (l cacheLogger) Errorf(format string, args ...any) { l.logger.Error(fmt.Sprintf(format, args...)) }
