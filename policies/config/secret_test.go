package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
)

func TestSecretNeverShows(t *testing.T) {
	secret := Secret{text: shown}
	holder := struct {
		Secret  Secret
		Pointer *Secret
		List    []Secret
	}{secret, &secret, []Secret{secret}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		fmt.Fprintf(&out, verb+verb+"\n", secret, holder)
	}
	fmt.Fprintln(&out, secret, holder, secret.String())
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("secret", "plain", secret, "pointer", &secret, "nested", holder)
	}
	for _, value := range []any{secret, &secret, holder, map[string]Secret{"k": secret}} {
		text, err := json.Marshal(value)
		if err != nil {
			t.Error(err)
		}
		out.Write(text)
	}
	if strings.Contains(out.String(), shown) {
		t.Errorf("shown in:\n%s", out.String())
	}
	if !strings.Contains(out.String(), Redacted) {
		t.Error("nothing stands for the secret")
	}
	if secret.Reveal() != shown {
		t.Error("Reveal does not return the secret")
	}
}

func TestSecretSources(t *testing.T) {
	effective := load(t, "working_full.yaml")
	for provider, want := range map[string]string{
		"openai":  "sk-proj-" + shown, // value
		"mistral": "mk-" + shown,      // file, with white space around it
		"acme":    "sk-" + shown,      // env
	} {
		secret, ok := effective.Secret(provider)
		if !ok || secret.Reveal() != want {
			t.Errorf("%s: %q %v", provider, secret.Reveal(), ok)
		}
	}
	if password, ok := effective.RedisPassword(); !ok || password.Reveal() != shown {
		t.Errorf("password %q %v", password.Reveal(), ok)
	}
	if _, ok := parse(t, "redis: {address: 'redis:6379'}\n").RedisPassword(); ok {
		t.Error("a Redis without password has one")
	}
	if _, ok := effective.Secret("nobody"); ok {
		t.Error("a provider that does not exist has a secret")
	}
	if _, ok := parse(t, "providers: {ollama: }\n").Secret("ollama"); ok {
		t.Error("a provider without credential has a secret")
	}
}

// Others log and dump the merged configuration. There must be nothing in it.
func TestMergedConfigurationHoldsNoSecret(t *testing.T) {
	config := load(t, "working_full.yaml").Config()
	for _, provider := range config.GetProviders() {
		provider.Headers = nil // headers are not credentials, and are sent as they are
	}
	if text := prototext.Format(config); strings.Contains(text, shown) {
		t.Errorf("a secret is in:\n%s", text)
	}
}

func TestWarnings(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"secret in clear": {
			"providers: {openai: {credential: {value: sk-1}}}\n",
			"test.yaml:1:42: providers.openai.credential.value: a secret is written here in clear; prefer env or file",
		},
		"secret in a header": {
			"providers: {openai: {headers: {X-Api-Key: k}}}\n",
			`test.yaml:1:43: providers.openai.headers["X-Api-Key"]: looks like a secret in clear; prefer credential`,
		},
		"credential over clear text": {
			"providers: {openai: {base_url: http://llm.example.com/v1}}\n",
			"test.yaml:1:32: providers.openai.base_url: the credential is sent to llm.example.com without TLS; prefer https",
		},
		"clear text on the machine itself": {"providers: {openai: {base_url: http://127.0.0.1:1/v1}}\n", ""},
		"clear text in a private network":  {"providers: {openai: {base_url: http://10.1.2.3/v1}}\n", ""},
		"clear text to a container":        {"providers: {openai: {base_url: http://vllm:8000/v1}}\n", ""},
		"clear text with a Redis password": {
			"redis: {address: 'redis.example.com:6379', password: {env: OPENAI_API_KEY}}\n",
			"test.yaml:1:18: redis.address: the password is sent to redis.example.com without TLS; prefer tls: true",
		},
		"clear text without credential": {"providers: {vllm: {base_url: http://llm.example.com/v1}}\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parse(t, test.text).Warnings().Error(); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// A file is found beside the configuration, wherever the gateway was started.
func TestSecretFilesBesideTheConfiguration(t *testing.T) {
	options := world()
	text := strings.Repeat("s", minOwnSecret)
	options.ReadFile = func(name string) ([]byte, error) {
		if filepath.Dir(name) != "/etc/switchyard" {
			return nil, fs.ErrNotExist
		}
		return []byte(text), nil
	}
	_, err := Parse("/etc/switchyard/gateway.yaml", []byte(`
providers: {openai: {credential: {file: a}}}
redis: {address: "localhost:6379", password: {file: b}}
ledger: {postgres: {file: c}}
identity: {secret: {file: d}}
byok: {encryption_key: {file: e}, previous_encryption_key: {file: f}}
`), options)
	if err != nil {
		t.Error(err)
	}
}
