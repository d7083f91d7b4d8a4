package main

import (
	"net"
	"os"
	"path/filepath"
	"testing"
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
