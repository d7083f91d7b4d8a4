package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/switchyard/switchyard/extproc/dialect"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	png  = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + strings.Repeat("x", 100))
	flac = []byte("fLaC\x00\x00\x00\x22" + strings.Repeat("x", 100))
	mp4  = []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + strings.Repeat("x", 100))
	pdf  = []byte("%PDF-1.7\n" + strings.Repeat("x", 100))
	page = []byte("<!DOCTYPE html><html><body>Not found</body></html>")
)

// fetcher takes files of up to 1,000 bytes, 2,000 together.
func fetcher(t *testing.T, allow ...string) *Fetcher {
	t.Helper()
	f, err := New(Options{Allow: allow, MaxBytes: 1000, MaxTotal: 2000, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func body(content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) }
}

func image(url string) dialect.Remote { return dialect.Remote{Kind: dialect.PartImage, URL: url} }

// refused checks the error that a client is told, and that it tells no secrets.
func refused(t *testing.T, err error, want string) {
	t.Helper()
	var told *dialect.Error
	switch {
	case !errors.As(err, &told):
		t.Fatalf("error %v", err)
	case told.Status != 400 || told.Type != "image_download_failed" || !strings.Contains(told.Message, want):
		t.Errorf("%d %s %q, want %q", told.Status, told.Type, told.Message, want)
	case strings.Contains(told.Message, "secret"):
		t.Errorf("the message has a secret: %q", told.Message)
	}
}

func TestRow122Fetch(t *testing.T) {
	var asked http.Header
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header
		w.Header().Set("Content-Type", "text/html") // which counts for nothing
		_, _ = w.Write(png)
	})
	got, err := fetcher(t, "127.0.0.1").Request("key").Fetch(t.Context(), []dialect.Remote{image(url + "/a")})
	if err != nil {
		t.Fatal(err)
	}
	want := dialect.Media{Data: base64.StdEncoding.EncodeToString(png), Type: "image/png"}
	if got[image(url+"/a")] != want {
		t.Errorf("got %+v", got)
	}
	if len(asked) != 4 || asked.Get("Connection") != "close" || asked.Get("User-Agent") != "switchyard" || asked.Get("Accept-Encoding") != "identity" {
		t.Errorf("the server was told %v", asked)
	}
}

func TestKinds(t *testing.T) {
	for _, test := range []struct {
		kind    dialect.PartKind
		content []byte
		want    string // its type, or an error in what is told
	}{
		{dialect.PartImage, png, "image/png"},
		{dialect.PartImage, []byte("GIF89a" + strings.Repeat("x", 50)), "image/gif"},
		{dialect.PartImage, []byte("\xff\xd8\xff\xe0" + strings.Repeat("x", 50)), "image/jpeg"},
		{dialect.PartImage, []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), "image/webp"},
		{dialect.PartImage, pdf, "what is there is not a PNG, JPEG, WebP or GIF image"},
		{dialect.PartImage, page, "what is there is not a PNG"},
		{dialect.PartImage, []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "what is there is not a PNG"},
		{dialect.PartImage, nil, "what is there is not a PNG"},
		{dialect.PartImage, []byte(`{"AccessKeyId":"secret"}`), "what is there is not a PNG"},
		{dialect.PartAudio, flac, "audio/flac"},
		{dialect.PartAudio, []byte("RIFF\x00\x00\x00\x00WAVEfmt "), "audio/wav"},
		{dialect.PartAudio, png, "what is there is not audio"},
		{dialect.PartVideo, mp4, "video/mp4"},
		{dialect.PartVideo, flac, "what is there is not video"},
		{dialect.PartFile, pdf, "application/pdf"},
		{dialect.PartFile, png, "image/png"},
		{dialect.PartFile, page, "what is there is not a PDF"},
	} {
		piece := dialect.Remote{Kind: test.kind, URL: serve(t, body(test.content))}
		got, err := fetcher(t, "127.0.0.1").Request("key").Fetch(t.Context(), []dialect.Remote{piece})
		if err != nil {
			refused(t, err, test.want)
		} else if got[piece].Type != test.want {
			t.Errorf("%.10q: %s, want %s", test.content, got[piece].Type, test.want)
		}
	}
}

// known-failures 51: what no name and no address in a URL may lead to.
func TestPrivateIsRefused(t *testing.T) {
	f := fetcher(t)
	for _, host := range []string{
		"127.0.0.1", "localhost", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254",
		"192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"100.100.100.200", "168.63.129.16",
		"[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]",
		"[64:ff9b::7f00:1]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::]", "[2001::7f00:1]", "[2001:db8::1]", "[3fff::1]", "[fec0::1]",
	} {
		for _, port := range []string{"", ":443"} {
			_, err := f.Request("key").Fetch(t.Context(), []dialect.Remote{image("https://" + host + port + "/latest/meta-data?secret")})
			refused(t, err, "The image at "+strings.Trim(host, "[]")+" could not be downloaded: it is not at a public address")
		}
	}
	// The other forms of an address are names for the resolver, whose answer is checked.
	for _, host := range []string{"2130706433", "0x7f000001", "127.1", "017700000001"} {
		if _, err := f.Request("key").Fetch(t.Context(), []dialect.Remote{image("https://" + host)}); err == nil {
			t.Errorf("%s was reached", host)
		}
	}
}

func TestPublicAddresses(t *testing.T) {
	public := allowed{}
	for address, want := range map[string]bool{
		"93.184.216.34:443": true, "93.184.216.34:80": false, "93.184.216.34:22": false,
		"[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:443": true, "[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8443": false,
		"[2606:2800::1%eth0]:443": false, "nonsense": false,
	} {
		if err := public.connect("example.com", address); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// What a machine's cloud tells it stays out of reach in every form that an address has,
// whatever the operator allows.
func TestNeverInDisguise(t *testing.T) {
	allow, err := parseAllow([]string{"64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "::/96", "example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"[64:ff9b::a9fe:a9fe]:443": false, "[64:ff9b::6464:64c8]:443": false, "[64:ff9b:1::a9fe:a9fe]:80": false,
		"[2002:a9fe:a9fe::1]:443": false, "[2002:a83f:8110::]:80": false, "[::169.254.169.254]:443": false,
		"[64:ff9b::5db8:d822]:443": true, "[2002:5db8:d822::1]:443": true,
	} {
		if err := allow.connect("example.com", address); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestAllow(t *testing.T) {
	for _, test := range []struct {
		allow, host, address string
		want                 bool
	}{
		{"10.1.2.3/16", "a", "10.1.0.9:9000", true},
		{"10.1.2.3/16", "a", "10.2.0.9:9000", false},
		{"10.1.2.3", "a", "10.1.2.3:80", true},
		{"10.1.2.3", "a", "10.1.2.4:80", false},
		{"fd00:1::/32", "a", "[fd00:1::5]:80", true},
		{"::ffff:10.1.2.3", "a", "10.1.2.3:80", true},
		{"minio.internal", "MinIO.internal.", "10.1.2.3:9000", true},
		{"minio.internal", "minio.internal", "93.184.216.34:9000", true},
		{"minio.internal", "minio.internal", "198.51.100.1:9000", false},
		{"minio.internal", "a.minio.internal", "10.1.2.3:9000", false},
		{"*.corp.example", "a.b.corp.example", "127.0.0.1:80", true},
		{"*.corp.example", "corp.example", "127.0.0.1:80", false},
		{"*.corp.example", "acorp.example", "127.0.0.1:80", false},
		// The machine's own credentials are for nobody.
		{"169.254.169.254", "a", "169.254.169.254:80", false},
		{"0.0.0.0/0", "a", "169.254.169.254:80", false},
		{"::/0", "a", "[fd00:ec2::254]:80", false},
		{"minio.internal", "minio.internal", "169.254.169.254:80", false},
		{"minio.internal", "minio.internal", "100.100.100.200:80", false},
		{"0.0.0.0/0", "a", "168.63.129.16:80", false},
	} {
		allow, err := parseAllow([]string{test.allow})
		if err != nil {
			t.Fatal(err)
		}
		if err := allow.connect(test.host, test.address); (err == nil) != test.want {
			t.Errorf("%s allows %s at %s: %v", test.allow, test.host, test.address, err)
		}
	}
	for _, entry := range []string{"", "https://a.example", "a.example:443", "a/b", "10.0.0.0/33", "*", "*.", "a..b", "a b", "fe80::1%eth0", "-a"} {
		if _, err := New(Options{Allow: []string{entry}}); err == nil {
			t.Errorf("%q is allowed", entry)
		}
	}
}

func TestURLs(t *testing.T) {
	for _, url := range []string{
		"ftp://a.example/x", "file:///etc/passwd", "gopher://a.example", "https://", "https:///x", "https://user:secret@a.example/x", "//a.example", "%",
		"https://a.example/" + strings.Repeat("x", longestURL),
	} {
		_, err := fetcher(t).Request("key").Fetch(t.Context(), []dialect.Remote{image(url)})
		refused(t, err, "its URL cannot be used")
	}
}

// names is a resolver that gives each name, call by call, the next of its addresses.
func names(t *testing.T, answers map[string][]string) *net.Resolver {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	calls := map[string]int{}
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := socket.ReadFrom(buffer)
			if err != nil {
				return
			}
			var message dnsmessage.Message
			if message.Unpack(buffer[:n]) != nil {
				continue
			}
			question := message.Questions[0]
			message.Response, message.Additionals = true, nil
			if name := strings.TrimSuffix(question.Name.String(), "."); question.Type == dnsmessage.TypeA && len(answers[name]) > 0 {
				at := min(calls[name], len(answers[name])-1)
				calls[name]++
				for address := range strings.SplitSeq(answers[name][at], " ") {
					message.Answers = append(message.Answers, dnsmessage.Resource{
						Header: dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET},
						Body:   &dnsmessage.AResource{A: [4]byte(net.ParseIP(address).To4())},
					})
				}
			}
			packed, err := message.Pack()
			if err == nil {
				_, _ = socket.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", socket.LocalAddr().String())
	}}
}

func (f *Fetcher) resolving(with *net.Resolver) *Fetcher {
	f.allow.resolver = with
	f.client = newClient(f.allow)
	return f
}

// A name that stands for private addresses, however many.
func TestNamesOfPrivateAddresses(t *testing.T) {
	f := fetcher(t).resolving(names(t, map[string][]string{"evil.example": {"10.0.0.1 127.0.0.1 169.254.169.254"}}))
	_, err := f.Request("key").Fetch(t.Context(), []dialect.Remote{image("https://evil.example/x")})
	refused(t, err, "evil.example could not be downloaded: it is not at a public address")
}

// A name that says one thing when it is first looked up and another afterwards.
func TestRebinding(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("this machine has one loopback address only")
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	inner, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Skip("the port is taken at the other address")
	}
	var reached atomic.Bool
	outside := &http.Server{Handler: http.RedirectHandler("/again", http.StatusFound)}
	inside := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { reached.Store(true); _, _ = w.Write(png) })}
	go outside.Serve(listener)
	go inside.Serve(inner)
	t.Cleanup(func() { outside.Close(); inside.Close() })
	f := fetcher(t, "127.0.0.2").resolving(names(t, map[string][]string{"rebind.example": {"127.0.0.2", "127.0.0.1"}}))
	_, err = f.Request("key").Fetch(t.Context(), []dialect.Remote{image("http://rebind.example:" + port + "/x")})
	refused(t, err, "it is not at a public address")
	if reached.Load() {
		t.Error("the inner server was reached")
	}
}

func TestRedirects(t *testing.T) {
	var referer atomic.Value
	inside := serve(t, func(w http.ResponseWriter, r *http.Request) {
		referer.Store(r.Header.Get("Referer"))
		_, _ = w.Write(png)
	})
	inside = strings.Replace(inside, "127.0.0.1", "localhost", 1)
	var hops atomic.Int32
	outside := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/loop":
			hops.Add(1)
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/twice":
			http.Redirect(w, r, "/once?secret", http.StatusFound)
		case "/once":
			http.Redirect(w, r, inside, http.StatusMovedPermanently)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case "/metadata":
			http.Redirect(w, r, "http://169.254.169.254/latest?secret", http.StatusFound)
		case "/user":
			http.Redirect(w, r, "http://user:secret@127.0.0.1/", http.StatusFound)
		case "/nowhere":
			w.WriteHeader(http.StatusFound)
		}
	})
	both := fetcher(t, "127.0.0.1", "localhost")
	if _, err := both.Request("key").Fetch(t.Context(), []dialect.Remote{image(outside + "/twice")}); err != nil {
		t.Error(err)
	}
	if referer.Load() != "" {
		t.Errorf("the next server was told of the one before: %q", referer.Load())
	}
	for path, want := range map[string]string{
		"/loop": "it redirects too often", "/file": "its URL cannot be used", "/user": "its URL cannot be used",
		"/metadata": "it is not at a public address", "/nowhere": "its server answered 302",
	} {
		_, err := both.Request("key").Fetch(t.Context(), []dialect.Remote{image(outside + path)})
		refused(t, err, want)
	}
	if hops.Load() != mostRedirects+1 {
		t.Errorf("%d requests in a loop", hops.Load())
	}
}

func TestHostileServers(t *testing.T) {
	flush := func(w http.ResponseWriter) { w.(http.Flusher).Flush() }
	for _, test := range []struct {
		name, want string
		handler    http.HandlerFunc
	}{
		{"silent", "it did not come within 300ms", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"byte by byte", "it did not come within 300ms", func(w http.ResponseWriter, r *http.Request) {
			for _, c := range png {
				if _, err := w.Write([]byte{c}); err != nil {
					return
				}
				flush(w)
				select {
				case <-r.Context().Done():
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
		}},
		{"endless", "it is larger than 1000 bytes", func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(png)
			for r.Context().Err() == nil {
				if _, err := w.Write(png); err != nil {
					return
				}
			}
		}},
		{"large by its own word", "it is larger than 1000 bytes", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100000")
			flush(w)
			<-r.Context().Done()
		}},
		{"shorter than its word", "cannot be reached, or broke off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "900")
			_, _ = w.Write(png)
		}},
		{"huge header", "cannot be reached, or broke off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Large", strings.Repeat("x", 2*longestHeaders))
			_, _ = w.Write(png)
		}},
		{"compressed", "compresses it", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.Copy(z, bytes.NewReader(make([]byte, 1<<20)))
			z.Close()
		}},
		{"missing", "its server answered 404", http.NotFound},
		{"empty", "its server answered 204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }},
		{"no HTTP", "cannot be reached, or broke off", func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			_, _ = conn.Write([]byte("SSH-2.0-OpenSSH_9.6 secret\r\n"))
			conn.Close()
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := fetcher(t, "127.0.0.1")
			if strings.Contains(test.want, "300ms") {
				f.options.Timeout = 300 * time.Millisecond
			}
			_, err := f.Request("key").Fetch(t.Context(), []dialect.Remote{image(serve(t, test.handler) + "/?secret")})
			refused(t, err, test.want)
		})
	}
	_, err := fetcher(t, "127.0.0.1").Request("key").Fetch(t.Context(), []dialect.Remote{image("http://127.0.0.1:1/?secret")})
	refused(t, err, "cannot be reached, or broke off")
}

func TestLimitsOfARequest(t *testing.T) {
	url := serve(t, body(append(png, make([]byte, 700)...)))
	f := fetcher(t, "127.0.0.1")
	var pieces []dialect.Remote
	for i := range mostFiles + 1 {
		pieces = append(pieces, image(fmt.Sprintf("%s/%d", url, i)))
	}
	twice := f.Request("key")
	if got, err := twice.Fetch(t.Context(), pieces[:2]); err != nil || len(got) != 2 {
		t.Errorf("two: %v, %v", got, err)
	}
	_, err := f.Request("key").Fetch(t.Context(), pieces[:3])
	refused(t, err, "the files of the request are too large together")
	// So they are if another attempt fetches the third.
	_, err = twice.Fetch(t.Context(), pieces[2:3])
	refused(t, err, "the files of the request are too large together")
	var told *dialect.Error
	if _, err := f.Request("key").Fetch(t.Context(), pieces); !errors.As(err, &told) || told.Status != 400 || !strings.Contains(told.Message, "21 files") {
		t.Errorf("%d: %v", len(pieces), err)
	}
}

// One client leaves half of the slots to others, and they are nobody's once it is gone.
func TestSlotsOfAClient(t *testing.T) {
	f := fetcher(t, "127.0.0.1")
	f.options.Timeout = 2 * time.Second
	release := make(chan struct{})
	arrived := make(chan struct{}, atOnce)
	slow := serve(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
		_, _ = w.Write(png)
	})
	var requests sync.WaitGroup
	for i := range atOnce/atOnceEach + 1 {
		var pieces []dialect.Remote
		for j := range atOnceEach {
			pieces = append(pieces, image(fmt.Sprintf("%s/%d/%d", slow, i, j)))
		}
		requests.Go(func() { _, _ = f.Request("greedy").Fetch(t.Context(), pieces) })
	}
	for range ofClient {
		<-arrived
	}
	if len(f.slots) != ofClient {
		t.Errorf("one client has %d slots", len(f.slots))
	}
	if _, err := f.Request("other").Fetch(t.Context(), []dialect.Remote{image(serve(t, body(png)))}); err != nil {
		t.Errorf("another client: %v", err)
	}
	close(release)
	requests.Wait()
	if len(f.shares) != 0 || len(f.slots) != 0 {
		t.Errorf("%d shares and %d slots are left", len(f.shares), len(f.slots))
	}
}

// A client that leaves takes its downloads with it, and one that waits for a place too.
func TestCancel(t *testing.T) {
	began, over := make(chan struct{}), make(chan struct{})
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		close(over)
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-began; cancel() }()
	f := fetcher(t, "127.0.0.1")
	if _, err := f.Request("key").Fetch(ctx, []dialect.Remote{image(url)}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	<-over

	f.options.Timeout = 10 * time.Millisecond
	for range atOnce {
		f.slots <- struct{}{}
	}
	var told *dialect.Error
	if _, err := f.Request("key").Fetch(t.Context(), []dialect.Remote{image(url)}); !errors.As(err, &told) || told.Status != 503 {
		t.Errorf("error %v", err)
	}
}
