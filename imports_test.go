package main

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/switchyard/switchyard"

// Imports point one way: main → extproc, xds, envoy, policies/api → policies →
// policies/config. What decides knows nothing of Envoy, so that it can be tested
// without one and hosted elsewhere.
func TestImportsPointOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		imports := strings.Fields(line)
		from := strings.TrimPrefix(imports[0], module+"/")
		for _, to := range imports[1:] {
			if reason := forbidden(from, strings.TrimPrefix(to, module+"/")); reason != "" {
				t.Errorf("%s imports %s: %s", from, to, reason)
			}
		}
	}
}

func forbidden(from, to string) string {
	pure := strings.HasPrefix(from, "policies/") || strings.HasPrefix(from, "extproc/")
	switch {
	case pure && (strings.HasPrefix(to, "google.golang.org/grpc") || strings.HasPrefix(to, "github.com/envoyproxy/")):
		return "policies, dialects and sse are free of Envoy and gRPC"
	case strings.HasPrefix(from, "extproc/") && strings.HasPrefix(to, "policies/"):
		return "dialects know no policy"
	case strings.HasPrefix(from, "policies/") && (to == "extproc" || to == "xds" || to == "envoy"):
		return "policies do not know who asks them"
	case strings.HasPrefix(from, "policies/config") && strings.HasPrefix(to, "policies/") && !strings.HasPrefix(to, "policies/config"):
		return "the configuration is at the bottom"
	case from == "xds" && (to == "extproc" || to == "envoy" || strings.HasPrefix(to, "policies/")):
		return "xds takes its own inputs"
	case from == "envoy" && (to == "extproc" || strings.HasPrefix(to, "policies/")):
		return "envoy takes its own options"
	}
	return ""
}

func TestForbiddenImportsAreSeen(t *testing.T) {
	for _, test := range [][2]string{
		{"policies/routing", "google.golang.org/grpc"},
		{"extproc/dialect/openai", "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"},
		{"extproc/dialect", "policies/catalog"},
		{"policies/config", "policies/catalog"},
		{"xds", "policies/config"},
	} {
		if forbidden(test[0], test[1]) == "" {
			t.Errorf("%s may import %s", test[0], test[1])
		}
	}
}
