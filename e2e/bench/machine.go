package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// machine is what the figures depend on.
type machine struct {
	cpu, kernel, envoy string
	switchyard         string // its version: commit and Go
	cores              int
	date               time.Time
}

// describeMachine reads /proc; what is not there stays unknown.
func describeMachine(ctx context.Context, gatewayBinary, envoyVersion string) machine {
	m := machine{cpu: "unknown CPU", kernel: "unknown", switchyard: "switchyard unknown", envoy: envoyVersion, cores: runtime.NumCPU(), date: time.Now().UTC()}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.cpu = cpuModel(string(info), m.cpu)
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.kernel = strings.TrimSpace(string(release))
	}
	if version, err := exec.CommandContext(ctx, gatewayBinary, "version").Output(); err == nil {
		m.switchyard = strings.TrimSpace(string(version))
	}
	return m
}

func cpuModel(info, unknown string) string {
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return unknown
}

func (m machine) String() string {
	return fmt.Sprintf("%s, %d cores, Linux %s; Envoy %s; %s; %s",
		m.cpu, m.cores, m.kernel, m.envoy, m.switchyard, m.date.Format(time.DateOnly))
}
