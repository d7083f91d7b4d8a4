package envoy

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	overloadv3 "github.com/envoyproxy/go-control-plane/envoy/config/overload/v3"
	downstreamv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3"
	heapv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/fixed_heap/v3"
)

// overloadManager makes Envoy refuse clients rather than die with all of them.
// Connections over the limit are closed at once. As the heap fills, memory is
// first given back to the system, then new requests are answered 503; those in
// flight go on.
func overloadManager(limits limits) (*overloadv3.OverloadManager, error) {
	manager := &overloadv3.OverloadManager{RefreshInterval: durationpb.New(250 * time.Millisecond)}
	monitor := func(name string, config proto.Message) error {
		packed, err := packed(config)
		if err != nil {
			return err
		}
		manager.ResourceMonitors = append(manager.ResourceMonitors, &overloadv3.ResourceMonitor{
			Name: name, ConfigType: &overloadv3.ResourceMonitor_TypedConfig{TypedConfig: packed},
		})
		return nil
	}
	err := monitor("envoy.resource_monitors.global_downstream_max_connections", &downstreamv3.DownstreamConnectionsConfig{
		MaxActiveDownstreamConnections: int64(limits.connections), //nolint:gosec // at most mostConnections
	})
	if err != nil || limits.heap == 0 {
		return manager, err
	}
	const heap = "envoy.resource_monitors.fixed_heap"
	if err := monitor(heap, &heapv3.FixedHeapConfig{MaxHeapSizeBytes: limits.heap}); err != nil {
		return nil, err
	}
	for _, action := range []struct {
		name      string
		threshold float64 // share of the limit
	}{
		{"envoy.overload_actions.shrink_heap", 0.90},
		{"envoy.overload_actions.stop_accepting_requests", 0.95},
	} {
		manager.Actions = append(manager.Actions, &overloadv3.OverloadAction{
			Name: action.name,
			Triggers: []*overloadv3.Trigger{{
				Name:         heap,
				TriggerOneof: &overloadv3.Trigger_Threshold{Threshold: &overloadv3.ThresholdTrigger{Value: action.threshold}},
			}},
		})
	}
	return manager, nil
}
