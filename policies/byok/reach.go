package byok

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

// Reached is a provider as it is reached with a credential.
type Reached struct {
	*catalog.Provider
	// Label is what may be shown of the credential: its ends, or an account's name.
	Label string
}

// maxCredential is more than the JSON key of a service account has.
const maxCredential = 16 << 10

// Reach reads a credential in one of the forms of OpenRouter: a key as the provider hands
// it out, and for the clouds JSON that may name a region or a resource. Requests go where
// those of the gateway go: what is elsewhere is refused. Errors name the member at fault
// and quote nothing.
func Reach(provider *catalog.Provider, credential string) (Reached, error) {
	credential = strings.TrimSpace(credential)
	if credential == "" || len(credential) > maxCredential {
		return Reached{}, fmt.Errorf("want from 1 to %d bytes", maxCredential)
	}
	read := plain
	switch {
	case provider.Authentication == configpb.Authentication_AUTHENTICATION_GOOGLE:
		read = serviceAccount
	case provider.Dialect == "bedrock" || provider.Dialect == "anthropic_bedrock":
		read = amazon
	case provider.Dialect == "azure":
		read = azure
	}
	reached := *provider
	reached.Headers = maps.Clone(provider.Headers)
	for _, name := range []string{"authorization", "x-api-key", "api-key", "x-goog-api-key"} {
		delete(reached.Headers, name) // the gateway's own
	}
	label, err := read(&reached, credential)
	return Reached{&reached, label}, err
}

// plain is a key for a header.
func plain(provider *catalog.Provider, credential string) (string, error) {
	if strings.HasPrefix(credential, "{") || strings.HasPrefix(credential, "[") {
		return "", errors.New("want the key alone; JSON with a region or a resource is for other providers")
	}
	if strings.ContainsFunc(credential, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "", errors.New("has white space or non-ASCII characters in it; give the key alone")
	}
	provider.Credential = catalog.NewCredential(credential)
	provider.Authentication = configpb.Authentication_AUTHENTICATION_KEY
	return mask(credential), nil
}

// mask shows the ends of a secret that has enough between them.
func mask(secret string) string {
	if len(secret) < 16 {
		return "..."
	}
	return secret[:3] + "..." + secret[len(secret)-4:]
}

// amazon is an API key of Bedrock's, or {"accessKeyId", "secretAccessKey", "region"}.
func amazon(provider *catalog.Provider, credential string) (string, error) {
	if !strings.HasPrefix(credential, "{") {
		return plain(provider, credential)
	}
	var keys struct {
		ID     string `json:"accessKeyId"`
		Secret string `json:"secretAccessKey"`
		Token  string `json:"sessionToken"`
		Region string `json:"region"`
	}
	if err := readJSON(credential, &keys); err != nil {
		return "", err
	}
	switch {
	case keys.ID == "":
		return "", errors.New("accessKeyId: is missing")
	case keys.Secret == "":
		return "", errors.New("secretAccessKey: is missing")
	case keys.Region == "":
		return "", errors.New("region: is missing")
	case !strings.Contains("."+provider.Host+".", "."+keys.Region+".") && provider.SigningRegion != keys.Region:
		return "", fmt.Errorf("region: this gateway reaches the provider %s at %s only; ask its operator for a provider of another region", provider.Slug, provider.Host)
	}
	text := keys.ID + ":" + keys.Secret
	if keys.Token != "" {
		text += ":" + keys.Token
	}
	provider.Credential = catalog.NewCredential(text)
	provider.Authentication = configpb.Authentication_AUTHENTICATION_AWS
	provider.SigningRegion = keys.Region
	return mask(keys.ID), nil
}

// googleTokens is where tokens of service accounts come from. A customer must not have the
// gateway ask elsewhere, unless its operator has it do so.
const googleTokens = "https://oauth2.googleapis.com/token"

// tokensOf is where the tokens of the gateway's own service account come from, if it has
// one.
func tokensOf(credential catalog.Credential) string {
	var account struct {
		Tokens string `json:"token_uri"`
	}
	text, _ := credential.Reveal()
	_ = json.Unmarshal([]byte(text), &account) // the signer has read it before
	return account.Tokens
}

// serviceAccount is the JSON key of a service account of Google's, with a "region" or
// without. Its project takes the place of the gateway's.
func serviceAccount(provider *catalog.Provider, credential string) (string, error) {
	var account struct {
		Project string `json:"project_id"`
		Email   string `json:"client_email"`
		Region  string `json:"region"`
		Tokens  string `json:"token_uri"`
	}
	if err := json.Unmarshal([]byte(credential), &account); err != nil {
		return "", errors.New("must be the JSON key of a service account") // the library's words quote the text
	}
	parts := strings.Split(provider.PathPrefix, "/")
	before := func(name string) int {
		for i := range len(parts) - 1 {
			if parts[i] == name {
				return i + 1
			}
		}
		return 0
	}
	project, location := before("projects"), before("locations")
	switch {
	case strings.Trim(account.Project, ".") == "" || url.PathEscape(account.Project) != account.Project:
		return "", errors.New("project_id: is missing in the JSON key, or is none")
	case account.Email == "":
		return "", errors.New("client_email: is missing in the JSON key")
	case account.Tokens != "" && account.Tokens != googleTokens && account.Tokens != tokensOf(provider.Credential):
		return "", errors.New("token_uri: must be " + googleTokens)
	case project == 0:
		return "", fmt.Errorf("the base URL of the provider %s names no project that another could take the place of", provider.Slug)
	case account.Region != "" && (location == 0 || parts[location] != account.Region):
		return "", fmt.Errorf("region: this gateway reaches the provider %s in one location only, %s; ask its operator for a provider of another", provider.Slug, parts[location])
	}
	parts[project] = account.Project
	provider.PathPrefix = strings.Join(parts, "/")
	provider.Credential = catalog.NewCredential(credential)
	return account.Email, nil
}

// azureKey is one of the array that describes keys of Azure's.
type azureKey struct {
	APIKey   string `json:"api_key"`
	Resource string `json:"resource_name"`
	Type     string `json:"resource_type"`
	Model    string `json:"model_slug"`
	URL      string `json:"endpoint_url"`
	ModelID  string `json:"model_id"`
}

// azure is a key, or an array of one that names its resource.
func azure(provider *catalog.Provider, credential string) (string, error) {
	if !strings.HasPrefix(credential, "[") {
		return plain(provider, credential)
	}
	var keys []azureKey
	if err := readJSON(credential, &keys); err != nil {
		return "", err
	}
	if len(keys) != 1 {
		return "", errors.New("want an array of one key; make another for each resource")
	}
	key := keys[0]
	hosts := map[string]string{"openai": ".openai.azure.com", "ai_foundry": ".services.ai.azure.com"}
	switch {
	case key.Model != "" || key.URL != "" || key.ModelID != "":
		return "", errors.New("model_slug, endpoint_url and model_id: deployments are named in the gateway's configuration, as the models of endpoints; give api_key, resource_name and resource_type")
	case key.APIKey == "":
		return "", errors.New("api_key: is missing")
	case key.Resource == "":
		return "", errors.New("resource_name: is missing")
	case hosts[key.Type] == "":
		return "", errors.New("resource_type: must be openai or ai_foundry")
	case !strings.EqualFold(key.Resource+hosts[key.Type], provider.Host):
		return "", fmt.Errorf("resource_name: this gateway reaches the provider %s at %s only; ask its operator for a provider of another resource", provider.Slug, provider.Host)
	}
	return plain(provider, key.APIKey)
}

func readJSON(text string, into any) error {
	switch err := json.Unmarshal([]byte(text), into, json.RejectUnknownMembers(true)); {
	case err == nil:
		return nil
	case errors.Is(err, json.ErrUnknownName):
		return errors.New("has a member that is not known here")
	}
	return errors.New("is not the JSON that the provider's keys are described by") // the library's words quote the text
}
