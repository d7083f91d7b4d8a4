package health

// ClassOf is the class of a provider's HTTP status that is not 2xx.
func ClassOf(status int) Class {
	switch status {
	case 401, 402, 403:
		return Authentication
	case 404:
		return NotFound
	case 408:
		return Timeout
	case 429:
		return RateLimited
	}
	switch {
	case status >= 500:
		return ServerError
	case status >= 400:
		return BadRequest
	default: // 1xx and 3xx: no provider of a JSON API means that
		return BadAnswer
	}
}
