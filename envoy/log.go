package envoy

import (
	"bytes"
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
)

// logFormat makes Envoy's log lines easy to take apart: level, logger, and the
// text with JSON's escapes, so that each message is one line.
const logFormat = "%l|%n|%j"

// longestLine bounds what is kept of a line; the rest is dropped.
const longestLine = 64 << 10

// logFolder turns Envoy's log lines into the gateway's.
type logFolder struct {
	log *slog.Logger

	mu       sync.Mutex
	rest     []byte
	last     string
	stopping bool
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
	f.rest = f.rest[:min(len(f.rest), longestLine)]
	return len(piece), nil
}

func (f *logFolder) line(text string) {
	if text == "" {
		return
	}
	// Lines in another form are the last words of a dying Envoy.
	level, logger, message := slog.LevelError, "", text
	if parts := strings.SplitN(text, "|", 3); len(parts) == 3 {
		level, logger, message = levelOf(parts[0]), parts[1], parts[2]
		if plain, err := strconv.Unquote(`"` + message + `"`); err == nil {
			message = plain
		}
	}
	switch {
	case level >= slog.LevelError:
		f.last = message
	case f.stopping:
		// Lost connections and caught signals are what was asked for.
		level = slog.LevelDebug
	}
	f.log.Log(context.Background(), level, "envoy: "+message, "logger", logger)
}

// Stopping makes warnings debug messages from now on.
func (f *logFolder) Stopping() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopping = true
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
