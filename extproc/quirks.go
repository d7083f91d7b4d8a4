package extproc

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

// quirksOf puts what the configuration says of a provider into the dialect's terms.
func quirksOf(q *configpb.Quirks) *dialect.Quirks {
	if q == nil {
		return nil
	}
	return &dialect.Quirks{
		Rename:             q.GetRename(),
		Cap:                q.GetCap(),
		Roles:              q.GetRoles(),
		RequiredToolChoice: q.GetRequiredToolChoice(),
		Reasoning:          reasoningForms[q.GetReasoning()],
		Efforts:            q.GetEfforts(),
		ReasoningField:     q.GetReasoningField(),
		TextContent:        q.GetTextContent(),
		NoNullContent:      q.GetNoNullContent(),
	}
}

var reasoningForms = map[configpb.ReasoningForm]dialect.ReasoningForm{
	configpb.ReasoningForm_REASONING_FORM_THINKING:        dialect.ReasoningThinking,
	configpb.ReasoningForm_REASONING_FORM_ENABLE_THINKING: dialect.ReasoningEnableThinking,
	configpb.ReasoningForm_REASONING_FORM_CHAT_TEMPLATE:   dialect.ReasoningChatTemplate,
	configpb.ReasoningForm_REASONING_FORM_ENABLED:         dialect.ReasoningEnabled,
	configpb.ReasoningForm_REASONING_FORM_OBJECT:          dialect.ReasoningObject,
}
