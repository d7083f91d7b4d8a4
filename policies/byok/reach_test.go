package byok

import (
	"strings"
	"testing"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

// at is a provider as the gateway reaches it.
func at(t *testing.T, dialect configpb.Dialect, base string, authentication configpb.Authentication) *catalog.Provider {
	t.Helper()
	models, err := catalog.New(&configpb.Config{Providers: map[string]*configpb.Provider{"p": {
		Dialect: dialect, BaseUrl: base, Authentication: authentication,
		Headers: map[string]string{"Authorization": "Bearer gateway's", "X-Title": "acme"},
	}}}, func(string) (string, bool) { return `gateway's`, true })
	if err != nil {
		t.Fatal(err)
	}
	provider, _ := models.Provider("p")
	return provider
}

const (
	keyAlone = configpb.Authentication_AUTHENTICATION_KEY
	google   = configpb.Authentication_AUTHENTICATION_GOOGLE
	byAWS    = configpb.Authentication_AUTHENTICATION_AWS
)

func TestReach(t *testing.T) {
	openai := at(t, configpb.Dialect_DIALECT_OPENAI, "https://api.openai.com/v1", 0)
	bedrock := at(t, configpb.Dialect_DIALECT_BEDROCK, "https://bedrock-runtime.eu-west-1.amazonaws.com", byAWS)
	vertex := at(t, configpb.Dialect_DIALECT_GEMINI, "https://aiplatform.googleapis.com/v1/projects/acme/locations/global/publishers/google", google)
	azure := at(t, configpb.Dialect_DIALECT_AZURE, "https://acme.openai.azure.com/openai/v1", 0)
	const account = `{"type":"service_account","project_id":"their-project","client_email":"a@b.example","private_key":"SECRET","region":"global"}`
	for name, test := range map[string]struct {
		provider          *catalog.Provider
		credential        string
		sent, label, path string
		authentication    configpb.Authentication
	}{
		"a key":                        {openai, " sk-proj-0123456789abcdef\n", "sk-proj-0123456789abcdef", "sk-...cdef", "/v1", keyAlone},
		"a short key":                  {openai, "short", "short", "...", "/v1", keyAlone},
		"an API key of Bedrock's":      {bedrock, "ABSK0123456789abcdef", "ABSK0123456789abcdef", "ABS...cdef", "", keyAlone},
		"access keys of AWS":           {bedrock, `{"accessKeyId":"AKIA0123456789ABCDEF","secretAccessKey":"SECRET","region":"eu-west-1"}`, "AKIA0123456789ABCDEF:SECRET", "AKI...CDEF", "", byAWS},
		"with a session":               {bedrock, `{"accessKeyId":"ASIA0123456789ABCDEF","secretAccessKey":"SECRET","sessionToken":"T","region":"eu-west-1"}`, "ASIA0123456789ABCDEF:SECRET:T", "ASI...CDEF", "", byAWS},
		"a service account of Google":  {vertex, account, account, "a@b.example", "/v1/projects/their-project/locations/global/publishers/google", google},
		"a key of Azure":               {azure, "0123456789abcdef", "0123456789abcdef", "012...cdef", "/openai/v1", keyAlone},
		"a key of Azure's, and a name": {azure, `[{"api_key":"0123456789abcdef","resource_name":"ACME","resource_type":"openai"}]`, "0123456789abcdef", "012...cdef", "/openai/v1", keyAlone},
	} {
		t.Run(name, func(t *testing.T) {
			reached, err := Reach(test.provider, test.credential)
			if err != nil {
				t.Fatal(err)
			}
			sent, _ := reached.Credential.Reveal()
			if sent != test.sent || reached.Label != test.label || reached.PathPrefix != test.path || reached.Authentication != test.authentication {
				t.Errorf("%q %q %q %v", sent, reached.Label, reached.PathPrefix, reached.Authentication)
			}
			if reached.Headers["authorization"] != "" || reached.Headers["x-title"] != "acme" {
				t.Errorf("headers %v", reached.Headers)
			}
			if own, _ := test.provider.Credential.Reveal(); own != "gateway's" || test.provider.Headers["authorization"] == "" {
				t.Error("the gateway's own provider was changed")
			}
		})
	}
	for name, test := range map[string]struct {
		provider         *catalog.Provider
		credential, want string
	}{
		"nothing":                            {openai, " ", "1 to"},
		"too much":                           {openai, strings.Repeat("x", maxCredential+1), "1 to"},
		"a key with white space":             {openai, "SECRET SECRET", "white space"},
		"a region of OpenAI's":               {openai, `{"api_key":"SECRET","region":"europe"}`, "region"},
		"access keys without the id":         {bedrock, `{"secretAccessKey":"SECRET","region":"eu-west-1"}`, "accessKeyId"},
		"access keys without the secret":     {bedrock, `{"accessKeyId":"SECRET","region":"eu-west-1"}`, "secretAccessKey"},
		"access keys without a region":       {bedrock, `{"accessKeyId":"SECRET","secretAccessKey":"SECRET"}`, "region"},
		"access keys of another region":      {bedrock, `{"accessKeyId":"SECRET","secretAccessKey":"SECRET","region":"us-east-1"}`, "region"},
		"half of a region":                   {bedrock, `{"accessKeyId":"SECRET","secretAccessKey":"SECRET","region":"eu-west"}`, "region"},
		"an unknown member":                  {bedrock, `{"accessKeyId":"SECRET","roleArn":"SECRET"}`, "member"},
		"no JSON":                            {bedrock, `{SECRET`, "JSON"},
		"no service account":                 {vertex, "SECRET", "service account"},
		"a service account without project":  {vertex, `{"client_email":"a@b.example"}`, "project_id"},
		"a project that leads elsewhere":     {vertex, `{"project_id":"x/../y","client_email":"a@b.example"}`, "project_id"},
		"a project that leads up":            {vertex, `{"project_id":"..","client_email":"a@b.example"}`, "project_id"},
		"a service account without an email": {vertex, `{"project_id":"p"}`, "client_email"},
		"another location":                   {vertex, strings.Replace(account, `"global"`, `"us-central1"`, 1), "region"},
		"tokens from elsewhere":              {vertex, strings.Replace(account, `"region"`, `"token_uri":"https://SECRET.internal/","region"`, 1), "token_uri"},
		"another resource":                   {azure, `[{"api_key":"SECRET","resource_name":"other","resource_type":"openai"}]`, "resource_name"},
		"another kind of resource":           {azure, `[{"api_key":"SECRET","resource_name":"acme","resource_type":"ai_foundry"}]`, "resource_name"},
		"a resource without a key":           {azure, `[{"resource_name":"acme","resource_type":"openai"}]`, "api_key"},
		"a resource without its kind":        {azure, `[{"api_key":"SECRET","resource_name":"acme"}]`, "resource_type"},
		"a deployment":                       {azure, `[{"model_slug":"m/x","endpoint_url":"https://acme.openai.azure.com/","api_key":"SECRET","model_id":"d"}]`, "model_slug"},
		"two resources":                      {azure, `[{"api_key":"SECRET"},{"api_key":"SECRET"}]`, "one key"},
	} {
		t.Run("refused: "+name, func(t *testing.T) {
			if _, err := Reach(test.provider, test.credential); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("%v; want %q in it", err, test.want)
			}
		})
	}
}

// What a customer sends never panics, and is never quoted.
func FuzzReach(f *testing.F) {
	for _, seed := range []string{
		"sk-own-0123456789abcdef", `{"accessKeyId":"a","secretAccessKey":"b","region":"eu-west-1"}`, `{"project_id":"p","client_email":"a@b.example","region":"global"}`,
		`[{"api_key":"0123456789abcdef","resource_name":"acme","resource_type":"openai"}]`, `[]`, `{"token_uri":"https://elsewhere.example"}`, "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, credential string) {
		for _, provider := range []*catalog.Provider{
			{Slug: "p", Dialect: "openai", PathPrefix: "/v1"},
			{Slug: "p", Dialect: "bedrock", Host: "bedrock-runtime.eu-west-1.amazonaws.com"},
			{Slug: "p", Dialect: "azure", Host: "acme.openai.azure.com"},
			{Slug: "p", Dialect: "gemini", Authentication: google, PathPrefix: "/v1/projects/acme/locations/global/publishers/google"},
		} {
			reached, err := Reach(provider, credential)
			if err != nil {
				if text := strings.TrimSpace(credential); len(text) > 60 && strings.Contains(err.Error(), text) {
					t.Errorf("quoted: %v", err)
				}
				continue
			}
			if sent, _ := reached.Credential.Reveal(); sent == "" || reached.Host != provider.Host {
				t.Errorf("%q leads to %s with %q", credential, reached.Host, sent)
			}
		}
	})
}
