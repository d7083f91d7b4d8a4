package envoy

import "syscall"

// attributes tie the child to the gateway: should the gateway be killed, Envoy
// must not keep the port. A group of its own keeps a terminal's Ctrl-C from it,
// which would cut every stream before the drain.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
