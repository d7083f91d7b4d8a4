package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/policies/config"
	"github.com/switchyard/switchyard/policies/identity"
)

// execute runs a command line and returns what it printed.
func execute(t *testing.T, arguments ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := command()
	root.SetArgs(arguments)
	root.SetOut(&out)
	root.SetErr(&out)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "switchyard.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const working = `
providers:
  local: {dialect: openai, base_url: "http://127.0.0.1:1/v1", credential: {value: sk-very-secret}}
models:
  local/m: {endpoints: [{provider: local}]}
`

func TestCheckAcceptsAWorkingFile(t *testing.T) {
	out, err := execute(t, "check", "--config", writeFile(t, working))
	if err != nil || !strings.Contains(out, "ok: 1 providers, 1 models") {
		t.Errorf("check: %v\n%s", err, out)
	}
}

func TestCheckNamesEveryMistake(t *testing.T) {
	_, err := execute(t, "check", "--config", writeFile(t, working+"nonsense: 1\nlimits: {requests: -1}\n"))
	var problems config.Problems
	if !errors.As(err, &problems) || len(problems) != 2 {
		t.Errorf("check: %v, want two problems", err)
	}
}

func TestPrintShowsNoSecret(t *testing.T) {
	out, err := execute(t, "config", "print", "--config", writeFile(t, working))
	if err != nil || strings.Contains(out, "sk-very-secret") || !strings.Contains(out, "local/m") {
		t.Errorf("config print: %v\n%s", err, out)
	}
}

func TestCreatedKeyFitsItsHash(t *testing.T) {
	out, err := execute(t, "keys", "create", "alice")
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`sk-sy-v1-[0-9a-f]{64}`).FindString(out)
	if key == "" || !strings.Contains(out, identity.Hash(key)) {
		t.Errorf("keys create: %s", out)
	}
}

func TestWrongCommandLinesAreTheCallers(t *testing.T) {
	for _, arguments := range [][]string{
		{"run", "--envoy", "nowhere"},
		{"run", "--envoy", "external"},
		{"run", "--no-such-flag"},
		{"envoy", "bootstrap"},
	} {
		if _, err := execute(t, arguments...); !errors.Is(err, errUsage) {
			t.Errorf("%v: %v, want a usage error", arguments, err)
		}
	}
}

// The gateway is not asked for what it would refuse.
func TestAmountsOnTheCommandLine(t *testing.T) {
	t.Setenv(managementVariable, "k")
	t.Setenv(apiVariable, "http://127.0.0.1:1")
	for _, arguments := range [][]string{
		{"keys", "add", "k", "--limit", "1e30"}, {"keys", "add", "k", "--limit=-1"}, {"keys", "add", "k", "--limit", "NaN"}, {"keys", "add", "k", "--limit", "0.0000000001"},
		{"credits", "add", "1e30"}, {"credits", "add", "Infinity"}, {"credits", "add", "0.0000000000001"},
	} {
		_, err := execute(t, arguments...)
		if amount := arguments[len(arguments)-1]; !errors.Is(err, errUsage) || !strings.Contains(err.Error(), strings.TrimPrefix(amount, "--limit=")) {
			t.Errorf("%v: %v", arguments, err)
		}
	}
}

func TestLocalKeyIsMadeOnceAndPrivate(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "state")
	first, err := localKey(directory)
	if err != nil {
		t.Fatal(err)
	}
	again, err := localKey(directory)
	if err != nil || again.GetHash() != first.GetHash() {
		t.Errorf("the second run has another key: %v", err)
	}
	info, err := os.Stat(filepath.Join(directory, "key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file is %v, %v; want only its owner to read it", info.Mode(), err)
	}
}

const routed = `
policy: {jurisdictions: [US]}
providers:
  local: {dialect: openai, base_url: "http://127.0.0.1:1/v1", headquarters: US}
  deepinfra: {tier: 1, credential: {value: sk-very-secret}}
models_from_presets: none
models:
  meta-llama/llama-3.3-70b-instruct:
    endpoints: [{provider: local, quantization: bf16}, {provider: deepinfra}]
presets: {terse: {system_prompt: Be brief., config: {provider: {ignore: [local]}}}}
aliases: {"~meta-llama/llama-latest": meta-llama/llama-3.3-70b-instruct}
`

// explain writes a request to a file and has it explained.
func explain(t *testing.T, request string) (string, error) {
	t.Helper()
	return execute(t, "explain", "--state-dir", t.TempDir(), "--config", writeFile(t, routed), writeFile(t, request))
}

func TestExplainShowsTheOrderAndWhatIsLeftOut(t *testing.T) {
	out, err := explain(t, `{"model":"~meta-llama/llama-latest","messages":[{"role":"user","content":"hi"}]}`)
	first, second := strings.Index(out, "1  meta-llama/llama-3.3-70b-instruct  local"), strings.Index(out, "2  meta-llama/llama-3.3-70b-instruct  deepinfra")
	if err != nil || first < 0 || second < first {
		t.Errorf("explain: %v\n%s", err, out)
	}
	// Prices that are not set here are the catalog's.
	if !regexp.MustCompile(`deepinfra +0\.23 +0\.4`).MatchString(out) {
		t.Errorf("deepinfra has not the catalog's price:\n%s", out)
	}
	out, err = explain(t, `{"model":"meta-llama/llama-3.3-70b-instruct@preset/terse","messages":[{"role":"user","content":"hi"}]}`)
	if err != nil || !strings.Contains(out, "llama-3.3-70b-instruct|local  Filter by Allowed Providers") {
		t.Errorf("explain with a preset: %v\n%s", err, out)
	}
}

func TestRow59ExplainShowsTheFunnelOfWhatNobodyServes(t *testing.T) {
	out, err := explain(t, `{"model":"meta-llama/llama-3.3-70b-instruct","messages":[{"role":"user","content":"hi"}],"provider":{"quantizations":["fp4"]}}`)
	if err == nil || !strings.Contains(err.Error(), "quantization") || !strings.Contains(out, "0  Filter by Quantization") {
		t.Errorf("explain: %v\n%s", err, out)
	}
	if _, err = explain(t, `{"model":"no/such","messages":[{"role":"user","content":"hi"}]}`); err == nil || err.Error() != "no/such is not a valid model ID" {
		t.Errorf("explain of an unknown model: %v", err)
	}
}

// The README's request can be planned with the README's configuration below it.
func TestReadmeExampleIsServed(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "## Choosing the provider")
	t.Setenv("DEEPINFRA_API_KEY", "sk-very-secret")
	out, err := execute(t, "explain", "--state-dir", t.TempDir(),
		"--config", writeFile(t, block(t, section, "yaml")), writeFile(t, requestIn(block(t, section, "python"))))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for i, want := range []string{
		"meta-llama/llama-3.3-70b-instruct  my-vllm", "meta-llama/llama-3.3-70b-instruct  deepinfra", "qwen/qwen3-32b                     deepinfra",
	} {
		if line := fmt.Sprintf("\n  %d  %s ", i+1, want); !strings.Contains(out, line) {
			t.Errorf("want %q in\n%s", line, out)
		}
	}
}

// block is the text of the first fenced block of a language.
func block(t *testing.T, markdown, language string) string {
	t.Helper()
	_, text, found := strings.Cut(markdown, "```"+language+"\n")
	text, _, closed := strings.Cut(text, "```")
	if !found || !closed {
		t.Fatalf("there is no block of %s", language)
	}
	return text
}

// requestIn is the body that a call of OpenAI's Python client sends: its arguments,
// with those of extra_body among them.
func requestIn(call string) string {
	for _, rewrite := range [][2]string{
		{`#.*`, ""},
		{`(?s)^.*?create\((.*)\)\s*$`, "{$1}"},
		{`\[\.\.\.\]`, `[{"role": "user", "content": "Hello!"}]`},
		{`(?s)extra_body=\{(.*)\},`, "$1"},
		{`(\w+)=`, `"$1": `},
		{`\bTrue\b`, "true"},
		{`,(\s*[}\]])`, "$1"},
	} {
		call = regexp.MustCompile(rewrite[0]).ReplaceAllString(call, rewrite[1])
	}
	return call
}

// checkProvider checks a configuration with one provider, of these members.
func checkProvider(t *testing.T, members string) error {
	t.Helper()
	_, err := execute(t, "check", "--config", writeFile(t, "providers: {aws: {"+members+"}}\nmodels: {a/m: {endpoints: [{provider: aws}]}}\n"))
	return err
}

func TestAWSAuthentication(t *testing.T) {
	const (
		anywhere = `dialect: bedrock, base_url: "https://bedrock.example", authentication: aws, credential: {value: "AKIDEXAMPLE:very-secret"}`
		ireland  = `dialect: bedrock, base_url: "https://bedrock-runtime.eu-west-1.amazonaws.com", authentication: aws`
	)
	for name, test := range map[string]struct{ members, want string }{
		"a region in the host's name": {ireland + `, credential: {value: "AKIDEXAMPLE:very-secret"}`, ""},
		"a region that is given":      {anywhere + `, signing_region: eu-west-1`, ""},
		"no credential":               {ireland, ""},
		"no region":                   {anywhere, `providers["aws"]: signing_region: is missing`},
		"half a credential":           {ireland + `, credential: {value: "AKIDEXAMPLE-very-secret"}`, `providers["aws"]: credential: want "<access key id>:<secret access key>"`},
		"the preset's key is another": {`preset: bedrock, authentication: aws`, ""},
		"the preset and no key":       {`preset: bedrock`, "AWS_BEARER_TOKEN_BEDROCK is not set"},
	} {
		err := checkProvider(t, test.members)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "very-secret") {
			t.Errorf("%s: the error has the secret", name)
		}
	}
}

const signed = `
providers:
  vertex: {dialect: gemini, base_url: "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google", authentication: google}
models:
  m/x: {endpoints: [{provider: vertex, model: gemini-3-flash}]}
`

func TestCheckNamesTheMemberOfAKeyAtFault(t *testing.T) {
	if out, err := execute(t, "check", "--config", writeFile(t, signed)); err != nil {
		t.Errorf("without a credential: %v\n%s", err, out)
	}
	for key, want := range map[string]string{
		"s3cr3t": "credential: must be the JSON key",
		`{"type": "service_account", "client_email": "a@b", "private_key": "s3cr3t"}`: "credential: private_key:",
	} {
		file := filepath.Join(t.TempDir(), "key.json")
		if err := os.WriteFile(file, []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := execute(t, "check", "--config", writeFile(t, strings.Replace(signed, "google}", "google, credential: {file: "+file+"}}", 1)))
		if !errors.Is(err, errConfiguration) || !strings.Contains(err.Error(), `providers["vertex"]: `+want) || strings.Contains(out+err.Error(), "s3cr3t") {
			t.Errorf("%v\n%s", err, out)
		}
	}
}
