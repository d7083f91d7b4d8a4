package dialect

import (
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// UsualSearches is more searches than a provider makes for most requests. Where the
// client sets no bound, there is none.
const UsualSearches = 10

// mostSearches of one tool are beyond what any provider makes, and their sum does not
// overflow.
const mostSearches = 1 << 20

// HoldTool notes a tool of Chat Completions or of the Messages API that the provider runs
// itself, told by a type that is not one of the client's own tools. It is for the client's
// dialect alone, while it reads the request.
func (r *Request) HoldTool(tool []byte) {
	kind := rawjson.Text(rawjson.Get(tool, "type"))
	switch {
	case kind == "", kind == "function", kind == "custom", runsAtTheClient(kind):
		return
	case strings.Contains(kind, "web_search"):
		most, _ := rawjson.Int(rawjson.Get(tool, "max_uses"))
		r.HoldSearch(most)
	}
	r.ReadsMore = true
}

// HoldSearch notes that the provider is to search, so many times at most; zero if the
// client does not say. It is for the client's dialect alone, while it reads the request.
func (r *Request) HoldSearch(most int64) {
	if most <= 0 {
		most = UsualSearches
	}
	r.Searches += min(most, mostSearches)
	r.ReadsMore = true
}

// runsAtTheClient tells the tools of Anthropic's API that it defines, and the client runs.
func runsAtTheClient(kind string) bool {
	for _, tool := range []string{"bash_20", "text_editor_20", "computer_20", "memory_20"} {
		if strings.HasPrefix(kind, tool) {
			return true
		}
	}
	return false
}
