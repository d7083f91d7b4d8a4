package envoy

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
)

// logFormat makes Envoy's log lines easy to take apart: level, logger, text.
const logFormat = "%l|%n|%v"

// logFolder turns Envoy's log lines into the gateway's.
type logFolder struct {
	log *slog.Logger

	mu   sync.Mutex
	rest []byte
	last string
}

func newLogFolder(log *slog.Logger) *logFolder { return &logFolder{log: log} }

// Write takes any piece of Envoy's standard error.
func (f *logFolder) Write(piece []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rest = append(f.rest, piece...)
	for {
		line, rest, whole := bytes.Cut(f.rest, []byte("\n"))
		if !whole {
			break
		}
		f.line(string(line))
		f.rest = append(f.rest[:0], rest...)
	}
	return len(piece), nil
}

func (f *logFolder) line(text string) {
	if text == "" {
		return
	}
	level, logger, message := slog.LevelWarn, "", text
	if parts := strings.SplitN(text, "|", 3); len(parts) == 3 {
		level, logger, message = levelOf(parts[0]), parts[1], parts[2]
	}
	if level >= slog.LevelError {
		f.last = message
	}
	f.log.Log(context.Background(), level, "envoy: "+message, "logger", logger)
}

// Last returns the last error that Envoy logged: the likely reason of its death.
func (f *logFolder) Last() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

func levelOf(name string) slog.Level {
	switch name {
	case "trace", "debug":
		return slog.LevelDebug
	case "info":
		return slog.LevelInfo
	case "warning":
		return slog.LevelWarn
	default: // error, critical
		return slog.LevelError
	}
}
