package openai

import "github.com/switchyard/switchyard/extproc/dialect"

// readRouting reads the members that say who shall answer, and for whom. They are the
// same for every kind of request.
func readRouting(r *dialect.Request, name string, value []byte) error {
	if name == "user" {
		return dialect.ReadText(&r.User, name, value)
	}
	_, err := dialect.ReadRouting(r, name, value)
	return err
}
