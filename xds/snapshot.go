package xds

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
)

// Snapshot is one complete, checked set of Envoy resources. It is immutable.
type Snapshot struct {
	version   string
	resources *cache.Snapshot
}

// Version is a hash of the content: the same configuration has the same
// version in every process of this build, so that a restart pushes nothing.
func (s *Snapshot) Version() string { return s.version }

// resourceTypes are the types a snapshot holds, in the order in which Envoy has
// to hear of them: what is referred to comes before what refers.
func resourceTypes() []resource.Type {
	return []resource.Type{resource.ClusterType, resource.SecretType, resource.ListenerType, resource.RouteType}
}

// Build turns inputs into a snapshot. It is pure: no disk, no clock, no
// network. The error names every wrong field. A snapshot it returns has passed
// Envoy's own field rules and the reference check of this package.
func Build(in Inputs) (*Snapshot, error) {
	if err := in.validate(); err != nil {
		return nil, err
	}
	in = in.withDefaults()

	p := new(packer)
	byType := map[resource.Type][]types.Resource{
		resource.ClusterType:  p.clusters(in),
		resource.ListenerType: {p.ingressListener(in), p.attemptListener(in)},
		// Routes are resources of their own, since a changed route replaces
		// nothing, while a changed listener drains every connection it has.
		resource.RouteType: {ingressRoutes(in), attemptRoutes()},
	}
	// A secret of its own, for the same reason: a renewed certificate applies
	// to new connections and leaves the listener alone.
	if in.TLS != nil {
		byType[resource.SecretType] = []types.Resource{ingressSecret(*in.TLS)}
	}
	for _, typ := range resourceTypes() {
		for _, r := range byType[typ] {
			p.validate(r)
		}
	}
	if p.err != nil {
		return nil, p.err
	}
	if err := check(byType); err != nil {
		return nil, err
	}
	version, err := contentHash(byType)
	if err != nil {
		return nil, err
	}
	resources, err := cache.NewSnapshot(version, byType)
	if err != nil {
		return nil, fmt.Errorf("assemble snapshot: %w", err)
	}
	// The cache would do this on first use, under its own lock; done here, the
	// snapshot is immutable from the start.
	if err := resources.ConstructVersionMap(); err != nil {
		return nil, fmt.Errorf("hash resources: %w", err)
	}
	return &Snapshot{version: version, resources: resources}, nil
}

// stamped returns the resources with versions which no Envoy has seen if any
// configuration was refused before. The delta protocol tracks what was sent,
// not what was taken: without this, a resource whose response was refused
// would be thought delivered, and never be sent again. Envoy compares content,
// so that what it already has is not touched.
func (s *Snapshot) stamped(refusals int) *cache.Snapshot {
	if refusals == 0 {
		return s.resources
	}
	stamped := *s.resources
	stamped.VersionMap = make(map[string]map[string]string, len(s.resources.VersionMap))
	for typ, versions := range s.resources.VersionMap {
		stamped.VersionMap[typ] = make(map[string]string, len(versions))
		for name, version := range versions {
			stamped.VersionMap[typ][name] = version + "-" + strconv.Itoa(refusals)
		}
	}
	return &stamped
}

// contentHash covers type, name and bytes of every resource, in an order which
// does not depend on the order of the inputs.
func contentHash(byType map[resource.Type][]types.Resource) (string, error) {
	hash := sha256.New()
	write := func(field []byte) {
		// Lengths keep neighbouring fields apart.
		hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(field))))
		hash.Write(field)
	}
	for _, typ := range resourceTypes() {
		named := cache.IndexRawResourcesByName(byType[typ])
		for _, name := range slices.Sorted(maps.Keys(named)) {
			content, err := cache.MarshalResource(named[name])
			if err != nil {
				return "", fmt.Errorf("marshal %s %q: %w", typ, name, err)
			}
			write([]byte(typ))
			write([]byte(name))
			write(content)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)[:8]), nil
}
