package envoy

import (
	"bufio"
	"io/fs"
	"strconv"
	"strings"
	"syscall"
)

// limits are what Envoy may use before it turns clients away, which is better
// than being killed with all of them.
type limits struct {
	connections uint64 // of clients
	heap        uint64 // bytes; 0 is no limit
}

// mostConnections is the limit where the machine sets none below.
const mostConnections = 50_000

// machineLimits looks at what this process, and so its children, may use.
// root is the root of the file system.
func machineLimits(root fs.FS) limits {
	found := limits{connections: mostConnections, heap: Memory(root) / 4 * 3}
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err == nil {
		// A client takes one descriptor and its provider another; a third of
		// them is left for whatever else.
		found.connections = min(found.connections, max(uint64(files.Cur)/3, 100)) //nolint:unconvert // signed on some systems
	}
	return found
}

// Memory returns the bytes that the machine has, or the container if it has
// less; 0 if neither is known, as outside Linux. root is the root of the file system.
func Memory(root fs.FS) uint64 {
	var least uint64
	for _, file := range []string{
		"proc/meminfo",
		"sys/fs/cgroup/memory.max",                   // cgroup v2
		"sys/fs/cgroup/memory/memory.limit_in_bytes", // cgroup v1
	} {
		if bytes := amount(root, file); bytes > 0 && (least == 0 || bytes < least) {
			least = bytes
		}
	}
	return least
}

// amount reads the first line: "MemTotal: 1024 kB", "1048576", or "max", which
// is none.
func amount(root fs.FS, file string) uint64 {
	text, err := root.Open(file)
	if err != nil {
		return 0
	}
	defer text.Close()
	line, _ := bufio.NewReader(text).ReadString('\n')
	line = strings.TrimSpace(strings.TrimPrefix(line, "MemTotal:"))
	digits, kilobytes := strings.CutSuffix(line, " kB")
	bytes, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0
	}
	if kilobytes {
		bytes <<= 10
	}
	return bytes
}
