package dialect

import "github.com/switchyard/switchyard/extproc/sse"

// Passing is what the pipes of every [Passer] share, to be embedded in them.
type Passing struct {
	Request *Request
	// Passed is the progress so far, to be kept by the pipe.
	Passed Progress
	// Translation takes over where client and provider disagree on streaming. The pipe
	// makes it when it comes to that.
	Translation Pipe
}

// Comment appends a keep-alive comment to a stream.
func (p *Passing) Comment(dst []byte, text string) []byte { return appendComment(dst, p.Request, text) }

// Progress tells what has passed so far.
func (p *Passing) Progress() Progress {
	if p.Translation != nil {
		return p.Translation.Progress()
	}
	return p.Passed.Settled(p.Request)
}

// Counted is Progress with tokens counted.
func (p *Passing) Counted() Progress {
	if p.Translation != nil {
		return p.Translation.Counted()
	}
	return p.Passed.Counted(p.Request)
}

// appendComment leaves whole answers alone, which have no place for a comment.
func appendComment(dst []byte, request *Request, text string) []byte {
	if !request.Stream {
		return dst
	}
	return sse.AppendComment(dst, text)
}
