// Command generate compiles config.proto to config.pb.go and to the JSON Schema
// config.schema.json, without protoc or any other program: protocompile parses,
// protoc-gen-go runs as a library, and buf/validate/validate.proto comes from
// the descriptors linked into this binary.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	_ "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"google.golang.org/protobuf/cmd/protoc-gen-go/internal_gengo"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// root is the repository, seen from this directory, and source the schema in it.
const (
	root   = "../../../.."
	source = "policies/config/configpb/config.proto"
)

func main() {
	if err := run(context.Background()); err != nil {
		slog.Error("generate", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	file, err := compile(ctx)
	if err != nil {
		return err
	}
	if err := writeGo(file); err != nil {
		return err
	}
	return writeSchema(file)
}

// compile parses and links the schema, keeping its comments. Its imports are
// found in the registry that Go's generated code fills.
func compile(ctx context.Context) (linker.File, error) {
	linked := protocompile.ResolverFunc(func(path string) (protocompile.SearchResult, error) {
		descriptor, err := protoregistry.GlobalFiles.FindFileByPath(path)
		return protocompile.SearchResult{Desc: descriptor}, err
	})
	compiler := protocompile.Compiler{
		Resolver:       protocompile.CompositeResolver{&protocompile.SourceResolver{ImportPaths: []string{root}}, linked},
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := compiler.Compile(ctx, source)
	if err != nil {
		return nil, err
	}
	return files[0], nil
}

// writeGo runs protoc-gen-go.
func writeGo(file linker.File) error {
	parameter := "paths=source_relative"
	plugin, err := protogen.Options{}.New(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{source},
		Parameter:      &parameter,
		ProtoFile:      withImports(file, map[string]bool{}),
	})
	if err != nil {
		return err
	}
	for _, generated := range plugin.Files {
		if generated.Generate {
			internal_gengo.GenerateFile(plugin, generated)
		}
	}
	response := plugin.Response()
	if response.Error != nil {
		return fmt.Errorf("protoc-gen-go: %s", *response.Error)
	}
	for _, output := range response.File {
		if err := os.WriteFile(filepath.Join(root, output.GetName()), []byte(output.GetContent()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// withImports lists the file after everything it imports, as plugins expect.
func withImports(file protoreflect.FileDescriptor, seen map[string]bool) []*descriptorpb.FileDescriptorProto {
	if seen[file.Path()] {
		return nil
	}
	seen[file.Path()] = true
	var all []*descriptorpb.FileDescriptorProto
	imports := file.Imports()
	for i := range imports.Len() {
		all = append(all, withImports(imports.Get(i).FileDescriptor, seen)...)
	}
	return append(all, protodesc.ToFileDescriptorProto(file))
}
