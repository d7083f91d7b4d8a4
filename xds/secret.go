package xds

import (
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
)

// ingressTLS terminates TLS with the certificate from ingressSecret.
func (p *packer) ingressTLS(minVersion TLSVersion) *core.TransportSocket {
	lowest := tls.TlsParameters_TLSv1_2
	if minVersion == TLS13 {
		lowest = tls.TlsParameters_TLSv1_3
	}
	return p.tlsSocket(&tls.DownstreamTlsContext{CommonTlsContext: &tls.CommonTlsContext{
		TlsParams:                      &tls.TlsParameters{TlsMinimumProtocolVersion: lowest},
		AlpnProtocols:                  []string{"h2", "http/1.1"},
		TlsCertificateSdsSecretConfigs: []*tls.SdsSecretConfig{{Name: secretIngress, SdsConfig: overADS()}},
	}})
}

// ingressSecret is the listener's certificate. Envoy redacts the key in its admin
// interface.
func ingressSecret(certificate ServerTLS) *tls.Secret {
	return &tls.Secret{
		Name: secretIngress,
		Type: &tls.Secret_TlsCertificate{TlsCertificate: &tls.TlsCertificate{
			CertificateChain: inline(certificate.CertificatePEM),
			PrivateKey:       inline(certificate.KeyPEM),
		}},
	}
}

// inline takes bytes, since what stands between the blocks of a PEM file may be in any
// encoding.
func inline(pem []byte) *core.DataSource {
	return &core.DataSource{Specifier: &core.DataSource_InlineBytes{InlineBytes: pem}}
}
