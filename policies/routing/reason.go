package routing

import (
	"fmt"
	"strings"
)

// Reason says to people why an endpoint stands where it stands, or stands nowhere.
// It is put into words only when somebody asks for them.
type Reason struct {
	// words are a format of text if there is one, else of number.
	words  string
	text   string
	number float64
}

func (r Reason) String() string {
	switch {
	case r.text != "":
		return fmt.Sprintf(r.words, r.text)
	case strings.Contains(r.words, "%"):
		return fmt.Sprintf(r.words, r.number)
	}
	return r.words
}
