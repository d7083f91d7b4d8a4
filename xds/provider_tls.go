package xds

import (
	"cmp"
	"errors"
	"net/netip"
	"os"
	"strings"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"github.com/envoyproxy/go-control-plane/pkg/wellknown"

	"google.golang.org/protobuf/proto"
)

// providerTLS checks the chain and the name. SNI is static: Envoy's auto_sni
// would send what the client asked for. ALPN follows the HTTP configuration.
func (p *packer) providerTLS(site Cluster, systemCAFile string) *core.TransportSocket {
	serverName := strings.TrimSuffix(cmp.Or(site.TLS.ServerName, site.Host), ".")
	name := &tls.SubjectAltNameMatcher{
		// For DNS names Envoy matches wildcard certificates here too.
		SanType: tls.SubjectAltNameMatcher_DNS,
		Matcher: &matcher.StringMatcher{MatchPattern: &matcher.StringMatcher_Exact{Exact: serverName}},
	}
	sni := serverName
	if _, err := netip.ParseAddr(serverName); err == nil {
		name.SanType = tls.SubjectAltNameMatcher_IP_ADDRESS
		sni = "" // RFC 6066, section 3: literal addresses are not permitted
	}
	authorities := &core.DataSource{Specifier: &core.DataSource_Filename{Filename: systemCAFile}}
	if len(site.TLS.AuthoritiesPEM) > 0 {
		authorities = inline(site.TLS.AuthoritiesPEM)
	}
	return p.tlsSocket(&tls.UpstreamTlsContext{
		Sni: sni,
		CommonTlsContext: &tls.CommonTlsContext{
			TlsParams: &tls.TlsParameters{TlsMinimumProtocolVersion: tls.TlsParameters_TLSv1_2, TlsMaximumProtocolVersion: tls.TlsParameters_TLSv1_3},
			ValidationContextType: &tls.CommonTlsContext_ValidationContext{ValidationContext: &tls.CertificateValidationContext{
				TrustedCa:                 authorities,
				MatchTypedSubjectAltNames: []*tls.SubjectAltNameMatcher{name},
			}},
		},
	})
}

func (p *packer) tlsSocket(context proto.Message) *core.TransportSocket {
	return &core.TransportSocket{
		Name:       wellknown.TransportSocketTLS,
		ConfigType: &core.TransportSocket_TypedConfig{TypedConfig: p.pack(context)},
	}
}

// FindSystemCAFile returns the machine's bundle of trusted authorities, or an
// error that says how to get one. SSL_CERT_FILE is honoured first, as by
// OpenSSL and Go; then come the usual places of the distributions.
func FindSystemCAFile() (string, error) {
	for _, file := range []string{
		os.Getenv("SSL_CERT_FILE"),
		"/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Alpine
		"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora, RHEL 6
		"/etc/ssl/ca-bundle.pem",                            // openSUSE
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // RHEL 7 and later
		"/etc/ssl/cert.pem",                                 // macOS, FreeBSD
	} {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file, nil
		}
	}
	return "", errors.New("no bundle of certificate authorities found: install the package ca-certificates, or set SSL_CERT_FILE")
}
