package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU times in /proc: USER_HZ is 100 on every architecture
// that Go runs on (proc_pid_stat(5)).
const tick = 10 * time.Millisecond

// cpuOf is the CPU time that a process has used, in user mode and in the kernel
// together. It is 0 for the process 0, which stands for none.
func cpuOf(pid int) (time.Duration, error) {
	if pid == 0 {
		return 0, nil
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return cpuIn(stat)
}

// cpuIn reads the fields 14 and 15. The second one is the command in parentheses
// and may hold anything, so counting starts behind it.
func cpuIn(stat []byte) (time.Duration, error) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("a process's stat is cut off: %q", stat)
	}
	user, err1 := strconv.ParseInt(string(fields[11]), 10, 64)
	system, err2 := strconv.ParseInt(string(fields[12]), 10, 64)
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

// cpuOfMachine is the CPU time that all processes of the machine have used, the
// hypervisor's share included.
func cpuOfMachine() (time.Duration, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return busyIn(string(stat))
}

// busyIn reads the first line: user, nice, system, idle, iowait, irq, softirq and
// steal (proc_stat(5)). All but the two of idleness count.
func busyIn(stat string) (busy time.Duration, err error) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, fmt.Errorf("the machine's stat starts with %q", line)
	}
	for i, field := range fields[1:9] {
		const idle, waiting = 3, 4
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		if i != idle && i != waiting {
			busy += time.Duration(ticks) * tick
		}
	}
	return busy, nil
}

// memory is a process's resident set in bytes: now, at its highest, and what of it now
// is anonymous. The rest is the program's own file, of which the kernel maps more or less
// as the file happens to be cached: 47 and 62 MB were seen of the same one.
type memory struct{ now, highest, anonymous int64 }

func memoryOf(pid int) (memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, err
	}
	return memoryIn(string(status))
}

func memoryIn(status string) (memory, error) {
	now, err1 := kilobytes(status, "VmRSS:")
	highest, err2 := kilobytes(status, "VmHWM:")
	anonymous, err3 := kilobytes(status, "RssAnon:")
	return memory{now: now, highest: highest, anonymous: anonymous}, errors.Join(err1, err2, err3)
}

func kilobytes(status, name string) (int64, error) {
	for line := range strings.Lines(status) {
		if value, found := strings.CutPrefix(line, name); found {
			number, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return number << 10, err
		}
	}
	return 0, fmt.Errorf("a process's status has no %s", name)
}
