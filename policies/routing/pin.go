package routing

// pin puts the endpoint first that the conversation went to before, because it may
// have the prompt cached (spec section 4.7, rows 105 to 107). It is worth something
// only if cached tokens are cheaper, or if the client ties the conversation itself.
// It never holds against the request's order, nor for an endpoint that is not to be
// relied on, and it does not make a fallback model the first one.
func (s *scope) pin(entries []entry) {
	pin := s.request.Pin
	if pin == nil || len(s.request.Preferences.Order) > 0 {
		return
	}
	for i := range entries {
		e := &entries[i]
		if e.endpoint.ID != pin.EndpointID || e.state >= down || e.group > 0 {
			continue
		}
		prices := s.prices(e.endpoint)
		e.pinned = pin.Session || prices.CacheRead < prices.Prompt
	}
}
