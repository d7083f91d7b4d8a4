package provider

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
)

// Network says how a fake is reached. The zero value is plain HTTP/1.1 on a
// free loopback port.
type Network struct {
	// Address is where to listen, "127.0.0.1:0" unless given. Give a closed
	// server's address to bring it back.
	Address string
	// TLS signs the server's certificate; nil serves without TLS.
	TLS *Authority
	// Names are the certificate's subject alternative names, DNS names or IP
	// addresses; "localhost" and "127.0.0.1" unless given.
	Names []string
	// HTTP2 is offered besides HTTP/1.1: by ALPN with TLS, by prior knowledge
	// without.
	HTTP2 bool
}

// Server is a fake that listens.
type Server struct {
	// Address is the host and port that accept connections.
	Address string
	// URL is the base URL for a gateway's configuration, such as
	// "http://127.0.0.1:4242/v1". Its host is the address, whatever the
	// certificate's names.
	URL string

	server *http.Server
	served chan struct{}
}

// connKey is the context key of a request's connection.
type connKey struct{}

// Start listens and serves until [Server.Close]. It fails when the address
// cannot be listened on or a certificate cannot be made.
func (p *Provider) Start(network Network) (*Server, error) {
	address := network.Address
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("fake provider: %w", err)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(network.HTTP2 && network.TLS != nil)
	protocols.SetUnencryptedHTTP2(network.HTTP2 && network.TLS == nil)
	s := &Server{
		Address: listener.Addr().String(),
		served:  make(chan struct{}),
		server: &http.Server{
			Handler:   p,
			Protocols: protocols,
			// Handshakes that fail and handlers that abort are what the
			// scripts are for.
			ErrorLog: log.New(io.Discard, "", 0),
			ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
				return context.WithValue(ctx, connKey{}, conn)
			},
		},
	}
	scheme := "http"
	if network.TLS != nil {
		scheme = "https"
		certificate, err := network.TLS.issue(network.Names)
		if err != nil {
			_ = listener.Close()
			return nil, fmt.Errorf("fake provider: %w", err)
		}
		s.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	}
	s.URL = scheme + "://" + s.Address + p.config.Base
	go s.serve(listener, network.TLS != nil)
	return s, nil
}

func (s *Server) serve(listener net.Listener, encrypted bool) {
	defer close(s.served)
	if encrypted {
		_ = s.server.ServeTLS(listener, "", "")
		return
	}
	_ = s.server.Serve(listener)
}

// Close stops listening and breaks all connections off; hanging scripts end.
// Connections to its address are refused from then on.
func (s *Server) Close() {
	_ = s.server.Close()
	<-s.served
}

// tcpConn is the TCP connection below a server's connection, nil if there is none.
func tcpConn(conn net.Conn) *net.TCPConn {
	if encrypted, ok := conn.(*tls.Conn); ok {
		conn = encrypted.NetConn()
	}
	tcp, _ := conn.(*net.TCPConn)
	return tcp
}
