package guard

// Meter bounds what the searches of one request or answer take together. A nil one sets no
// bounds. Once it has said no, the search ends: what it has found is not all, and the text
// that it returns has no meaning.
type Meter interface {
	// GoOn is asked about every millisecond of work whether the search may go on. It may
	// wait.
	GoOn() bool
	// Grow is asked before labels make a text longer than it was by so many bytes more.
	Grow(bytes int) bool
}

func goOn(meter Meter) bool { return meter == nil || meter.GoOn() }
