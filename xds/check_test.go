package xds

import (
	"slices"
	"strings"
	"testing"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
)

// TestEveryReferenceIsChecked takes one resource away at a time. A reference
// that the check did not follow would let the snapshot pass.
func TestEveryReferenceIsChecked(t *testing.T) {
	t.Parallel()
	in := with(func(in *Inputs) { in.TLS = &ServerTLS{CertificatePEM: []byte("a"), KeyPEM: []byte("b")} })
	for _, test := range []struct {
		typ           resource.Type
		missing, from string
	}{
		{resource.ClusterType, ListenerAttempt, "route"},
		{resource.ClusterType, ClusterAPI, "route"},
		{resource.ListenerType, ListenerAttempt, "cluster"},
		{resource.RouteType, ListenerIngress, "listener"},
		{resource.RouteType, ListenerAttempt, "listener"},
		{resource.SecretType, secretIngress, "listener"},
	} {
		resources := build(t, in)
		resources[test.typ] = slices.DeleteFunc(resources[test.typ], func(r types.Resource) bool {
			return r.(interface{ GetName() string }).GetName() == test.missing
		})
		err := check(resources)
		want := test.typ + ` "` + test.missing + `", which does not exist`
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s %q: %v", test.typ, test.missing, err)
		}
	}
	if err := check(build(t, in)); err != nil {
		t.Errorf("a whole snapshot: %v", err)
	}
}

func TestDoubleNamesAreFound(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"openai", ClusterProcessor} {
		resources := build(t, minimal())
		resources[resource.ClusterType] = append(resources[resource.ClusterType], &cluster.Cluster{Name: name})
		if err := check(resources); err == nil || !strings.Contains(err.Error(), `"`+name+`": the name is taken`) {
			t.Errorf("a second cluster %q: %v", name, err)
		}
	}
}

// build returns the resources of a snapshot as check sees them.
func build(t *testing.T, in Inputs) map[resource.Type][]types.Resource {
	t.Helper()
	snapshot, err := Build(in)
	if err != nil {
		t.Fatal(err)
	}
	resources := make(map[resource.Type][]types.Resource)
	for _, typ := range resourceTypes() {
		for _, r := range snapshot.resources.GetResources(typ) {
			resources[typ] = append(resources[typ], r)
		}
	}
	return resources
}
