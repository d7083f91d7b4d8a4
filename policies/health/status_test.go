package health

import "testing"

func TestClassOfProviderStatus(t *testing.T) {
	for status, want := range map[int]Class{
		301: BadAnswer, 400: BadRequest, 401: Authentication, 402: Authentication,
		403: Authentication, 404: NotFound, 408: Timeout, 413: BadRequest,
		422: BadRequest, 429: RateLimited, 500: ServerError, 503: ServerError, 529: ServerError,
	} {
		if got := ClassOf(status); got != want {
			t.Errorf("ClassOf(%d) = %v, want %v", status, got, want)
		}
	}
}
