package main

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func TestNewProcessTakesOverTheSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	old, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	before, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	if _, err := old.Accept(); err != nil {
		t.Fatal(err)
	}

	fresh, err := listen(path)
	if err != nil {
		t.Fatalf("a second process cannot take the socket over: %v", err)
	}
	defer fresh.Close()
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the old process took the socket with it: %v", err)
	}
	after, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	if _, err := fresh.Accept(); err != nil {
		t.Errorf("the new process does not get new connections: %v", err)
	}
}

// A stream that is ended still settles what it did: what comes behind the stop must not
// find it at work. One that does not end holds nobody for long.
func TestStopWaitsForHandlers(t *testing.T) {
	const drain = 300 * time.Millisecond
	opened, ended, settle := make(chan struct{}), make(chan struct{}), make(chan struct{})
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		close(opened)
		<-stream.Context().Done()
		close(ended)
		<-settle
		return nil
	}))
	path := filepath.Join(t.TempDir(), "s.sock")
	listener, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	client, err := grpc.NewClient("unix:"+path, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/any/thing"); err != nil {
		t.Fatal(err)
	}
	<-opened
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stopGracefully(server, drain)
	}()
	<-ended
	select {
	case <-stopped:
		t.Error("stopped while a handler is at work")
	case <-time.After(drain / 10):
	}
	<-stopped // for it does not end
	close(settle)
	server.GracefulStop()
}
