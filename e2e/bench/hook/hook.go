//go:build profile

// This file is not part of the product. The benchmark overlays it onto package
// main of a gateway that it builds for a profile; see profile.go.
package main

import (
	"net"
	"net/http"
	_ "net/http/pprof" // registers itself
)

// init serves net/http/pprof on a Unix socket in the working directory.
func init() {
	listener, err := net.Listen("unix", "pprof.sock")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, nil)
}
