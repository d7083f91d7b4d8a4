package provider

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
)

// azure is the dialect of Chat Completions as Azure OpenAI serves it.
type azure struct {
	openAI
	place azurePlace
}

// azurePlace is where a resource's deployments are found.
type azurePlace struct {
	classic bool
	task    string // "/chat/completions" or "/embeddings"
}

// Azure returns a fake of Azure OpenAI. A base of "/openai/v1", which it is unless
// given, takes OpenAI's paths; "/openai" takes
// POST {base}/deployments/{deployment}/chat/completions?api-version={version}. The
// config's models are deployments.
func Azure(config Config) *Provider {
	place := newAzurePlace(&config, "/chat/completions")
	return newProvider(config, azure{place: place})
}

// AzureEmbeddings returns a fake of the same for embeddings.
func AzureEmbeddings(config Config) *Provider {
	place := newAzurePlace(&config, "/embeddings")
	return newProvider(config, azureEmbeddings{place: place})
}

func newAzurePlace(config *Config, task string) azurePlace {
	if config.Base == "" {
		config.Base = "/openai/v1"
	}
	return azurePlace{classic: !strings.HasSuffix(config.Base, "/v1"), task: task}
}

// azureVersions are the versions of the classic form that the fake knows.
var azureVersions = map[string]bool{"2024-06-01": true, "2024-10-21": true, "2025-04-01-preview": true}

func (p azurePlace) locate(target string) (address, bool) {
	location, err := url.Parse(target)
	if err != nil {
		return address{}, false
	}
	version := location.Query().Get("api-version")
	if !p.classic {
		return address{}, location.Path == p.task && (version == "" || version == "preview")
	}
	rest, below := strings.CutPrefix(location.EscapedPath(), "/deployments/")
	deployment, task, _ := strings.Cut(rest, "/")
	name, err := url.PathUnescape(deployment)
	return address{model: name}, below && err == nil && "/"+task == p.task && azureVersions[version]
}

func (p azurePlace) admit(header http.Header, key string) *refusal {
	for _, foreign := range []string{"Authorization", "X-Api-Key", "X-Goog-Api-Key", "Anthropic-Version", "Anthropic-Beta"} {
		if header.Get(foreign) != "" {
			return leak("header " + strings.ToLower(foreign))
		}
	}
	if header.Get("Api-Key") != key {
		return &refusal{
			status: http.StatusUnauthorized, code: "401",
			message: "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.",
		}
	}
	return nil
}

// deployed is a request to the deployment that the address names, in the form where it
// names one.
func (p azurePlace) deployed(at address, req request) request {
	if p.classic {
		req.model = at.model
	}
	return req
}

func (d azure) locate(target string) (address, bool)          { return d.place.locate(target) }
func (d azure) admit(header http.Header, key string) *refusal { return d.place.admit(header, key) }
func (azure) unknownModel(string) refusal                     { return azureUnknown }
func (azure) headers() http.Header                            { return azureHeaders }
func (azure) errorBody(r refusal) []byte                      { return azureError(r) }
func (azure) errorEvent(r refusal) event                      { return event{data: string(azureError(r))} }

var azureUnknown = refusal{
	status: http.StatusNotFound, code: "DeploymentNotFound",
	message: "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.",
}

var azureHeaders = http.Header{
	"Apim-Request-Id":           {"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"},
	"X-Ms-Region":               {"Sweden Central"},
	"X-Ms-Deployment-Name":      {"acme-internal"},
	"Azureml-Model-Session":     {"d012-20261001"},
	"X-Accel-Buffering":         {"no"},
	"X-Ms-Rai-Invoked":          {"true"},
	"X-Ratelimit-Limit-Tokens":  {"100000"},
	"Strict-Transport-Security": {"max-age=31536000; includeSubDomains; preload"},
}

// azureError leaves out what Azure has no words for, and gives the reason of a filter
// in an inner error.
func azureError(r refusal) []byte {
	object := openAI{}.errorObject(r)
	switch r.code {
	case "401", "DeploymentNotFound":
		object = map[string]any{"code": r.code, "message": r.message}
	case "content_filter":
		object["type"], object["param"], object["status"] = nil, "prompt", r.status
		object["innererror"] = map[string]any{
			"code": "ResponsibleAIPolicyViolation",
			"content_filter_result": map[string]any{
				"violence": map[string]any{"filtered": true, "severity": "high"}, "jailbreak": map[string]any{"filtered": false, "detected": false},
			},
		}
	}
	return []byte(encode(map[string]any{"error": object}))
}

func (d azure) judge(at address, body map[string]any, header http.Header) (request, *refusal) {
	req, refused := d.openAI.judge(at, body, header)
	return d.place.deployed(at, req), refused
}

func azureSafe() map[string]any {
	return map[string]any{"hate": map[string]any{"filtered": false, "severity": "safe"}}
}

func azurePrompt() []any {
	return []any{map[string]any{"prompt_index": 0, "content_filter_results": azureSafe()}}
}

func (d azure) whole(req request, a Answer) []byte {
	body := azureAnswer(string(d.openAI.whole(req, a)))
	body["prompt_filter_results"] = azurePrompt()
	return []byte(encode(body))
}

// events have the prompt's results in front, in a chunk that is no part of the answer,
// and those of the answer in each chunk and once more behind it.
func (d azure) events(req request, a Answer) []event {
	nobody := map[string]any{"id": "", "object": "", "created": 0, "model": ""}
	prompt := map[string]any{"choices": []any{}, "prompt_filter_results": azurePrompt()}
	checked := map[string]any{"choices": []any{map[string]any{
		"index": 0, "finish_reason": nil, "content_filter_results": azureSafe(),
		"content_filter_offsets": map[string]any{"check_offset": 0, "start_offset": 0, "end_offset": 9},
	}}}
	for _, extra := range []map[string]any{prompt, checked} {
		for name, value := range nobody {
			extra[name] = value
		}
	}
	all := []event{{data: encode(prompt)}}
	for _, e := range d.openAI.events(req, a) {
		if e.data != "[DONE]" {
			body := azureAnswer(e.data)
			e.data = encode(body)
			if choices := body["choices"].([]any); len(choices) > 0 && choices[0].(map[string]any)["finish_reason"] != nil {
				all = append(all, event{data: encode(checked)})
			}
		}
		all = append(all, e)
	}
	return all
}

// azureAnswer adds what the filter says of each choice.
func azureAnswer(text string) map[string]any {
	var body map[string]any
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		panic(err) // this package wrote it
	}
	for _, element := range body["choices"].([]any) {
		element.(map[string]any)["content_filter_results"] = azureSafe()
	}
	return body
}

// azureEmbeddings is the dialect of Azure's embeddings.
type azureEmbeddings struct {
	embeddings
	place azurePlace
}

func (d azureEmbeddings) locate(target string) (address, bool) { return d.place.locate(target) }
func (d azureEmbeddings) admit(header http.Header, key string) *refusal {
	return d.place.admit(header, key)
}
func (azureEmbeddings) unknownModel(string) refusal { return azureUnknown }
func (azureEmbeddings) headers() http.Header        { return azureHeaders }
func (azureEmbeddings) errorBody(r refusal) []byte  { return azureError(r) }

func (d azureEmbeddings) judge(at address, body map[string]any, header http.Header) (request, *refusal) {
	req, refused := d.embeddings.judge(at, body, header)
	return d.place.deployed(at, req), refused
}
