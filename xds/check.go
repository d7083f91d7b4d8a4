package xds

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
)

// reference is one resource's mention of another.
type reference struct {
	typ  resource.Type
	name string
}

// check follows every reference between resources. Envoy takes a route to a
// missing cluster, or a listener whose secret never comes, without a word; the
// cache's own consistency check does not see these either.
func check(byType map[resource.Type][]types.Resource) error {
	// The processor's cluster is in the bootstrap.
	present := map[reference]bool{{resource.ClusterType, ClusterProcessor}: true}
	var errs []error
	for _, typ := range resourceTypes() {
		for _, r := range byType[typ] {
			self := reference{typ, cache.GetResourceName(r)}
			if present[self] {
				errs = append(errs, fmt.Errorf("%s %q: the name is taken", typ, self.name))
			}
			present[self] = true
		}
	}
	for _, typ := range resourceTypes() {
		for _, r := range byType[typ] {
			references, err := referencesOf(r)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s %q: %w", typ, cache.GetResourceName(r), err))
			}
			for _, to := range references {
				if !present[to] {
					errs = append(errs, fmt.Errorf("%s %q refers to %s %q, which does not exist",
						typ, cache.GetResourceName(r), to.typ, to.name))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// referencesOf walks the resource and everything packed inside it.
func referencesOf(r types.Resource) ([]reference, error) {
	var found []reference
	err := protorange.Range(r.ProtoReflect(), func(values protopath.Values) error {
		message, ok := values.Index(-1).Value.Interface().(protoreflect.Message)
		if !ok {
			return nil
		}
		switch m := message.Interface().(type) {
		case *route.RouteAction:
			if m.GetCluster() != "" { // cluster_header names none
				found = append(found, reference{resource.ClusterType, m.GetCluster()})
			}
		case *hcm.Rds:
			found = append(found, reference{resource.RouteType, m.GetRouteConfigName()})
		case *tls.SdsSecretConfig:
			found = append(found, reference{resource.SecretType, m.GetName()})
		case *core.EnvoyInternalAddress:
			found = append(found, reference{resource.ListenerType, m.GetServerListenerName()})
		case *core.GrpcService_EnvoyGrpc:
			found = append(found, reference{resource.ClusterType, m.GetClusterName()})
		}
		return nil
	})
	return found, err
}
