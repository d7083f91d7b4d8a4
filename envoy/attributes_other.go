//go:build !linux

package envoy

import "syscall"

// attributes give the child a group of its own: a terminal's Ctrl-C would cut
// every stream before the drain.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
