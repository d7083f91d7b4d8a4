package main

import (
	"os"
	"testing"
	"time"
)

func TestCPUTimeIsReadBehindTheCommand(t *testing.T) {
	stat := []byte("42 (a ) (b) R 1 42 42 0 -1 4194560 900 0 0 0 150 25 7 8 20 0 4 0 100 1 2\n")
	if got, err := cpuIn(stat); err != nil || got != 1750*time.Millisecond {
		t.Errorf("cpuIn = %v, %v; want 1.75s", got, err)
	}
	if _, err := cpuIn([]byte("42 (cut off) R 1")); err == nil {
		t.Error("a stat that is cut off is read without an error")
	}
}

func TestIdleTimeIsNotBusy(t *testing.T) {
	got, err := busyIn("cpu  100 20 30 9999 8888 4 5 6 77 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
	if want := 1650 * time.Millisecond; err != nil || got != want {
		t.Errorf("busyIn = %v, %v; want %v", got, err, want)
	}
	if _, err := busyIn("intr 1 2 3 4 5 6 7 8 9\n"); err == nil {
		t.Error("a stat without a line for all processors is read without an error")
	}
}

func TestMemoryIsReadInBytes(t *testing.T) {
	got, err := memoryIn("Name:\tenvoy\nVmHWM:\t  2048 kB\nVmRSS:\t    512 kB\nRssAnon:\t    256 kB\n")
	if want := (memory{now: 512 << 10, highest: 2 << 20, anonymous: 256 << 10}); err != nil || got != want {
		t.Errorf("memoryIn = %v, %v; want %v", got, err, want)
	}
	if _, err := memoryIn("Name:\tkthreadd\n"); err == nil {
		t.Error("a status without memory is read without an error")
	}
}

func TestOwnProcessIsThere(t *testing.T) {
	before, err := cpuOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < 50*time.Millisecond; { // work, do not sleep
	}
	after, err := cpuOf(os.Getpid())
	if err != nil || after <= before {
		t.Errorf("CPU time went from %v to %v (%v) over 50 ms of work", before, after, err)
	}
	if used, err := memoryOf(os.Getpid()); err != nil || used.now < 1<<20 || used.highest < used.now || used.anonymous <= 0 || used.anonymous > used.now {
		t.Errorf("memoryOf = %+v, %v", used, err)
	}
	if none, err := cpuOf(0); none != 0 || err != nil {
		t.Errorf("cpuOf(0) = %v, %v; want nothing", none, err)
	}
}
