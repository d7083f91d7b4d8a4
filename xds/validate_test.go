package xds

import (
	"strings"
	"testing"
	"time"
)

func TestWrongInputsAreNamed(t *testing.T) {
	t.Parallel()
	provider := func(change func(*Cluster)) Inputs {
		return with(func(in *Inputs) { change(&in.Clusters[0]) })
	}
	for name, test := range map[string]struct {
		in   Inputs
		want string
	}{
		"listen on a name":       {with(func(in *Inputs) { in.Listen.Host = "localhost" }), `listen.host "localhost": give an IP address`},
		"listen nowhere":         {with(func(in *Inputs) { in.Listen.Host = "" }), `listen.host ""`},
		"port too large":         {with(func(in *Inputs) { in.Listen.Port = 65536 }), "listen.port 65536"},
		"no certificate":         {with(func(in *Inputs) { in.TLS = &ServerTLS{KeyPEM: []byte("key")} }), "tls.certificate"},
		"no key":                 {with(func(in *Inputs) { in.TLS = &ServerTLS{CertificatePEM: []byte("cert")} }), "tls.key"},
		"body above 4 GiB":       {with(func(in *Inputs) { in.MaxRequestBytes = 1 << 32 }), "max_request_bytes 4294967296"},
		"no API socket":          {with(func(in *Inputs) { in.APISocket = "" }), "api_socket"},
		"long API socket":        {with(func(in *Inputs) { in.APISocket = "/" + strings.Repeat("x", 107) }), "api_socket"},
		"negative hedge":         {with(func(in *Inputs) { in.HedgeAfter = -time.Second }), "hedge_after -1s"},
		"negative idle time":     {with(func(in *Inputs) { in.StreamIdleTimeout = -1 }), "stream_idle_timeout"},
		"negative duration":      {with(func(in *Inputs) { in.MaxStreamDuration = -1 }), "max_stream_duration"},
		"negative upload time":   {with(func(in *Inputs) { in.RequestTimeout = -1 }), "request_timeout"},
		"relative path":          {with(func(in *Inputs) { in.InferencePaths = []string{"v1"} }), `inference_paths "v1": give a clean absolute path`},
		"path with query":        {with(func(in *Inputs) { in.InferencePaths = []string{"/v1?x"} }), `inference_paths "/v1?x"`},
		"path not normalised":    {with(func(in *Inputs) { in.InferencePaths = []string{"/v1//x"} }), `inference_paths "/v1//x"`},
		"two slashes at the end": {with(func(in *Inputs) { in.InferencePaths = []string{"/v1/x//"} }), `inference_paths "/v1/x//"`},
		"path twice":             {with(func(in *Inputs) { in.InferencePaths = []string{"/v1", "/v1"} }), `inference_paths "/v1": listed twice`},
		"no cluster name":        {provider(func(c *Cluster) { c.Name = "" }), `clusters[0] "": name`},
		"odd cluster name":       {provider(func(c *Cluster) { c.Name = "open ai" }), `clusters[0] "open ai": name`},
		"control characters":     {provider(func(c *Cluster) { c.Name = "open\nai" }), `name: give`},
		"not UTF-8":              {provider(func(c *Cluster) { c.Name = "open\xff" }), `name: give`},
		"reserved name":          {provider(func(c *Cluster) { c.Name = "extproc" }), `clusters[0] "extproc": name: reserved`},
		"name twice":             {with(func(in *Inputs) { in.Clusters = append(in.Clusters, in.Clusters[0]) }), `clusters[1] "openai": the name is taken`},
		"no host":                {provider(func(c *Cluster) { c.Host = "" }), `host ""`},
		"URL as host":            {provider(func(c *Cluster) { c.Host = "https://api.openai.com" }), `host "https://api.openai.com"`},
		"host with port":         {provider(func(c *Cluster) { c.Host = "api.openai.com:443" }), `host "api.openai.com:443"`},
		"host in brackets":       {provider(func(c *Cluster) { c.Host = "[::1]" }), `host "[::1]"`},
		"host too long":          {provider(func(c *Cluster) { c.Host = strings.Repeat("a.", 127) + "com" }), "host"},
		"no port":                {provider(func(c *Cluster) { c.Port = 0 }), "port 0"},
		"provider's port":        {provider(func(c *Cluster) { c.Port = 70000 }), "port 70000"},
		"negative connect time":  {provider(func(c *Cluster) { c.ConnectTimeout = -1 }), "connect_timeout"},
		"odd server name":        {provider(func(c *Cluster) { c.TLS.ServerName = "a b" }), `tls.server_name "a b"`},
		"no trusted authorities": {with(func(in *Inputs) { in.SystemCAFile = "" }), "tls.ca_file: no system bundle was found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Build(test.in)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestAllWrongInputsAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := Build(Inputs{Clusters: []Cluster{{}, {Name: "b", Host: "b"}}})
	for _, want := range []string{"listen.host", "api_socket", `clusters[0] "": name`, `clusters[0] "": host`, `clusters[1] "b": port`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not mention %s", err, want)
		}
	}
}

func TestOddButRightHosts(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"localhost", "a", "vllm_0.svc.cluster.local.", "xn--bcher-kva.example", "127.0.0.1", "::1", "fe80::1%eth0"} {
		if _, err := Build(with(func(in *Inputs) { in.Clusters[0].Host = host })); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}
