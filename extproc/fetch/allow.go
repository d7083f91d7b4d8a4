package fetch

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
)

// allowed are the operator's exceptions.
type allowed struct {
	networks []netip.Prefix
	hosts    map[string]bool
	suffixes []string      // ".corp.example" for "*.corp.example"
	resolver *net.Resolver // nil for the system's
}

// private are the networks that a host which is allowed by name may be in.
var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"), // RFC 1918
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
	netip.MustParsePrefix("100.64.0.0/10"), // RFC 6598
	netip.MustParsePrefix("fc00::/7"),      // RFC 4193
}

var hostName = regexp.MustCompile(`^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)

func parseAllow(entries []string) (allowed, error) {
	a := allowed{hosts: make(map[string]bool)}
	for _, entry := range entries {
		text := strings.ToLower(entry)
		if network, err := netip.ParsePrefix(text); err == nil {
			a.networks = append(a.networks, network.Masked())
		} else if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
			address = address.Unmap()
			a.networks = append(a.networks, netip.PrefixFrom(address, address.BitLen()))
		} else if !hostName.MatchString(text) || len(text) > 253 {
			return allowed{}, fmt.Errorf("%q is neither a network such as 10.1.0.0/16, nor an address, nor a host name such as minio.internal or *.corp.example", entry)
		} else if suffix, any := strings.CutPrefix(text, "*"); any {
			a.suffixes = append(a.suffixes, suffix)
		} else {
			a.hosts[text] = true
		}
	}
	return a, nil
}

// named reports whether a host is allowed by its name.
func (a allowed) named(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if a.hosts[host] {
		return true
	}
	for _, suffix := range a.suffixes {
		if strings.HasSuffix(host, suffix) && len(host) > len(suffix) {
			return true
		}
	}
	return false
}
