package xds

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
)

var update = flag.Bool("update", false, "rewrite the golden files under testdata")

// minimal is the least that Build accepts, with one provider.
func minimal() Inputs {
	return Inputs{
		Listen:         Address{Host: "127.0.0.1", Port: 8080},
		APISocket:      "/run/switchyard/api.sock",
		InferencePaths: []string{"/v1/chat/completions", "/api/v1/chat/completions"},
		SystemCAFile:   "/etc/ssl/certs/ca-certificates.crt",
		Clusters:       []Cluster{{Name: "openai", Host: "api.openai.com", Port: 443, TLS: &UpstreamTLS{}}},
	}
}

func with(change func(*Inputs)) Inputs {
	in := minimal()
	change(&in)
	return in
}

func twenty() []Cluster {
	var clusters []Cluster
	for i := range 20 {
		name := fmt.Sprintf("provider-%02d", i)
		clusters = append(clusters, Cluster{Name: name, Host: name + ".example.com", Port: 443, TLS: &UpstreamTLS{}})
	}
	return clusters
}

func TestGoldenSnapshots(t *testing.T) {
	t.Parallel()
	inputs := map[string]Inputs{
		"minimal": minimal(),
		"listener_tls": with(func(in *Inputs) {
			in.TLS = &ServerTLS{CertificatePEM: []byte("certificate"), KeyPEM: []byte("key"), MinVersion: TLS13}
		}),
		"hedging":          with(func(in *Inputs) { in.HedgeAfter = 800 * time.Millisecond }),
		"twenty_providers": with(func(in *Inputs) { in.Clusters = twenty() }),
		"no_providers":     with(func(in *Inputs) { in.Clusters, in.InferencePaths = nil, nil }),
		"paths_below":      with(func(in *Inputs) { in.InferencePaths = []string{"/v1/models", "/v1/models/", "/v1/models/tuned/"} }),
		"error_shapes": with(func(in *Inputs) {
			in.InferencePaths = []string{"/v1/chat/completions", "/v1/messages", "/api/v1/messages", "/v1beta/models/"}
			in.ErrorBody = func(path string, status int, message string) []byte {
				switch path {
				case "/v1/messages", "/api/v1/messages":
					return fmt.Appendf(nil, `{"type":"error","error":{"message":%q}}`, message)
				case "/v1beta/models/":
					return fmt.Appendf(nil, `{"error":{"code":%d,"status":"100%%"}}`, status)
				}
				return plainErrorBody(path, status, message)
			}
		}),
		"no_access_log": with(func(in *Inputs) { in.NoAccessLog = true }),
		"limits": with(func(in *Inputs) {
			in.MaxRequestBytes = 1 << 20
			in.StreamIdleTimeout = 30 * time.Second
			in.MaxStreamDuration = 10 * time.Minute
			in.RequestTimeout = time.Minute
			in.TrustedHops = 2
			in.ReusePort = true
		}),
		"hosts": with(func(in *Inputs) {
			in.Clusters = []Cluster{
				{Name: "ipv4", Host: "192.0.2.1", Port: 8000},
				{Name: "ipv4_tls", Host: "192.0.2.1", Port: 443, TLS: &UpstreamTLS{}},
				{Name: "ipv6", Host: "2001:db8::1", Port: 8000, ConnectTimeout: time.Second},
				{Name: "plain_http", Host: "vllm.example.com", Port: 80},
				{Name: "plain_http2", Host: "vllm.example.com", Port: 80, Protocol: ProtocolHTTP2},
				{Name: "replicas", Host: "vllm.default.svc", Port: 80, Spread: true},
				{Name: "tls_http1", Host: "old.example.com", Port: 443, TLS: &UpstreamTLS{}, Protocol: ProtocolHTTP1},
				{Name: "tls_private", Host: "10.0.0.7", Port: 443, TLS: &UpstreamTLS{ServerName: "llm.corp.example", AuthoritiesPEM: []byte("authorities, Z\xfcrich")}},
			}
		}),
	}
	for name, in := range inputs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			snapshot, err := Build(in)
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, filepath.Join("testdata", name+".json"), render(t, snapshot))
		})
	}
	if !*update {
		// A golden file without a case would be believed for ever.
		files, err := filepath.Glob("testdata/*.json")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if _, ok := inputs[strings.TrimSuffix(filepath.Base(file), ".json")]; !ok {
				t.Errorf("%s belongs to no case", file)
			}
		}
	}
}

func compareGolden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (run the test with -update)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got), run with -update if intended:\n%s", file, diff)
	}
}

// render is the snapshot as people read it: protojson, whose spacing is random
// on purpose, brought into one form.
func render(t *testing.T, snapshot *Snapshot) []byte {
	t.Helper()
	content := map[string]map[string]json.RawMessage{}
	for _, typ := range resourceTypes() {
		resources := snapshot.resources.GetResources(typ)
		if len(resources) == 0 {
			continue
		}
		content[shortType(typ)] = map[string]json.RawMessage{}
		for name, r := range resources {
			text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			content[shortType(typ)][name] = text
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(content); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

func TestBuildDoesNotDependOnOrder(t *testing.T) {
	t.Parallel()
	in := with(func(in *Inputs) {
		in.Clusters = twenty()
		in.InferencePaths = []string{"/a", "/b/", "/b/c/", "/d"}
	})
	first, err := Build(in)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		rand.Shuffle(len(in.Clusters), func(i, j int) { in.Clusters[i], in.Clusters[j] = in.Clusters[j], in.Clusters[i] })
		rand.Shuffle(len(in.InferencePaths), func(i, j int) {
			in.InferencePaths[i], in.InferencePaths[j] = in.InferencePaths[j], in.InferencePaths[i]
		})
		again, err := Build(in)
		if err != nil {
			t.Fatal(err)
		}
		if again.Version() != first.Version() {
			t.Fatalf("version %s after shuffling, was %s", again.Version(), first.Version())
		}
		for _, typ := range resourceTypes() {
			for name, want := range first.resources.GetResources(typ) {
				if !bytes.Equal(marshal(t, again, typ, name), marshal(t, first, typ, name)) {
					t.Errorf("%s %q: other bytes after shuffling: %v", typ, name, want)
				}
			}
		}
	}
}

// TestVersionSurvivesRestarts pins one version: were it to depend on anything
// in the process, each restart would push everything anew. It changes with the
// configuration that is built, and then is to be changed here.
func TestVersionSurvivesRestarts(t *testing.T) {
	t.Parallel()
	snapshot, err := Build(minimal())
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, filepath.Join("testdata", "minimal.version"), []byte(snapshot.Version()+"\n"))
}

func TestOneProviderTouchesOneCluster(t *testing.T) {
	t.Parallel()
	base := with(func(in *Inputs) { in.Clusters = twenty() })
	before, err := Build(base)
	if err != nil {
		t.Fatal(err)
	}
	added := base
	added.Clusters = append(twenty(), Cluster{Name: "added", Host: "added.example.com", Port: 443, TLS: &UpstreamTLS{}})
	changed := base
	changed.Clusters = twenty()
	changed.Clusters[7].Port = 8443
	removed := base
	removed.Clusters = slices.Delete(twenty(), 7, 8)

	for name, test := range map[string]struct {
		in   Inputs
		want []string
	}{
		"added":   {added, []string{"cluster added"}},
		"changed": {changed, []string{"cluster provider-07"}},
		"removed": {removed, []string{"cluster provider-07"}},
		"same":    {base, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after, err := Build(test.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, differences(t, before, after)); diff != "" {
				t.Errorf("resources touched (-want +got):\n%s", diff)
			}
			if same := before.Version() == after.Version(); same != (test.want == nil) {
				t.Errorf("versions %s and %s", before.Version(), after.Version())
			}
		})
	}
}

// differences lists the resources whose bytes differ, as "type name".
func differences(t *testing.T, a, b *Snapshot) []string {
	t.Helper()
	var different []string
	for _, typ := range resourceTypes() {
		names := maps.Clone(a.resources.GetResources(typ))
		maps.Copy(names, b.resources.GetResources(typ))
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if !bytes.Equal(marshal(t, a, typ, name), marshal(t, b, typ, name)) {
				different = append(different, shortType(typ)+" "+name)
			}
		}
	}
	return different
}

func marshal(t *testing.T, snapshot *Snapshot, typ resource.Type, name string) []byte {
	t.Helper()
	r, ok := snapshot.resources.GetResources(typ)[name]
	if !ok {
		return nil
	}
	content, err := cache.MarshalResource(r)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestKeepingAddsOnlyWhatIsNotNamed(t *testing.T) {
	t.Parallel()
	old := Inputs{Clusters: []Cluster{{Name: "a", Port: 1}, {Name: "b", Port: 1}}}
	in := Inputs{Clusters: []Cluster{{Name: "b", Port: 2}, {Name: "c", Port: 2}}}
	want := []Cluster{{Name: "b", Port: 2}, {Name: "c", Port: 2}, {Name: "a", Port: 1}}
	if diff := cmp.Diff(want, in.Keeping(old).Clusters); diff != "" {
		t.Errorf("union (-want +got):\n%s", diff)
	}
	if len(in.Clusters) != 2 {
		t.Errorf("the receiver was changed: %v", in.Clusters)
	}
}

// The last provider that the system's authorities vouch for goes: while it is kept, it
// needs them still.
func TestKeepingTheSystemsAuthorities(t *testing.T) {
	t.Parallel()
	in := with(func(in *Inputs) { in.Clusters, in.SystemCAFile = nil, "" }).Keeping(minimal())
	if _, err := Build(in); err != nil {
		t.Error(err)
	}
}
