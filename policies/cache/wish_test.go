package cache

import (
	"strings"
	"testing"
	"time"
)

func TestRow110And111Wish(t *testing.T) {
	yes, no := true, false
	seconds := func(n int64) *int64 { return &n }
	off := Wish{}
	on := func(ttl time.Duration) Wish { return Wish{Enabled: true, TimeToLive: ttl} }
	for name, test := range map[string]struct {
		said Said
		want Wish
	}{
		"nothing":                          {Said{}, off},
		"a time alone":                     {Said{TTL: "60", Clear: "true"}, off},
		"off":                              {Said{Cache: "false"}, off},
		"on":                               {Said{Cache: "true"}, on(5 * time.Minute)},
		"in capitals":                      {Said{Cache: "TRUE"}, on(5 * time.Minute)},
		"another word":                     {Said{Cache: "yes"}, off},
		"for a minute":                     {Said{Cache: "true", TTL: " 60 "}, on(time.Minute)},
		"row 111: for too long":            {Said{Cache: "true", TTL: "999999"}, on(24 * time.Hour)},
		"beyond any number":                {Said{Cache: "true", TTL: "99999999999999999999"}, on(24 * time.Hour)},
		"for no time":                      {Said{Cache: "true", TTL: "0"}, on(time.Second)},
		"for less than no time":            {Said{Cache: "true", TTL: "-5"}, on(time.Second)},
		"below any number":                 {Said{Cache: "true", TTL: "-99999999999999999999"}, on(time.Second)},
		"refresh":                          {Said{Cache: "true", Clear: "true"}, Wish{Enabled: true, TimeToLive: 5 * time.Minute, Refresh: true}},
		"do not refresh":                   {Said{Cache: "true", Clear: "false"}, on(5 * time.Minute)},
		"a preset for it":                  {Said{Preset: &yes, PresetTTL: seconds(9)}, on(9 * time.Second)},
		"a preset's time is clamped":       {Said{Preset: &yes, PresetTTL: seconds(1 << 40)}, on(24 * time.Hour)},
		"a preset's time, the header's on": {Said{Cache: "true", PresetTTL: seconds(9)}, on(9 * time.Second)},
		"the header's time wins":           {Said{TTL: "7", Preset: &yes, PresetTTL: seconds(9)}, on(7 * time.Second)},
		"a preset for it, the header not":  {Said{Cache: "false", Preset: &yes}, off},
		"a preset against it":              {Said{Cache: "true", Preset: &no}, off},
		"a bad time where it is off":       {Said{TTL: "x"}, off},
		"another word, a preset for it":    {Said{Cache: "maybe", Preset: &yes}, on(5 * time.Minute)},
		"a preset for it, and refresh":     {Said{Clear: "TRUE", Preset: &yes}, Wish{Enabled: true, TimeToLive: 5 * time.Minute, Refresh: true}},
	} {
		if got, err := test.said.Wish(); err != nil || got != test.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, test.want)
		}
	}
	for _, ttl := range []string{"5m", "1.5", "0x10", "1e3", "x", "１"} {
		if _, err := (&Said{Cache: "true", TTL: ttl}).Wish(); err == nil || !strings.Contains(err.Error(), "X-OpenRouter-Cache-TTL") {
			t.Errorf("%s: error %v, want one that names the header", ttl, err)
		}
	}
}
