package openai

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// mediaMeta is of an answer at the price of one dollar for each thing that is counted,
// which shows what is charged for.
func mediaMeta(seen *dialect.Usage) dialect.Meta {
	return dialect.Meta{ID: "gen-1-abc", Model: "m/x", Provider: "A", Created: 5, Price: func(u dialect.Usage) dialect.Cost {
		*seen = u
		return dialect.Cost{Total: "0.5", Prompt: "0.2", Completion: "0.3"}
	}}
}

// mediaPipeOf parses a request in JSON, or a transcription in a form if body is "".
func mediaPipeOf(t testing.TB, client Media, body string, fields ...string) (dialect.Pipe, *dialect.Usage) {
	t.Helper()
	spoken := dialect.Client(client)
	text := []byte(body)
	if body == "" {
		var contentType string
		text, contentType = formOf(t, client.kind.file, []byte("x"), append(fields, "model", "m/x")...)
		spoken = client.client(t, contentType)
	}
	request, err := spoken.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	usage := &dialect.Usage{}
	return dialect.NewPipe(spoken, Provider{}, request, mediaMeta(usage)), usage
}

const picture = `"iVBORw0KGgo="`

func TestMediaAnswers(t *testing.T) {
	const image, speech = `{"model":"m/x","prompt":"a cat"}`, `{"model":"m/x","input":"Grüße","voice":"v"}`
	for _, test := range []struct {
		name   string
		client Media
		body   string
		fields []string
		answer string
		want   string // "" for an error
		usage  dialect.Usage
	}{
		{
			"gpt-image", Images(), image, nil,
			`{"created":1,"data":[{"b64_json":` + picture + `}],"size":"1x1","usage":{"input_tokens":10,"input_tokens_details":{"image_tokens":4,"text_tokens":6},"output_tokens":20,"total_tokens":30}}`,
			`{"created":1,"data":[{"b64_json":` + picture + `}],"size":"1x1","usage":{"input_tokens":10,"input_tokens_details":{"image_tokens":4,"text_tokens":6},"output_tokens":20,"total_tokens":30,` +
				`"prompt_tokens":10,"completion_tokens":20,"cost":0.5,"is_byok":false}}`,
			dialect.Usage{Prompt: 10, ImagePrompt: 4, Completion: 20, Images: 20, GeneratedImages: 1},
		},
		{
			"DALL-E", Images(), image, nil, `{"created":1,"data":[{"url":"https://x/1"},{"url":"https://x/2"}]}`,
			`{"created":1,"data":[{"url":"https://x/1"},{"url":"https://x/2"}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0,"cost":0.5,"is_byok":false}}`,
			dialect.Usage{GeneratedImages: 2},
		},
		{"no images", Images(), image, nil, `{"created":1,"data":[]}`, "", dialect.Usage{}},
		{"broken base64", Images(), image, nil, `{"created":1,"data":[{"b64_json":` + picture + `},{"b64_json":"iVBO?w0KGgo="}]}`, "", dialect.Usage{}},
		{"nulls for an image", Images(), image, nil, `{"created":1,"data":[{"b64_json":null,"url":null}]}`, "", dialect.Usage{}},
		{"an empty image", Images(), image, nil, `{"created":1,"data":[{"b64_json":""}]}`, "", dialect.Usage{}},
		{"an error", Images(), image, nil, `{"error":{"message":"overloaded"}}`, "", dialect.Usage{}},
		{"no JSON", Images(), image, nil, `<html>`, "", dialect.Usage{}},
		{
			"one that is no stream", Images(), `{"model":"m/x","prompt":"a cat","stream":true}`, nil, `{"created":1,"data":[{"b64_json":` + picture + `}],"usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}`,
			"event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":" + picture + `,"created":5,"created_at":5,"usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3,` +
				`"prompt_tokens":1,"completion_tokens":2,"cost":0.5,"is_byok":false}}` + "\n\ndata: [DONE]\n\n",
			dialect.Usage{Prompt: 1, Completion: 2, Images: 2, GeneratedImages: 1},
		},
		{"speech that is none", Speech(), speech, nil, `{"ok":true}`, "", dialect.Usage{}},
		{
			"a transcript by the token", Transcriptions(), "", nil, `{"text":"hi","usage":{"type":"tokens","input_tokens":10,"input_token_details":{"audio_tokens":8,"text_tokens":2},"output_tokens":3,"total_tokens":13}}`,
			`{"text":"hi","usage":{"type":"tokens","input_tokens":10,"input_token_details":{"audio_tokens":8,"text_tokens":2},"output_tokens":3,"total_tokens":13,"cost":0.5,"is_byok":false}}`,
			dialect.Usage{Prompt: 10, AudioPrompt: 8, Completion: 3},
		},
		{
			"a transcript by the second", Transcriptions(), "", nil, `{"text":"hi","usage":{"type":"duration","seconds":8.2}}`,
			`{"text":"hi","usage":{"type":"duration","seconds":8.2,"cost":0.5,"is_byok":false}}`, dialect.Usage{Seconds: 9},
		},
		{
			"a verbose transcript without usage", Transcriptions(), "", []string{"response_format", "verbose_json"}, `{"text":"hi","duration":61.00}`,
			`{"text":"hi","duration":61.00,"usage":{"type":"duration","seconds":61,"cost":0.5,"is_byok":false}}`, dialect.Usage{Seconds: 61},
		},
		{
			"silence", Transcriptions(), "", nil, `{"text":"","usage":{"type":"duration","seconds":3}}`,
			`{"text":"","usage":{"type":"duration","seconds":3,"cost":0.5,"is_byok":false}}`, dialect.Usage{Seconds: 3},
		},
		{"text", Translations(), "", []string{"response_format", "text"}, "{curly} words\n", "{curly} words\n", dialect.Usage{Completion: 4, Seconds: 1, Estimated: true}},
		{"subtitles", Translations(), "", []string{"response_format", "srt"}, "1\n00:00:00,000 --> 00:00:02,500\nhi\n\n2\n00:01:00,000 --> 01:02:03,400\nho\n",
			"1\n00:00:00,000 --> 00:00:02,500\nhi\n\n2\n00:01:00,000 --> 01:02:03,400\nho\n", dialect.Usage{Completion: 18, Seconds: 3724, Estimated: true}},
		{"subtitles of the web", Translations(), "", []string{"response_format", "vtt"}, "WEBVTT\n\n00:00.000 --> 00:07.010 align:start\nhi\n",
			"WEBVTT\n\n00:00.000 --> 00:07.010 align:start\nhi\n", dialect.Usage{Completion: 12, Seconds: 8, Estimated: true}},
		{"subtitles of nothing", Translations(), "", []string{"response_format", "vtt"}, "WEBVTT\n", "WEBVTT\n", dialect.Usage{Completion: 2, Seconds: 1, Estimated: true}},
		{"an error for text", Translations(), "", []string{"response_format", "srt"}, `{"error":{"message":"no"}}`, "", dialect.Usage{}},
		{"bytes for text", Translations(), "", []string{"response_format", "text"}, "\xff\xfe", "", dialect.Usage{}},
		{"no text", Transcriptions(), "", nil, `{"words":[]}`, "", dialect.Usage{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			pipe, priced := mediaPipeOf(t, test.client, test.body, test.fields...)
			got, err := pipe.Whole([]byte{}, []byte(test.answer))
			if test.want == "" {
				if err == nil || len(got) > 0 || pipe.Progress().Started {
					t.Fatalf("%q, %v", got, err)
				}
				return
			}
			progress := pipe.Progress()
			if err != nil || string(got) != test.want || progress.Empty || !progress.Done {
				t.Errorf("%s\nwant %s\n%v, %+v", got, test.want, err, progress)
			}
			if progress.Usage != test.usage || *priced != test.usage && rawjson.Kind([]byte(test.want)) == '{' && !strings.HasPrefix(test.want, "{curly}") {
				t.Errorf("usage %+v, priced %+v, want %+v", progress.Usage, *priced, test.usage)
			}
		})
	}
}

// Each image has the counts that it had of its provider; the cost is of all, and told once.
func TestSeveralImagesInAStreamArePricedOnce(t *testing.T) {
	request, err := Images().Parse([]byte(`{"model":"m/x","prompt":"a","stream":true,"n":2}`))
	if err != nil {
		t.Fatal(err)
	}
	var priced []dialect.Usage
	meta := mediaMeta(&dialect.Usage{})
	meta.Price = func(usage dialect.Usage) dialect.Cost {
		priced = append(priced, usage)
		return dialect.Cost{Total: "0.5"}
	}
	pipe := dialect.NewPipe(Images(), Provider{}, request, meta)
	var out []byte
	for range 2 {
		event := sse.Event{Data: []byte(`{"type":"image_generation.completed","created":5,"b64_json":` + picture + `,"usage":{"input_tokens":10,"input_tokens_details":{"image_tokens":4,"text_tokens":6},"output_tokens":20,"total_tokens":30}}`)}
		if out, err = pipe.Event(out, event); err != nil {
			t.Fatal(err)
		}
	}
	first, second, _ := strings.Cut(string(out), "\n\n")
	if want := `"usage":{"input_tokens":10,"input_tokens_details":{"image_tokens":4,"text_tokens":6},"output_tokens":20,"total_tokens":30,"prompt_tokens":10,"completion_tokens":20}}`; !strings.HasSuffix(first, want) {
		t.Errorf("%s, want %s", first, want)
	}
	if want := `"usage":{"input_tokens":20,"input_tokens_details":{"image_tokens":8,"text_tokens":12},"output_tokens":40,"total_tokens":60,"prompt_tokens":20,"completion_tokens":40,"cost":0.5,"is_byok":false}}` + "\n\n"; !strings.HasSuffix(second, want) {
		t.Errorf("%s, want %s", second, want)
	}
	want := dialect.Usage{Prompt: 20, Completion: 40, ImagePrompt: 8, Images: 40, GeneratedImages: 2}
	if len(priced) != 1 || priced[0] != want || pipe.Progress().Usage != want || !pipe.Progress().Done {
		t.Errorf("priced %+v, %+v", priced, pipe.Progress())
	}
}

func TestSpeechPassesAsItComes(t *testing.T) {
	for body, want := range map[string]bool{
		`{"model":"m/x","input":"a","voice":"v","stream":true}`:                         false,
		`{"model":"m/x","input":"a","voice":"v","stream_format":"sse"}`:                 true,
		`{"model":"m/x","input":"a","voice":"v","stream":true,"stream_format":"audio"}`: false,
	} {
		request, err := Speech().Parse([]byte(body))
		if err != nil || request.Stream != want {
			t.Errorf("%s: a stream of events: %v, %v", body, !want, err)
		}
		pipe := dialect.NewPipe(Speech(), Provider{}, request, dialect.Meta{})
		if _, passes := pipe.(dialect.Opaque).Open("audio/mpeg"); !passes {
			t.Errorf("%s: sound is no answer", body)
		}
	}
	const asked = `{"model":"m/x","input":"Grüße","voice":"v"}`
	for mediaType, want := range map[string]string{
		"audio/mpeg": "audio/mpeg", "Audio/PCM;rate=24000;channels=1": "audio/pcm; channels=1; rate=24000", "application/octet-stream": "application/octet-stream",
		"text/html": "", "application/json": "", "": "", "audio/mpeg; a=\"\r\nx": "",
	} {
		pipe, _ := mediaPipeOf(t, Speech(), asked)
		opened, passes := pipe.(dialect.Opaque).Open(mediaType)
		if passes != (want != "") || passes && opened != want {
			t.Errorf("%q is %q, passes %v", mediaType, opened, passes)
		}
	}
	pipe, _ := mediaPipeOf(t, Speech(), asked)
	opaque := pipe.(dialect.Opaque)
	var got []byte
	for _, piece := range []string{"", "ID3", "\x00\xff", ""} {
		var err error
		if got, err = opaque.Bytes(got, []byte(piece), false); err != nil {
			t.Fatal(err)
		}
		if started := pipe.Progress().Started; started != (len(got) > 0) {
			t.Errorf("started is %v after %q", started, got)
		}
	}
	if got, _ = opaque.Bytes(got, nil, true); string(got) != "ID3\x00\xff" || !pipe.Progress().Done {
		t.Errorf("%q", got)
	}
	// Five characters; seven bytes are two tokens of text, and a third of a second of speech.
	want := dialect.Usage{Prompt: 2, Completion: 7, AudioCompletion: 7, Characters: 5, Estimated: true}
	if usage := pipe.Progress().Usage; usage != want {
		t.Errorf("usage %+v, want %+v", usage, want)
	}
	empty, _ := mediaPipeOf(t, Speech(), asked)
	if _, _ = empty.(dialect.Opaque).Bytes(nil, nil, true); empty.Progress().Started || empty.Progress().HasUsage {
		t.Error("nothing was taken for sound")
	}
}

func TestMediaRequests(t *testing.T) {
	for _, test := range []struct {
		name       string
		client     Media
		body, path string
		want       string // of the provider's JSON
		dropped    []string
	}{
		{"an image", Images(), `{"prompt":"a cat","model":"m/x","n":2,"seed":7,"provider":{"only":["a"]},"user":null}`, "/images/generations", `{"model":"gpt-image-1","prompt":"a cat","n":2}`, []string{"seed"}},
		{"an edit in JSON", ImageEdits(), `{"model":"m/x","prompt":"a hat","images":[{"image_url":"https://x/y"}]}`, "/images/edits", `{"model":"gpt-image-1","prompt":"a hat","images":[{"image_url":"https://x/y"}]}`, nil},
		{"speech", Speech(), `{"model":"m/x","input":"a","voice":"v","speed":1.50}`, "/audio/speech", `{"model":"gpt-image-1","input":"a","voice":"v","speed":1.50}`, nil},
		{"OpenRouter's speech", OpenRouterSpeech(), `{"model":"m/x","input":"a","voice":"v"}`, "/audio/speech", `{"model":"gpt-image-1","input":"a","voice":"v","response_format":"pcm"}`, nil},
		{"OpenRouter's speech with a format", OpenRouterSpeech(), `{"model":"m/x","input":"a","voice":"v","response_format":"mp3"}`, "/audio/speech", `{"model":"gpt-image-1","input":"a","voice":"v","response_format":"mp3"}`, nil},
		{"OpenRouter's image", OpenRouterImages(), `{"model":"m/x","prompt":"a cat","aspect_ratio":"1:1"}`, "/images/generations", `{"model":"gpt-image-1","prompt":"a cat"}`, []string{"aspect_ratio"}},
	} {
		request, err := test.client.Parse([]byte(test.body))
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		upstream, err := Provider{}.Request(request, dialect.Target{Model: "gpt-image-1", Strict: true})
		if err != nil || string(upstream.Body) != test.want || upstream.Path != test.path || !slices.Equal(upstream.Dropped, test.dropped) {
			t.Errorf("%s: %v, %s %s without %v", test.name, err, upstream.Path, upstream.Body, upstream.Dropped)
		}
		if _, err := request.Chat(); err == nil {
			t.Errorf("%s is a conversation", test.name)
		}
	}
	for _, test := range []struct {
		client     Media
		body, says string
	}{
		{Images(), `{"model":"m/x"}`, `"prompt"`},
		{Images(), `{"model":"m/x","prompt":"a","n":0}`, "'n'"},
		{Images(), `{"model":"m/x","prompt":"a","stream":"yes"}`, "'stream'"},
		{Images(), `{"model":1,"prompt":"a"}`, "'model'"},
		{Images(), `{`, "not valid JSON"},
		{OpenRouterImages(), `{"model":"m/x","prompt":"a","input_references":{}}`, "'input_references'"},
		{OpenRouterImages(), `{"model":"m/x","prompt":"a","input_references":[{"image_url":{"url":"data:image/png;base64,?"}}]}`, "base64"},
		{Speech(), `{"model":"m/x","voice":"v"}`, `"input"`},
		{Transcriptions(), `{"model":"m/x"}`, `"input_audio"`},
		{Transcriptions(), `{"model":"m/x","input_audio":{"url":"https://x/y"}}`, "fetches no URL"},
		{Transcriptions(), `{"model":"m/x","input_audio":{"data":"eA==","format":"w\"v"}}`, "'input_audio.format'"},
		{Transcriptions(), `{"model":"m/x","input_audio":{"data":"eA==","format":"wav"},"response_format":"srt"}`, "'response_format'"},
	} {
		_, err := test.client.Parse([]byte(test.body))
		var failure *dialect.Error
		if !errors.As(err, &failure) || failure.Status != 400 || !strings.Contains(failure.Message, test.says) {
			t.Errorf("%s: %v", test.body, err)
		}
	}
}

// OpenRouter's forms of requests become OpenAI's.
func TestAdoptedForms(t *testing.T) {
	picture := base64.StdEncoding.EncodeToString([]byte("\x89PNG"))
	for _, test := range []struct {
		client          Media
		body, path      string
		names, contents []string
		dropped         []string
	}{
		{
			OpenRouterImages(), `{"model":"m/x","prompt":"a hat","n":2,"seed":1,"session_id":"s","input_references":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + picture + `"}}]}`, "/images/edits",
			[]string{"model", "prompt", "n", "image[]"}, []string{"x", "a hat", "2", "\x89PNG"}, []string{"seed"},
		},
		{
			Transcriptions(), `{"model":"m/x","input_audio":{"data":"` + picture + `","format":"wav"},"language":"de","diarize":true,"timestamp_granularities":["word","segment"]}`, "/audio/transcriptions",
			[]string{"model", "language", "timestamp_granularities[]", "timestamp_granularities[]", "file"}, []string{"x", "de", "word", "segment", "\x89PNG"}, []string{"diarize"},
		},
	} {
		request, err := test.client.Parse([]byte(test.body))
		if err != nil {
			t.Fatal(err)
		}
		upstream, err := Provider{}.Request(request, dialect.Target{Model: "x", Strict: true})
		if err != nil {
			t.Fatal(err)
		}
		names, contents := partsOf(t, upstream.Body, contentTypeOf(upstream))
		if !slices.Equal(names, test.names) || !slices.Equal(contents, test.contents) || upstream.Path != test.path || !slices.Equal(upstream.Dropped, test.dropped) {
			t.Errorf("%s: %q %q, without %v", upstream.Path, names, contents, upstream.Dropped)
		}
	}
}

// mediaStreams are streams as OpenAI sends them, by the request.
var mediaStreams = []struct {
	client       Media
	body, stream string
}{
	{
		Images(), `{"model":"m/x","prompt":"a","stream":true}`,
		"event: image_generation.partial_image\ndata: {\"type\":\"image_generation.partial_image\",\"b64_json\":" + picture + ",\"partial_image_index\":0}\n\n" +
			"event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":" + picture + ",\"usage\":{\"input_tokens\":1,\"output_tokens\":2,\"total_tokens\":3}}\n\n",
	},
	{
		Speech(), `{"model":"m/x","input":"a","voice":"v","stream_format":"sse"}`,
		"data: {\"type\":\"speech.audio.delta\",\"audio\":\"SUQz\"}\r\n\r\ndata: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":1,\"output_tokens\":2,\"total_tokens\":3}}\r\n\r\n",
	},
	{
		Transcriptions(), `{"model":"m/x","input_audio":{"data":"eA==","format":"wav"},"stream":true}`,
		": hi\n\ndata: {\"type\":\"transcript.text.delta\",\"delta\":\"Grüße\"}\n\ndata: {\"type\":\"transcript.text.done\",\"text\":\"Grüße\",\"usage\":{\"type\":\"duration\",\"seconds\":3}}\n\ndata: [DONE]\n\n",
	},
}

// playMedia runs a stream that comes in pieces of so many bytes through a pipe.
func playMedia(t testing.TB, client Media, body, stream string, piece int) (string, dialect.Progress, error) {
	t.Helper()
	pipe, _ := mediaPipeOf(t, client, body)
	reader := &sse.Reader{}
	var out []byte
	for chunk := range slices.Chunk([]byte(stream), piece) {
		reader.Feed(chunk)
		for {
			event, ok, err := reader.Next()
			if err != nil {
				return string(out), pipe.Progress(), err
			}
			if !ok {
				break
			}
			if out, err = pipe.Event(out, event); err != nil {
				return string(out), pipe.Progress(), err
			}
		}
	}
	progress := pipe.Progress()
	return string(pipe.Finish(out)), progress, nil
}

func TestMediaStreams(t *testing.T) {
	for _, test := range mediaStreams {
		whole, progress, err := playMedia(t, test.client, test.body, test.stream, len(test.stream))
		if err != nil || !progress.Started || !progress.Done || progress.FinishReason != "stop" || !progress.HasUsage || progress.Usage.Estimated {
			t.Errorf("%s: %v, %+v", test.body, err, progress)
		}
		if strings.Count(whole, `"cost":0.5`) != 1 || !strings.HasSuffix(whole, "data: [DONE]\n\n") {
			t.Errorf("%s: %s", test.body, whole)
		}
		for piece := 1; piece < 50; piece++ {
			if got, _, err := playMedia(t, test.client, test.body, test.stream, piece); err != nil || got != whole {
				t.Fatalf("in pieces of %d: %v, %s", piece, err, got)
			}
		}
		// Of a stream that is cut short nobody takes the end for an end.
		cut := test.stream[:strings.LastIndex(strings.TrimSuffix(test.stream, "data: [DONE]\n\n"), "data: ")]
		if _, progress, err := playMedia(t, test.client, test.body, cut, 7); err != nil || progress.Done || progress.FinishReason != "" {
			t.Errorf("%s: cut short: %v, %+v", test.body, err, progress)
		}
		for _, broken := range []string{`data: {"type":"error","error":{"message":"overloaded"}}`, "event: error\ndata: {\"message\":\"overloaded\"}", "data: {\"type\":", "data: 7",
			`data: {"type":"image_generation.completed","b64_json":"?"}`, `data: {"type":"speech.audio.delta","audio":"?"}`} {
			kind, _, _ := strings.Cut(test.client.kind.makes, "n")
			if strings.Contains(broken, "image_") && kind != "image" || strings.Contains(broken, "speech") && kind != "speech" {
				continue
			}
			if _, _, err := playMedia(t, test.client, test.body, broken+"\n\n", 100); err == nil {
				t.Errorf("%s: %s passes", test.body, broken)
			}
		}
	}
	pipe, _ := mediaPipeOf(t, Images(), mediaStreams[0].body)
	if got := string(pipe.Fail(nil, &dialect.Error{Status: 502, Message: "broken"})); got != "event: error\ndata: {\"type\":\"error\",\"error\":{\"code\":502,\"message\":\"broken\"}}\n\ndata: [DONE]\n\n" {
		t.Errorf("a failure is %s", got)
	}
}

// objects fails the test unless each event of a stream is a JSON object, but for the end.
func objects[T ~string | ~[]byte](t *testing.T, stream T) {
	t.Helper()
	reader := &sse.Reader{}
	reader.Feed([]byte(stream))
	for event, ok, err := reader.Next(); ok || err != nil; event, ok, err = reader.Next() {
		if err != nil {
			t.Fatal(err)
		}
		if string(event.Data) != "[DONE]" && (!json.Valid(event.Data) || rawjson.Kind(event.Data) != '{') {
			t.Errorf("no object: %q", event.Data)
		}
	}
}

// FuzzMediaStream holds that no provider can make a pipe panic, emit what is no event,
// or say something else by how its bytes are cut.
func FuzzMediaStream(f *testing.F) {
	for i, seed := range mediaStreams {
		f.Add([]byte(seed.stream), uint8(i), uint8(3))
	}
	f.Add([]byte("data: {\"type\":\"transcript.text.done\",\"usage\":{\"seconds\":1e300}}\n\n"), uint8(2), uint8(1))
	f.Add([]byte("event: a\x00\ndata: {\"type\":\"a\\nb\",\"usage\":[]}\n\n"), uint8(0), uint8(9))
	f.Fuzz(func(t *testing.T, stream []byte, which, piece uint8) {
		of := mediaStreams[int(which)%len(mediaStreams)]
		whole, _, err := playMedia(t, of.client, of.body, string(stream), max(1, len(stream)))
		if err == nil {
			objects(t, whole)
		}
		split, _, splitErr := playMedia(t, of.client, of.body, string(stream), int(piece)+1)
		if split != whole || (err == nil) != (splitErr == nil) {
			t.Errorf("whole: %s (%v)\nin pieces: %s (%v)", whole, err, split, splitErr)
		}
		pipe, _ := mediaPipeOf(t, of.client, strings.ReplaceAll(strings.ReplaceAll(of.body, `,"stream":true`, ""), `,"stream_format":"sse"`, ""))
		if out, err := pipe.Whole(nil, stream); err == nil {
			objects(t, sse.AppendData(nil, out))
		}
	})
}

func BenchmarkMedia(b *testing.B) {
	for _, size := range []int{1 << 10, 100 << 10} {
		b.Run(fmt.Sprintf("image request %d KB", size>>10), func(b *testing.B) {
			body := []byte(`{"model":"m/x","size":"1024x1024","prompt":"` + strings.Repeat("cat ", size/4) + `"}`)
			b.ReportAllocs()
			for b.Loop() {
				request, err := Images().Parse(body)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := (Provider{}).Request(request, dialect.Target{Model: "gpt-image-1"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("image answer 2 MB", func(b *testing.B) {
		answer := []byte(`{"created":1,"data":[{"b64_json":"` + strings.Repeat("AACAPwAA", 2<<20/8) + `"}],"usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}`)
		b.SetBytes(int64(len(answer)))
		b.ReportAllocs()
		var out []byte
		for b.Loop() {
			pipe, _ := mediaPipeOf(b, Images(), `{"model":"m/x","prompt":"a"}`)
			var err error
			if out, err = pipe.Whole(out[:0], answer); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, count := range []int{1, 1000} {
		b.Run(fmt.Sprintf("transcript %d events", count), func(b *testing.B) {
			event := sse.Event{Data: []byte(`{"type":"transcript.text.delta","delta":" word"}`)}
			var out []byte
			b.ReportAllocs()
			for b.Loop() {
				pipe, _ := mediaPipeOf(b, Transcriptions(), mediaStreams[2].body)
				for range count {
					var err error
					if out, err = pipe.Event(out[:0], event); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
	b.Run("speech 64 KB piece", func(b *testing.B) {
		pipe, _ := mediaPipeOf(b, Speech(), `{"model":"m/x","input":"a","voice":"v"}`)
		piece, out := make([]byte, 64<<10), []byte(nil)
		b.SetBytes(int64(len(piece)))
		b.ReportAllocs()
		for b.Loop() {
			out, _ = pipe.(dialect.Opaque).Bytes(out[:0], piece, false)
		}
	})
}
