package envoy

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func fold(t *testing.T, feed func(*logFolder)) (text, last string) {
	t.Helper()
	var out bytes.Buffer
	folder := newLogFolder(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})))
	feed(folder)
	return out.String(), folder.Last()
}

func TestLogLinesAreFolded(t *testing.T) {
	t.Parallel()
	const lines = "debug|main|one\ninfo|main|two\nwarning|config|three\\nlines \\\"quoted\\\"\nerror|upstream|a|b\ncritical|main|last words\nno form at all\n\n"
	want := strings.Join([]string{
		`level=DEBUG msg="envoy: one" logger=main`,
		`level=INFO msg="envoy: two" logger=main`,
		`level=WARN msg="envoy: three\nlines \"quoted\"" logger=config`,
		`level=ERROR msg="envoy: a|b" logger=upstream`,
		`level=ERROR msg="envoy: last words" logger=main`,
		`level=ERROR msg="envoy: no form at all" logger=""`,
		``,
	}, "\n")
	for name, size := range map[string]int{"whole": len(lines), "byte by byte": 1, "sevens": 7} {
		got, last := fold(t, func(f *logFolder) {
			for piece := range slicesOf(lines, size) {
				if n, err := f.Write([]byte(piece)); n != len(piece) || err != nil {
					t.Errorf("Write: %d, %v", n, err)
				}
			}
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if last != "no form at all" {
			t.Errorf("%s: last %q", name, last)
		}
	}
}

func TestWarningsAtTheEndAreForDebugging(t *testing.T) {
	t.Parallel()
	got, _ := fold(t, func(f *logFolder) {
		f.Stopping()
		_, _ = f.Write([]byte("warning|main|caught SIGTERM\nerror|main|still bad\n"))
	})
	want := "level=DEBUG msg=\"envoy: caught SIGTERM\" logger=main\nlevel=ERROR msg=\"envoy: still bad\" logger=main\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEndlessLineIsCut(t *testing.T) {
	t.Parallel()
	got, _ := fold(t, func(f *logFolder) {
		for range 100 {
			_, _ = f.Write(bytes.Repeat([]byte("x"), 10_000))
		}
		_, _ = f.Write([]byte("\ninfo|main|next\n"))
	})
	if len(got) > 2*longestLine || !strings.HasSuffix(got, "msg=\"envoy: next\" logger=main\n") {
		t.Errorf("%d bytes of log, ending in %q", len(got), got[max(0, len(got)-50):])
	}
}

func slicesOf(text string, size int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for len(text) > 0 {
			n := min(size, len(text))
			if !yield(text[:n]) {
				return
			}
			text = text[n:]
		}
	}
}
