// Package azure speaks Chat Completions as Azure OpenAI serves it: OpenAI's own words
// at Azure's addresses, where the deployments that a customer made take the place of
// models.
//
// There are two forms. Base URLs that end in "/openai/v1" have OpenAI's paths and name
// the deployment in the body; those that end in "/openai" name it in the path, and the
// version of the API behind it. Source: "Azure OpenAI in Azure AI Foundry Models
// lifecycle" and "REST API reference" in Microsoft's documentation, and OpenAI's SDKs.
package azure

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
)

// defaultVersion is the newest that Azure calls stable; what came later is in the other
// form alone.
const defaultVersion = "2024-10-21"

// Provider is the dialect as Azure speaks it. Clients of Chat Completions are of the
// same one: its name is "openai".
type Provider struct{ openai.Provider }

var (
	_ dialect.Provider = Provider{}
	_ dialect.Passer   = Provider{}
)

// Request writes the request for a deployment, which target calls its model.
func (p Provider) Request(client *dialect.Request, target dialect.Target) (dialect.Upstream, error) {
	target.Quirks = withBound(target.Quirks)
	made, err := p.Provider.Request(client, target)
	if err != nil {
		return dialect.Upstream{}, err
	}
	version := target.APIVersion
	if !strings.HasSuffix(target.Base, "/v1") {
		made.Path = "/deployments/" + url.PathEscape(target.Model) + made.Path
		version = cmp.Or(version, defaultVersion)
	}
	if version != "" {
		made.Path += "?api-version=" + url.QueryEscape(version)
	}
	return made, nil
}

// ownBound are the quirks of a resource for which none are configured: the models that
// reason refuse max_tokens, and the others take both. Deployments of other makers' models
// that do not are told of by a quirk of their own.
var ownBound = &dialect.Quirks{Rename: map[string]string{"max_tokens": "max_completion_tokens"}}

// withBound adds to configured quirks the name of the bound on tokens, if they do not
// speak of it.
func withBound(quirks *dialect.Quirks) *dialect.Quirks {
	if quirks == nil {
		return ownBound
	}
	_, older := quirks.Rename["max_tokens"]
	if _, newer := quirks.Rename["max_completion_tokens"]; older || newer {
		return quirks
	}
	own := *quirks
	own.Rename = maps.Clone(ownBound.Rename)
	maps.Copy(own.Rename, quirks.Rename)
	return &own
}

// Credential returns one of a resource's two keys.
func (Provider) Credential(key string) []dialect.Header {
	return []dialect.Header{{Name: "api-key", Value: key}}
}

// Failure reads an error in OpenAI's shape, to which Azure adds an inner one. A
// deployment of a model for something else is the gateway's mistake and no client's.
func (p Provider) Failure(status int, body []byte) dialect.ProviderFailure {
	failure := p.Provider.Failure(status, body)
	if status == http.StatusBadRequest && failure.Code == "OperationNotSupported" {
		failure.Status = http.StatusNotFound
	}
	return failure
}
