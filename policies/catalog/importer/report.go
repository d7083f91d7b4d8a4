package importer

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Report is what an import could not take over, or not as it was: for each reason
// the names it holds for. Nothing is left out of a catalog without being here.
type Report struct {
	reasons map[string][]string
}

// add notes that the reason holds for the name.
func (r *Report) add(name, format string, arguments ...any) {
	if r.reasons == nil {
		r.reasons = map[string][]string{}
	}
	reason := fmt.Sprintf(format, arguments...)
	r.reasons[reason] = append(r.reasons[reason], name)
}

// Write lists the reasons, each with its count and, unless all are asked for, the
// first few of its names.
func (r *Report) Write(w io.Writer, all bool) error {
	const few = 3
	for _, reason := range slices.Sorted(maps.Keys(r.reasons)) {
		names := slices.Sorted(slices.Values(r.reasons[reason]))
		more := ""
		if !all && len(names) > few {
			names, more = names[:few], ", ..."
		}
		if _, err := fmt.Fprintf(w, "%d: %s: %s%s\n", len(r.reasons[reason]), reason, strings.Join(names, ", "), more); err != nil {
			return err
		}
	}
	return nil
}
