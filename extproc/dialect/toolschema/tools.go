package toolschema

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Offered returns the tools of a request. Of Chat Completions only the tools are read,
// since conversations are long; other dialects read all of the body. The error is that
// of the dialect.
func Offered(request *dialect.Request) ([]dialect.Tool, error) {
	if request.Dialect != openai.Name {
		chat, err := request.Chat()
		if err != nil {
			return nil, err
		}
		return chat.Tools, nil
	}
	var tools []dialect.Tool
	for element := rawjson.Walk(rawjson.Get(request.Raw, "tools")); element.Next(); {
		function := rawjson.Get(element.Value, "function")
		if rawjson.Kind(function) != '{' {
			tools = append(tools, dialect.Tool{Other: element.Value})
			continue
		}
		tool := dialect.Tool{Name: rawjson.Text(rawjson.Get(function, "name"))}
		if parameters := rawjson.Get(function, "parameters"); rawjson.Present(parameters) {
			tool.Parameters = parameters
		}
		tools = append(tools, tool)
	}
	return tools, nil
}
