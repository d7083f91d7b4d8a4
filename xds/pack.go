package xds

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

// packer puts extension configurations into Any. It keeps the first error, as
// bufio.Writer does, so that builders read as the configuration they build;
// Build looks at it once.
type packer struct{ err error }

// validator is what protoc-gen-validate generates for Envoy's API. Validate of
// an outer message does not look into Any, so each is asked when packed.
type validator interface{ ValidateAll() error }

func (p *packer) pack(message proto.Message) *anypb.Any {
	p.validate(message)
	packed := new(anypb.Any)
	// Maps would otherwise be written in random order, and every build would
	// look like a change.
	if err := anypb.MarshalFrom(packed, message, proto.MarshalOptions{Deterministic: true}); err != nil && p.err == nil {
		p.err = fmt.Errorf("pack %s: %w", message.ProtoReflect().Descriptor().FullName(), err)
	}
	return packed
}

func (p *packer) validate(message proto.Message) {
	if v, ok := message.(validator); ok && p.err == nil {
		if err := v.ValidateAll(); err != nil {
			p.err = fmt.Errorf("validate %s: %w", message.ProtoReflect().Descriptor().FullName(), err)
		}
	}
}

func (p *packer) extension(name string, message proto.Message) *core.TypedExtensionConfig {
	return &core.TypedExtensionConfig{Name: name, TypedConfig: p.pack(message)}
}
