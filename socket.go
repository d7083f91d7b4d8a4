package main

import (
	"fmt"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
)

// handover is a Unix socket that a new process can take over from an old one
// without a moment in which nobody listens.
type handover struct{ *net.UnixListener }

// listen binds path. It is bound under another name and moved over what stands
// there: Envoy's next connection reaches the new process, and connections that
// the old one has go on. The old process must not remove the path when it ends.
func listen(path string) (*handover, error) {
	fresh := fmt.Sprintf("%s.%d", path, os.Getpid())
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: fresh, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false)
	if err := os.Rename(fresh, path); err != nil {
		listener.Close()
		return nil, err
	}
	return &handover{listener}, nil
}

// stopGracefully lets streams in flight finish, for so long, and then ends them. For as
// long again it waits for their handlers, which still have to settle what they did.
func stopGracefully(server *grpc.Server, wait time.Duration) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.GracefulStop() // behind Stop too it waits for the handlers
	}()
	patience := time.NewTimer(wait)
	defer patience.Stop()
	select {
	case <-done:
		return
	case <-patience.C:
	}
	server.Stop()
	patience.Reset(wait)
	select {
	case <-done:
	case <-patience.C:
	}
}
