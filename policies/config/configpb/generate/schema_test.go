package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

const config = root + "/policies/config/"

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile(config + "configpb/config.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("config.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("config.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func check(t *testing.T, schema *jsonschema.Schema, file string) error {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		t.Fatal(err)
	}
	timesToText(&node)
	var document any
	if err := node.Decode(&document); err != nil {
		t.Fatal(err)
	}
	return schema.Validate(document)
}

// timesToText makes text of times, which are none in JSON and in YAML 1.2.
func timesToText(node *yaml.Node) {
	if node.ShortTag() == "!!timestamp" {
		node.Tag = "!!str"
	}
	for _, child := range node.Content {
		timesToText(child)
	}
}

// What the gateway reads, an editor must not underline.
func TestSchemaTakesWhatLoads(t *testing.T) {
	schema := compiled(t)
	files, err := filepath.Glob(config + "testdata/working_*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	files = append(files, config+"example.yaml", config+"presets/providers.yaml", config+"presets/models.yaml")
	for _, file := range files {
		if err := check(t, schema, file); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// Mistakes in one field are seen in the editor already.
func TestSchemaRefusesMistakesInOneField(t *testing.T) {
	schema := compiled(t)
	for _, name := range []string{
		"list_at_top", "unknown_field", "unknown_top_level_field", "bool_word", "number_word", "number_negative",
		"duration_without_unit", "duration_word", "duration_negative", "enum_typo", "enum_long_name", "list_as_text",
		"provider_as_text", "credential_as_text", "credential_two_sources", "credential_no_source",
		"credential_env_is_the_key", "provider_slug_upper_case", "base_url_without_scheme", "base_url_with_password",
		"header_name", "header_value", "model_id_without_author", "model_modality", "endpoint_quantization",
		"price_currency", "key_hash_short", "key_hash_is_the_key", "key_expires_not_in_utc", "listener_body_unit",
		"envoy_concurrency", "routing_stop_on_twice", "telemetry_log_level",
	} {
		if err := check(t, schema, config+"testdata/busted_"+name+".yaml"); err == nil {
			t.Errorf("%s passes", name)
		} else if strings.Contains(err.Error(), "failed to compile") {
			t.Error(err)
		}
	}
}
