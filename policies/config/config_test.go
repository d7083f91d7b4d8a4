package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// Each busted file holds the one mistake that it is named after. What is said
// about it is next to it.
func TestBustedFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/busted_*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			effective, err := Load(file, world())
			if err == nil || effective != nil {
				t.Fatal("loads, but must not")
			}
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("error of type %T", err)
			}
			if len(problems) != 1 && name != "busted_everything" {
				t.Errorf("%d problems for one mistake", len(problems))
			}
			for _, problem := range problems {
				if problem.Line == 0 && name != "busted_empty_file" {
					t.Errorf("no position: %v", problem)
				}
			}
			if strings.Contains(err.Error(), shown) {
				t.Error("a secret is shown")
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", err.Error()+"\n")
		})
	}
}

// Each working file loads. What it means, and what it is warned of, is next to it.
func TestWorkingFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/working_*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			effective, err := Load(file, world())
			if err != nil {
				t.Fatal(err)
			}
			printed := string(Print(effective))
			if strings.Contains(printed, shown) || strings.Contains(effective.Warnings().Error(), shown) {
				t.Error("a secret is shown")
			}
			if filepath.Base(file) == "working_comments_only.yaml" {
				return // all models of the presets
			}
			for _, warning := range effective.Warnings() {
				printed += "# " + warning.String() + "\n"
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", printed)
		})
	}
}

// The file that shows every field is compared with the schema, so that a new
// field is decoded, printed and tested.
func TestFullFileSetsEveryField(t *testing.T) {
	config := load(t, "working_full.yaml").Config()
	set := map[protoreflect.FullName]bool{}
	var visit func(message protoreflect.Message)
	visit = func(message protoreflect.Message) {
		message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
			set[field.FullName()] = true
			switch {
			case field.IsMap() && field.MapValue().Message() != nil:
				value.Map().Range(func(_ protoreflect.MapKey, item protoreflect.Value) bool {
					visit(item.Message())
					return true
				})
			case field.IsList() && field.Message() != nil:
				for i := range value.List().Len() {
					visit(value.List().Get(i).Message())
				}
			case !field.IsMap() && field.Message() != nil:
				visit(value.Message())
			}
			return true
		})
	}
	visit(config.ProtoReflect())
	messages := configpb.File_policies_config_configpb_config_proto.Messages()
	for i := range messages.Len() {
		fields := messages.Get(i).Fields()
		for j := range fields.Len() {
			if name := fields.Get(j).FullName(); !set[name] {
				t.Errorf("testdata/working_full.yaml does not set %s", name)
			}
		}
	}
}

// What Print writes means the same as what was read. Secrets in clear are the
// exception, because they are not printed.
func TestPrintedConfigurationIsReadAgain(t *testing.T) {
	for _, name := range []string{"comments_only", "two_accounts", "model_override", "aliases", "nulls", "own_server", "limits"} {
		t.Run(name, func(t *testing.T) {
			first := load(t, "working_"+name+".yaml")
			second, err := Parse("testdata/printed.yaml", Print(first), world())
			if err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(first.Config(), second.Config()) {
				t.Errorf("printed:\n%s\nread again:\n%s", Print(first), Print(second))
			}
			if first.Generation() != second.Generation() {
				t.Errorf("generation %s, read again %s", first.Generation(), second.Generation())
			}
		})
	}
}

func TestExampleLoads(t *testing.T) {
	effective, err := Load("example.yaml", Options{LookupEnv: environment(map[string]string{
		"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k", "GROQ_API_KEY": "k", "TOGETHER_API_KEY": "k",
	})})
	if err != nil {
		t.Fatal(err)
	}
	if len(effective.Warnings()) > 0 {
		t.Error(effective.Warnings())
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	_, err := Load("testdata/no_such_file.yaml", Options{})
	if err == nil || !strings.Contains(err.Error(), "testdata/no_such_file.yaml: cannot be read: ") {
		t.Errorf("error %v", err)
	}
}

func TestFileThatIsTooLarge(t *testing.T) {
	_, err := Parse("test.yaml", []byte(strings.Repeat("# filler\n", configurationBounds.bytes/9+1)), world())
	if err == nil || !strings.Contains(err.Error(), "at most 4194304 are read") {
		t.Errorf("error %v", err)
	}
}

// Nine aliases of ten each would be a billion values.
func TestAliasesThatMultiply(t *testing.T) {
	var text strings.Builder
	text.WriteString("models:\n")
	for i := range 1000 {
		if i == 0 {
			text.WriteString("  a/0: &m\n    endpoints:\n")
			for j := range 1000 {
				fmt.Fprintf(&text, "      - {provider: openai, model: m%d}\n", j)
			}
			continue
		}
		fmt.Fprintf(&text, "  a/%d: *m\n", i)
	}
	_, err := Parse("test.yaml", []byte(text.String()), world())
	if err == nil || !strings.Contains(err.Error(), "more than 200000 values") {
		t.Errorf("error %.200v", err)
	}
}

func TestAliasOfItself(t *testing.T) {
	_, err := Parse("test.yaml", []byte("providers: &p\n  openai: *p\n"), world())
	if err == nil || !strings.Contains(err.Error(), "unknown field") {
		t.Errorf("error %v", err)
	}
}

func TestOverridesWinOverTheFile(t *testing.T) {
	options := world()
	options.Overrides = &configpb.Config{
		Listener:  &configpb.Listener{Address: "127.0.0.1:9999"},
		Telemetry: &configpb.Telemetry{LogLevel: "debug"},
	}
	effective, err := Parse("test.yaml", []byte("listener: {address: 127.0.0.1:1, max_request_body: 1MiB}\n"), options)
	if err != nil {
		t.Fatal(err)
	}
	config := effective.Config()
	if got := config.GetListener().GetAddress(); got != "127.0.0.1:9999" {
		t.Errorf("address %s", got)
	}
	if got := config.GetTelemetry().GetLogLevel(); got != "debug" {
		t.Errorf("log level %s", got)
	}
	if got := effective.MaxRequestBody(); got != 1<<20 {
		t.Errorf("body %d: what is not overridden must stay", got)
	}
}

// Files are looked for next to the configuration, wherever the gateway runs.
func TestFilesAreRelativeToTheConfiguration(t *testing.T) {
	options := world()
	options.ReadFile = func(name string) ([]byte, error) {
		if name == "/etc/switchyard/secrets/openai" {
			return []byte("sk-1"), nil
		}
		return nil, fmt.Errorf("read %s", name)
	}
	text := "providers: {openai: {credential: {file: secrets/openai}}}\n"
	effective, err := Parse("/etc/switchyard/gateway.yaml", []byte(text), options)
	if err != nil {
		t.Fatal(err)
	}
	if secret, ok := effective.Secret("openai"); !ok || secret.Reveal() != "sk-1" {
		t.Errorf("secret %q %v", secret.Reveal(), ok)
	}
}
