package gemini

import (
	"cmp"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// What Vertex AI does in another way than AI Studio. Sources: the discovery document
// of aiplatform v1, and what Google's SDKs write for either.

// isVertex tells by the path of a base URL whose API it is: those of Vertex AI name a
// project, or with a key of express mode the publisher alone.
func isVertex(base string) bool {
	return strings.Contains(base, "/projects/") || strings.HasSuffix(base, "/publishers/google")
}

// vertexTier is the header that asks for a service tier, which AI Studio reads in the
// body.
const vertexTier = "x-vertex-ai-llm-shared-request-type"

// forgetIDs takes the ids out of calls and results: models before the third generation
// refuse them. Results are then told apart by their order.
func (b *builder) forgetIDs() {
	order := map[string]int{}
	for _, turn := range b.request.Contents {
		if turn.results() {
			slices.SortStableFunc(turn.Parts, func(x, y part) int {
				return cmp.Compare(order[x.FunctionResponse.ID], order[y.FunctionResponse.ID])
			})
		}
		for i := range turn.Parts {
			switch p := &turn.Parts[i]; {
			case p.FunctionCall != nil:
				order[p.FunctionCall.ID] = len(order)
				p.FunctionCall.ID = ""
			case p.FunctionResponse != nil:
				p.FunctionResponse.ID = ""
			}
		}
	}
}

// stored is a file that Vertex AI is to read: in Google Cloud Storage, on the web, or a
// film of YouTube's. It demands the type of each.
func stored(i int, kind dialect.PartKind, address string) (part, error) {
	location, err := url.Parse(address)
	if err != nil || location.Scheme != "https" && location.Scheme != "gs" {
		return part{}, invalid("'messages.%d': %s must be gs or https, or data with base64.", i, kind.Field())
	}
	mimeType := types[strings.ToLower(path.Ext(location.Path))]
	if mimeType == "" && isFilm(location) {
		mimeType = "video/mp4"
	}
	if mimeType == "" {
		return part{}, invalid("'messages.%d': %s must end in the type of what it points to, such as .png, for Vertex AI to read it. "+
			"Send the data itself with base64 instead.", i, kind.Field())
	}
	return part{FileData: &fileData{MIMEType: mimeType, FileURI: address}}, nil
}

// servedTier is the tier in Vertex AI's word for the kind of traffic, "" for capacity
// that is paid for otherwise.
func servedTier(traffic string) string {
	switch traffic {
	case "ON_DEMAND":
		return "default"
	case "ON_DEMAND_FLEX":
		return "flex"
	case "ON_DEMAND_PRIORITY":
		return "priority"
	}
	return ""
}

// isLabels reports whether a value can be the labels that Google Cloud shows on its bill.
func isLabels(value []byte) bool {
	if rawjson.Kind(value) != '{' {
		return false
	}
	for c := rawjson.Walk(value); c.Next(); {
		if rawjson.Kind(c.Value) != '"' {
			return false
		}
	}
	return true
}
