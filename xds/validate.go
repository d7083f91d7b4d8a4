package xds

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"path"
	"regexp"
	"strings"
	"time"
)

// maxSocketPath is the longest Unix socket path Linux accepts (unix(7):
// sun_path has 108 bytes with the terminator).
const maxSocketPath = 107

var (
	clusterName = regexp.MustCompile(`^[A-Za-z0-9._/-]{1,128}$`)
	// A DNS name as in RFC 1123, with the underscore that real zones contain.
	hostName = regexp.MustCompile(`^([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?$`)
)

// validate reports everything wrong with the inputs, each with the field and
// what would be right.
func (in Inputs) validate() error {
	var errs []error
	report := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if _, err := netip.ParseAddr(in.Listen.Host); err != nil {
		report("listen.host %q: give an IP address, such as 127.0.0.1 or ::", in.Listen.Host)
	}
	if in.Listen.Port > math.MaxUint16 {
		report("listen.port %d: give a port from 0 to 65535", in.Listen.Port)
	}
	if in.TLS != nil {
		if len(in.TLS.CertificatePEM) == 0 {
			report("tls.certificate: give PEM")
		}
		if len(in.TLS.KeyPEM) == 0 {
			report("tls.key: give PEM")
		}
	}
	if in.MaxRequestBytes > math.MaxUint32 {
		report("max_request_bytes %d: Envoy buffers at most %d", in.MaxRequestBytes, uint32(math.MaxUint32))
	}
	if in.APISocket == "" || len(in.APISocket) > maxSocketPath {
		report("api_socket %q: give a path of 1 to %d bytes", in.APISocket, maxSocketPath)
	}
	for name, duration := range map[string]time.Duration{
		"hedge_after":         in.HedgeAfter,
		"stream_idle_timeout": in.StreamIdleTimeout,
		"max_stream_duration": in.MaxStreamDuration,
		"request_timeout":     in.RequestTimeout,
	} {
		if duration < 0 {
			report("%s %s: give 0 or more", name, duration)
		}
	}
	seen := make(map[string]bool)
	for _, inference := range in.InferencePaths {
		switch {
		case !strings.HasPrefix(inference, "/") || path.Clean(inference) != strings.TrimSuffix(inference, "/") || strings.ContainsAny(inference, "?#"):
			report("inference_paths %q: give a clean absolute path without query", inference)
		case seen[inference]:
			report("inference_paths %q: listed twice", inference)
		}
		seen[inference] = true
	}
	named := make(map[string]bool)
	for i, cluster := range in.Clusters {
		for _, err := range cluster.validate(in.SystemCAFile) {
			report("clusters[%d] %q: %w", i, cluster.Name, err)
		}
		if named[cluster.Name] {
			report("clusters[%d] %q: the name is taken by another cluster", i, cluster.Name)
		}
		named[cluster.Name] = true
	}
	return errors.Join(errs...)
}

func (c Cluster) validate(systemCAFile string) []error {
	var errs []error
	report := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	switch c.Name {
	case ListenerAttempt, ClusterAPI, ClusterProcessor, ClusterControlPlane:
		report("name: reserved for the gateway itself")
	default:
		if !clusterName.MatchString(c.Name) {
			report("name: give 1 to 128 letters, digits, or - _ . /")
		}
	}
	if _, err := netip.ParseAddr(c.Host); err != nil && (len(c.Host) > 253 || !hostName.MatchString(c.Host)) {
		report("host %q: give a DNS name or an IP address, without scheme, port or brackets", c.Host)
	}
	if c.Port == 0 || c.Port > math.MaxUint16 {
		report("port %d: give a port from 1 to 65535", c.Port)
	}
	if c.ConnectTimeout < 0 {
		report("connect_timeout %s: give 0 or more", c.ConnectTimeout)
	}
	if c.TLS != nil {
		if c.TLS.ServerName != "" && !hostName.MatchString(c.TLS.ServerName) {
			report("tls.server_name %q: give a DNS name", c.TLS.ServerName)
		}
		if len(c.TLS.AuthoritiesPEM) == 0 && systemCAFile == "" {
			report("tls.ca_file: no system bundle was found, install ca-certificates or name a file")
		}
	}
	return errs
}
