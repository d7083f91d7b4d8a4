package dialect

// What is kept of an answer's tool calls is bounded, whatever the answer's size.
const (
	mostToolCalls = 64
	mostToolBytes = 64 << 10 // of names and arguments, together
)

// FunctionCall is a call of a function in an answer.
type FunctionCall struct {
	Choice int // that of [Event]
	Name   string
	// Arguments are what the model wrote, which should be a JSON object.
	Arguments []byte
	// Cut: there was no room for the arguments, and none are kept.
	Cut bool

	index int
}

// BeginToolCall notes that the answer calls a function. Choice and index are those of
// [Event]. Calls that there is no room for are not kept.
func (p *Progress) BeginToolCall(choice, index int, name string) {
	p.OutputBytes += int64(len(name))
	if len(p.ToolCalls) < mostToolCalls && p.toolBytes()+len(name) <= mostToolBytes {
		p.ToolCalls = append(p.ToolCalls, FunctionCall{Choice: choice, Name: name, index: index})
	}
}

// AddToolArguments adds a piece to the arguments of a call. It looks at each call that
// is kept.
func (p *Progress) AddToolArguments(choice, index int, piece string) {
	p.OutputBytes += int64(len(piece))
	for i := len(p.ToolCalls) - 1; i >= 0; i-- {
		call := &p.ToolCalls[i]
		if call.Choice != choice || call.index != index {
			continue
		}
		if call.Cut = call.Cut || p.toolBytes()+len(piece) > mostToolBytes; call.Cut {
			call.Arguments = nil
			return
		}
		call.Arguments = append(call.Arguments, piece...)
		return
	}
}

func (p *Progress) toolBytes() int {
	sum := 0
	for i := range p.ToolCalls {
		sum += len(p.ToolCalls[i].Name) + len(p.ToolCalls[i].Arguments)
	}
	return sum
}
