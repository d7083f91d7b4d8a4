package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"
)

const (
	longestURL     = 8192
	mostRedirects  = 3
	longestHeaders = 64 << 10
	userAgent      = "switchyard" // as providers see it
)

// public admits what is on the internet for everyone: no address of IANA's special
// registries, and in IPv6 no form that stands for an IPv4 address. The list is
// code.dny.dev/ssrf's, which is generated from those registries.
var public = ssrf.New(ssrf.WithPorts(443))

// never may be fetched from, whatever is allowed: what clouds tell a machine, its
// credentials included. The other addresses of these are link-local, or follow from
// public.
var never = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),     // AWS, Azure, Google Cloud, ...
	netip.MustParsePrefix("fe80::/10"),          // link-local
	netip.MustParsePrefix("fd00:ec2::/32"),      // AWS
	netip.MustParsePrefix("fd20:ce::254/128"),   // Google Cloud
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba Cloud
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure's wire server, a public address
}

// newClient returns a client that speaks for nobody: no proxy, no cookies, no
// credentials, and no connection that was checked for one request serves another.
func newClient(allow allowed) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				host, _, err := net.SplitHostPort(address)
				if err != nil {
					return nil, err
				}
				dialer := net.Dialer{Resolver: allow.resolver, Control: func(network, address string, _ syscall.RawConn) error {
					return allow.connect(host, address)
				}}
				return dialer.DialContext(ctx, network, address)
			},
			DisableKeepAlives:      true,
			DisableCompression:     true, // a small answer must not become a large one
			MaxResponseHeaderBytes: longestHeaders,
		},
		CheckRedirect: func(next *http.Request, before []*http.Request) error {
			if len(before) > mostRedirects {
				return errRedirect
			}
			next.Header.Del("Referer") // the URL before may be signed
			_, err := checkURL(next.URL.String())
			return err
		},
	}
}

// connect tells whether a connection may be made to an address that host has resolved
// to. It is asked behind the resolver, for every address that is tried, so that a name
// cannot say one thing when it is checked and another when it is used.
func (a allowed) connect(host, address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return errNotOurs
	}
	ip := to.Addr().Unmap()
	switch {
	case ip.Zone() != "" || contains(never, ip) || contains(never, embedded(ip)):
		return errNotOurs
	case contains(a.networks, ip), a.named(host) && contains(private, ip):
		return nil
	case a.named(host) && public.SafeAddr(ip) == nil:
		return nil // at any port
	case public.SafeAddrPort(netip.AddrPortFrom(ip, to.Port())) != nil:
		return errNotOurs
	}
	return nil
}

// translated are networks whose addresses end in one of IPv4 that a gateway of the network
// (NAT64, RFC 6052 and 8215) or the machine itself turns them into, and sixToFour are those
// that hold one behind their prefix (RFC 3056).
var (
	translated = []netip.Prefix{netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("::/96")}
	sixToFour  = netip.MustParsePrefix("2002::/16")
)

// embedded is the address of IPv4 that one of IPv6 stands for, or ip itself.
func embedded(ip netip.Addr) netip.Addr {
	if !ip.Is6() {
		return ip
	}
	whole := ip.As16()
	switch {
	case contains(translated, ip):
		return netip.AddrFrom4([4]byte(whole[12:]))
	case sixToFour.Contains(ip):
		return netip.AddrFrom4([4]byte(whole[2:6]))
	}
	return ip
}

func contains(networks []netip.Prefix, ip netip.Addr) bool {
	for _, network := range networks {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}

// get asks for what is at a URL, and follows it where it redirects.
func (f *Fetcher) get(ctx context.Context, location string) (*http.Response, error) {
	at, err := checkURL(location)
	if err != nil {
		return nil, err
	}
	request := (&http.Request{Method: http.MethodGet, URL: at, Host: at.Host, Header: http.Header{
		"User-Agent":      {userAgent},
		"Accept":          {"image/*, application/pdf, audio/*, video/*"},
		"Accept-Encoding": {"identity"},
	}}).WithContext(ctx)
	response, err := f.client.Do(request)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // without the URL, which may be signed
		}
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, reason(fmt.Sprintf("its server answered %d", response.StatusCode))
	}
	return response, nil
}

func checkURL(location string) (*url.URL, error) {
	if len(location) > longestURL {
		return nil, errURL
	}
	at, err := url.Parse(location)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Hostname() == "" || at.User != nil {
		return nil, errURL
	}
	at.Fragment, at.RawFragment = "", ""
	return at, nil
}

// hostOf is as much of a URL as may be repeated.
func hostOf(location string) string {
	at, err := url.Parse(location)
	if err != nil || at.Hostname() == "" {
		return "a URL"
	}
	const longest = 253 // bytes, of a name in DNS
	host := at.Hostname()
	return strings.ToValidUTF8(host[:min(len(host), longest)], "")
}
