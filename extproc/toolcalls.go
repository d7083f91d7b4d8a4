package extproc

import "github.com/switchyard/switchyard/extproc/dialect/toolschema"

// toolCalls counts the answer's calls of tools that can be judged, and those among them
// that are invalid (spec section 2.4). A bound that the client has set on the answer
// may cut a call in the middle, which is nobody's mistake.
func (a *attempt) toolCalls() (judged, invalid int64) {
	progress := a.answer.pipe.Counted() // whatever a guardrail made of the calls
	if len(progress.ToolCalls) == 0 || progress.FinishReason == "length" {
		return 0, 0
	}
	tools, err := toolschema.Offered(a.request)
	if err != nil {
		return 0, 0
	}
	good, bad := toolschema.Check(tools, progress.ToolCalls)
	return int64(good + bad), int64(bad)
}
