package provider

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// reference is a browser-like reader of event streams: any line end, optional
// space, several data lines, comments and unknown fields ignored. An event
// without its blank line is not dispatched.
func reference(stream string) []event {
	stream = strings.ReplaceAll(strings.ReplaceAll(stream, "\r\n", "\n"), "\r", "\n")
	var events []event
	for block := range strings.SplitSeq(stream, "\n\n") {
		var name string
		var data []string
		for line := range strings.SplitSeq(block, "\n") {
			field, value, _ := strings.Cut(line, ":")
			value = strings.TrimPrefix(value, " ")
			switch field {
			case "event":
				name = value
			case "data":
				data = append(data, value)
			}
		}
		if len(data) > 0 {
			events = append(events, event{name: name, data: strings.Join(data, "\n")})
		}
	}
	return events
}

// said joins the text of a stream's events.
func said(t *testing.T, events []event) string {
	t.Helper()
	text := ""
	for _, e := range events {
		if e.data == "[DONE]" {
			continue
		}
		var chunk struct {
			Choices []struct{ Delta struct{ Content string } }
			Delta   struct{ Text string }
		}
		if err := json.Unmarshal([]byte(e.data), &chunk); err != nil {
			t.Fatalf("event %q: %v", e.data, err)
		}
		text += chunk.Delta.Text
		for _, choice := range chunk.Choices {
			text += choice.Delta.Content
		}
	}
	return text
}

func TestFramingNeverChangesWhatIsSaid(t *testing.T) {
	both(t, func(t *testing.T, f *fixture) {
		for name, framing := range map[string]Framing{
			"plain":           {},
			"CRLF":            {LineEnd: "\r\n"},
			"CR":              {LineEnd: "\r"},
			"no space":        {NoSpace: true},
			"comments":        {Comments: true},
			"multi-line data": {MultiLine: true},
			"merged":          {Merged: true},
			"byte by byte":    {Trickle: -1},
			"all at once":     {LineEnd: "\r\n", NoSpace: true, Comments: true, MultiLine: true, Trickle: -1},
			"without its end": {OmitLast: true},
			"without a blank": {OmitBlank: true},
		} {
			t.Run(name, func(t *testing.T) {
				f.Enqueue(Stream{Framing: framing})
				_, body, err := f.post(t, streaming(f.body))
				if err != nil {
					t.Fatal(err)
				}
				if got := said(t, reference(body)); got != defaultText {
					t.Errorf("said %q, want %q in:\n%s", got, defaultText, body)
				}
				ended := strings.Contains(body, "[DONE]") || strings.Contains(body, "message_stop")
				if ended == framing.OmitLast {
					t.Errorf("last event sent: %v", ended)
				}
				if blank := strings.HasSuffix(body, "\n\n") || strings.HasSuffix(body, "\r\r") ||
					strings.HasSuffix(body, "\r\n\r\n"); blank == framing.OmitBlank {
					t.Errorf("blank line at the end: %v", blank)
				}
			})
		}
	})
}

func TestGzipThoughNobodyAsked(t *testing.T) {
	both(t, func(t *testing.T, f *fixture) {
		for _, body := range []string{f.body, streaming(f.body)} {
			f.Enqueue(Stream{Framing: Framing{Gzip: true}})
			response, answer, err := f.post(t, body)
			if err != nil || response.Header.Get("Content-Encoding") != "gzip" {
				t.Fatalf("encoding %q, error %v", response.Header.Get("Content-Encoding"), err)
			}
			unzipped, err := gzip.NewReader(strings.NewReader(answer))
			if err != nil {
				t.Fatal(err)
			}
			if plain, err := io.ReadAll(unzipped); err != nil || !strings.Contains(string(plain), "Gr") {
				t.Errorf("error %v: %s", err, plain)
			}
		}
	})
}

func TestEndings(t *testing.T) {
	both(t, func(t *testing.T, f *fixture) {
		f.client.Timeout = 200 * time.Millisecond
		for name, test := range map[string]struct {
			end     Ending
			streams func(error) bool
			whole   func(error) bool
			says    string
		}{
			"stall":     {EndStall, timedOut, timedOut, ""},
			"reset":     {EndReset, reset, reset, ""},
			"clean end": {EndClean, nil, func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }, ""},
			"error":     {EndError, nil, nil, `"message":"Overloaded: the fake`},
			"malformed": {EndMalformed, nil, nil, `"content":`},
			"HTML":      {EndHTML, nil, nil, "<!DOCTYPE html>"},
		} {
			t.Run(name, func(t *testing.T) {
				f.Reset()
				f.Default(Stream{Answer: Answer{Text: "one two three"}, End: test.end, Pieces: 2})
				_, body, err := f.post(t, streaming(f.body))
				if test.streams == nil && err != nil || test.streams != nil && !test.streams(err) {
					t.Errorf("wrong error for a stream: %v", err)
				}
				if !strings.Contains(body, `" two"`) || strings.Contains(body, `" three"`) || !strings.Contains(body, test.says) {
					t.Errorf("want two pieces, then %q:\n%s", test.says, body)
				}
				within(t, f.Exchanges()[0].Done(), "the end of the script")
				if got, want := f.Exchanges()[0].Billed(), (Usage{Input: 11, Output: 2}); got != want {
					t.Errorf("billed %+v, want %+v", got, want)
				}
				_, _, err = f.post(t, f.body)
				if test.whole == nil && err != nil || test.whole != nil && !test.whole(err) {
					t.Errorf("wrong error for a body: %v", err)
				}
			})
		}
	})
}

// The first event of a stream can be an error, or nothing but its opening.
func TestEndBeforeTheFirstPiece(t *testing.T) {
	both(t, func(t *testing.T, f *fixture) {
		f.Enqueue(Stream{End: EndError}, Stream{End: EndError, Opening: true})
		_, bare, err := f.post(t, streaming(f.body))
		if events := reference(bare); err != nil || len(events) != 1 || !strings.Contains(events[0].data, "error") {
			t.Errorf("error %v; want nothing but an error: %s", err, bare)
		}
		_, opened, err := f.post(t, streaming(f.body))
		if events := reference(opened); err != nil || len(events) < 2 || said(t, events) != "" {
			t.Errorf("error %v; want an opening without text: %s", err, opened)
		}
	})
}

// Some servers never close a stream that has said its last word.
func TestLinger(t *testing.T) {
	both(t, func(t *testing.T, f *fixture) {
		f.client.Timeout = 200 * time.Millisecond
		f.Enqueue(Stream{End: EndLinger})
		_, body, err := f.post(t, streaming(f.body))
		if !timedOut(err) || said(t, reference(body)) != defaultText {
			t.Errorf("error %v; want the whole answer, then silence: %s", err, body)
		}
		within(t, f.Exchanges()[0].Done(), "the end of the script")
		if billed := f.Exchanges()[0].Billed(); billed != (Answer{}).complete().Usage {
			t.Errorf("billed %+v, want the whole answer", billed)
		}
	})
}

// With an opening, the pause is between it and the first piece.
func TestPauseAfterTheOpening(t *testing.T) {
	both(t, func(t *testing.T, f *fixture) {
		f.Enqueue(Stream{Opening: true, First: 100 * time.Millisecond})
		response, err := f.open(t.Context(), t, streaming(f.body))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		began, opened := time.Now(), make([]byte, 16)
		if _, err := io.ReadFull(response.Body, opened); err != nil || time.Since(began) > 90*time.Millisecond {
			t.Errorf("the opening came after %v (%v)", time.Since(began), err)
		}
		rest, err := io.ReadAll(response.Body)
		if err != nil || time.Since(began) < 90*time.Millisecond || said(t, reference(string(opened)+string(rest))) != defaultText {
			t.Errorf("after %v (%v): %s", time.Since(began), err, rest)
		}
	})
}

func TestPauses(t *testing.T) {
	f := startOpenAI(t)
	f.Enqueue(Stream{Answer: Answer{Text: "one two three"}, First: 40 * time.Millisecond, Pace: 30 * time.Millisecond})
	began := time.Now()
	response, err := f.open(t.Context(), t, streaming(f.body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	headers := time.Since(began)
	if _, err := io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); headers > 40*time.Millisecond || took < 100*time.Millisecond {
		t.Errorf("headers after %v, all after %v; want at once and 100ms", headers, took)
	}
}
