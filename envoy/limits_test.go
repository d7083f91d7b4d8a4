package envoy

import (
	"testing"
	"testing/fstest"
)

func TestMemoryIsTheLeastLimit(t *testing.T) {
	t.Parallel()
	const meminfo, v2, v1 = "proc/meminfo", "sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"
	for name, test := range map[string]struct {
		files map[string]string
		want  uint64
	}{
		"unknown":             {nil, 0},
		"machine":             {map[string]string{meminfo: "MemTotal:       2048 kB\nMemFree: 1 kB\n"}, 2 << 20},
		"container, v2":       {map[string]string{meminfo: "MemTotal: 2048 kB\n", v2: "1048576\n"}, 1 << 20},
		"container, v1":       {map[string]string{meminfo: "MemTotal: 2048 kB\n", v1: "1048576\n"}, 1 << 20},
		"container, no limit": {map[string]string{meminfo: "MemTotal: 2048 kB\n", v2: "max\n"}, 2 << 20},
		"above the machine":   {map[string]string{meminfo: "MemTotal: 2048 kB\n", v1: "9223372036854771712\n"}, 2 << 20},
		"nonsense":            {map[string]string{meminfo: "MemTotal: much\n", v2: "", v1: "-1\n"}, 0},
	} {
		root := fstest.MapFS{}
		for file, content := range test.files {
			root[file] = &fstest.MapFile{Data: []byte(content)}
		}
		if got := Memory(root); got != test.want {
			t.Errorf("%s: %d bytes, want %d", name, got, test.want)
		}
	}
}

func TestLimitsLeaveRoom(t *testing.T) {
	t.Parallel()
	got := machineLimits(fstest.MapFS{"proc/meminfo": &fstest.MapFile{Data: []byte("MemTotal: 4096 kB\n")}})
	if got.heap != 3<<20 {
		t.Errorf("heap of %d bytes, want three quarters of 4 MiB", got.heap)
	}
	if got.connections < 100 || got.connections > mostConnections {
		t.Errorf("%d connections", got.connections)
	}
}
