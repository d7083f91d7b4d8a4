package anthropic

import "github.com/switchyard/switchyard/extproc/dialect"

// format asks for an answer that keeps to a schema. The API has no mode for JSON
// without one.
func (b *builder) format() {
	if wanted := b.chat.Format; wanted != nil && wanted.Type != "text" {
		if wanted.Type == "json_schema" && len(wanted.Schema) > 0 && b.takes("response_format", "structured_outputs") {
			schema, dropped := dialect.ClosedSchema(wanted.Schema, "response_format.json_schema.schema")
			b.output().Format = &format{Type: "json_schema", Schema: schema}
			b.drop(dropped...)
		} else {
			b.drop("response_format")
			if wanted.Type == "json_object" && b.takes("response_format") {
				b.request.System = append(b.request.System, block{Type: "text", Text: dialect.JSONInstruction})
			}
		}
	}
	if b.chat.Verbosity == "" {
		return
	}
	// Few models take an effort, and the rest refuse it.
	set := b.request.OutputConfig != nil && b.request.OutputConfig.Effort != ""
	if b.target.Supported == nil || !b.takes("verbosity") || set {
		b.drop("verbosity")
		return
	}
	b.output().Effort = b.chat.Verbosity
}

func (b *builder) output() *outputConfig {
	if b.request.OutputConfig == nil {
		b.request.OutputConfig = &outputConfig{}
	}
	return b.request.OutputConfig
}
