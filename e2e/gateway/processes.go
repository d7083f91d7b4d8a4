package gateway

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// EnvoyPID is the process of the Envoy that the gateway supervises. It reads
// /proc, so it works on Linux only.
func (g *Gateway) EnvoyPID() (int, error) {
	pending := []int{g.PID()}
	for len(pending) > 0 {
		pid := pending[0]
		pending = append(pending[1:], children(pid)...)
		if executable, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil {
			if strings.HasPrefix(filepath.Base(executable), "envoy") {
				return pid, nil
			}
		}
	}
	return 0, fmt.Errorf("process %d has no Envoy below it", g.PID())
}

// children are a process's, over all of its threads.
func children(pid int) []int {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var all []int
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue
		}
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}
