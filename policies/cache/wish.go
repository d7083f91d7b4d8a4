package cache

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	usual    = 5 * time.Minute
	shortest = time.Second
	longest  = 24 * time.Hour
)

// Said is what a request says of the cache: three headers, each "" if it is not there,
// and what its preset has.
type Said struct {
	// Cache is X-OpenRouter-Cache, TTL X-OpenRouter-Cache-TTL and Clear
	// X-OpenRouter-Cache-Clear.
	Cache, TTL, Clear string
	// Preset is the preset's cache_enabled, nil if it has none, and PresetTTL its
	// cache_ttl_seconds.
	Preset    *bool
	PresetTTL *int64
}

// Wish is what a request wants of the cache.
type Wish struct {
	// Enabled: its answer may come from there, and may be kept. If not, the rest is of no
	// matter.
	Enabled bool
	// TimeToLive is for how long its answer is kept: 1 second to 24 hours, by default 5
	// minutes.
	TimeToLive time.Duration
	// Refresh: the entry that there is goes, and the answer takes its place.
	Refresh bool
}

// Wish reads what was said. A preset that is against it wins over the headers, one that
// is for it does not. Of the header of on and off only the words true and false count,
// in any case. A time to live beyond its range is brought into it; the error is of one
// that is no whole number, and fit to be shown to the client.
func (s *Said) Wish() (Wish, error) {
	enabled := strings.EqualFold(s.Cache, "true")
	if s.Preset != nil && !strings.EqualFold(s.Cache, "false") {
		enabled = *s.Preset
	}
	if !enabled {
		return Wish{}, nil
	}
	wish := Wish{Enabled: true, TimeToLive: usual, Refresh: strings.EqualFold(s.Clear, "true")}
	switch {
	case s.TTL != "":
		seconds, err := strconv.ParseInt(strings.TrimSpace(s.TTL), 10, 64)
		// One that is beyond an int64 comes as the largest, which is as good.
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return Wish{}, fmt.Errorf("X-OpenRouter-Cache-TTL must be a whole number of seconds from 1 to 86400, not %.64q", s.TTL)
		}
		wish.TimeToLive = clamped(seconds)
	case s.PresetTTL != nil:
		wish.TimeToLive = clamped(*s.PresetTTL)
	}
	return wish, nil
}

func clamped(seconds int64) time.Duration {
	return time.Duration(min(max(seconds, int64(shortest/time.Second)), int64(longest/time.Second))) * time.Second
}
