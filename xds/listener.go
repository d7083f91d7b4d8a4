package xds

import (
	"google.golang.org/protobuf/types/known/wrapperspb"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"github.com/envoyproxy/go-control-plane/pkg/wellknown"
)

// connectionBufferBytes is how much Envoy buffers per connection and direction
// before it stops reading from the other side. Small, because back-pressure
// from a slow client reaches the provider only once the buffers on the way are
// full, and every open stream may fill them. What a retry replays is kept by
// the route's own, larger limit.
const connectionBufferBytes = 128 << 10

// ingressListener is what clients connect to.
func (p *packer) ingressListener(in Inputs) *listener.Listener {
	chain := &listener.FilterChain{
		Filters: []*listener.Filter{{
			Name:       wellknown.HTTPConnectionManager,
			ConfigType: &listener.Filter_TypedConfig{TypedConfig: p.pack(p.ingressManager(in))},
		}},
	}
	if in.TLS != nil {
		chain.TransportSocket = p.ingressTLS(in.TLS.MinVersion)
	}
	return &listener.Listener{
		Name: ListenerIngress,
		// Inbound, so that draining can close this listener and leave the
		// internal one to the failovers of requests in flight.
		TrafficDirection:              core.TrafficDirection_INBOUND,
		Address:                       socketAddress(in.Listen.Host, in.Listen.Port),
		EnableReusePort:               wrapperspb.Bool(in.ReusePort),
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(connectionBufferBytes),
		FilterChains:                  []*listener.FilterChain{chain},
	}
}

// attemptListener is reached only from inside the same Envoy, in memory. It
// depends on nothing but the choice of access logs, so no reload drains it.
func (p *packer) attemptListener(in Inputs) *listener.Listener {
	return &listener.Listener{
		Name:              ListenerAttempt,
		ListenerSpecifier: &listener.Listener_InternalListener{InternalListener: &listener.Listener_InternalListenerConfig{}},
		// The client's own connection is counted already.
		IgnoreGlobalConnLimit:         true,
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(connectionBufferBytes),
		FilterChains: []*listener.FilterChain{{
			Filters: []*listener.Filter{{
				Name:       wellknown.HTTPConnectionManager,
				ConfigType: &listener.Filter_TypedConfig{TypedConfig: p.pack(p.attemptManager(in))},
			}},
		}},
	}
}

func socketAddress(host string, port uint32) *core.Address {
	return &core.Address{Address: &core.Address_SocketAddress{SocketAddress: &core.SocketAddress{
		Address:       host,
		PortSpecifier: &core.SocketAddress_PortValue{PortValue: port},
	}}}
}
