package gemini

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// Client is the dialect as clients of the gateway speak it: the Google Gen AI SDKs and
// the programs built on them. Model and method are in the path, so that [Client.ReadHead]
// returns one for each request.
type Client struct {
	model  string // "" where the body names it
	preset string // the slug that the path asks for, or ""
	method method
}

var (
	_ dialect.Client      = Client{}
	_ dialect.HeadReader  = Client{}
	_ dialect.Presetter   = Client{}
	_ dialect.PresetNamer = Client{}
	_ dialect.Answerer    = Client{}
	_ dialect.Replayer    = Client{}
)

// method is what a request asks of a model.
type method uint8

const (
	generateContent method = iota
	streamGenerateContent
	countTokens
	embedContent
	batchEmbedContents
)

// embeds reports whether the request is one for vectors.
func (c Client) embeds() bool { return c.method == embedContent || c.method == batchEmbedContents }

// Name returns "gemini".
func (Client) Name() string { return Name }

// Marks are those of an answer and of a chunk alike.
func (Client) Marks() dialect.Marks {
	return dialect.Marks{ID: "responseId", Usage: "usageMetadata", Times: []string{"createTime"}}
}

// Preset is the slug of the preset that the path asks for, or "".
func (c Client) Preset() string { return c.preset }

// ReadHead reads model and method from a path such as
// "/v1beta/models/google/gemini-2.5-pro:generateContent". Ids hold slashes and colons:
// the method is what follows the last colon.
func (Client) ReadHead(head dialect.Head) (dialect.Client, error) {
	_, escaped, _ := strings.Cut(head.Path, "/models/")
	resource, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, dialect.Invalid("The path's escapes cannot be read: %v.", err)
	}
	colon := strings.LastIndexByte(resource, ':')
	if colon < 0 {
		return nil, unknownMethod("")
	}
	c := Client{}
	c.model, c.preset = dialect.CutPreset(strings.TrimPrefix(resource[:colon], "models/"))
	if c.model == "" && c.preset == "" {
		return nil, dialect.Invalid("The path names no model: /v1beta/models/{model}:generateContent.")
	}
	switch name := resource[colon+1:]; name {
	case "generateContent":
		return c, nil
	case "streamGenerateContent":
		// Without alt=sse the API frames the stream as one JSON array.
		query, err := url.ParseQuery(head.Query)
		if err != nil || query.Get("alt") != "sse" {
			return nil, dialect.Invalid("streamGenerateContent is served as server-sent events alone; add ?alt=sse to the URL.")
		}
		c.method = streamGenerateContent
		return c, nil
	case "countTokens":
		c.method = countTokens
		return c, nil
	case "embedContent":
		c.method = embedContent
		return c, nil
	case "batchEmbedContents":
		c.method = batchEmbedContents
		return c, nil
	default:
		return nil, unknownMethod(name)
	}
}

func unknownMethod(name string) *dialect.Error {
	failure := dialect.Invalid("There is no method %q of models. Those served are generateContent, streamGenerateContent, countTokens, embedContent and batchEmbedContents.", name)
	failure.Status, failure.Type = http.StatusNotFound, "not_found"
	return failure
}
