package anthropic

import (
	"slices"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// The API's versions that are known. The newer one takes no sampling parameters.
const (
	version       = "2023-06-01"
	newestVersion = "2026-10-21"
)

const (
	versionHeader = "anthropic-version"
	betaHeader    = "anthropic-beta"
)

// mostBetas is in bytes.
const mostBetas = 4096

// contextBeta is what the API demands to be told of a request that manages its own
// context.
const contextBeta = "context-management-2025-06-27"

// head is what a client says in headers to a provider of the same dialect: Claude Code
// and the SDKs count on gateways to hand it on
// (https://code.claude.com/docs/en/llm-gateway-protocol).
type head struct {
	// betas are separated by commas, as the client wrote them.
	betas string
	// version is one that is known, or "".
	version string
}

// ReadHead notes the betas that the request asks for, and the version of the API that
// it is written for. Of a version that is not known the gateway cannot tell whether it
// reads the answers, and asks for the oldest, as it does if there is none.
func (Client) ReadHead(sent dialect.Head) (dialect.Client, error) {
	own := head{betas: sent.Header(betaHeader)}
	if len(own.betas) > mostBetas {
		return nil, dialect.Invalid("The header 'anthropic-beta' must have at most %d bytes; it has %d.", mostBetas, len(own.betas))
	}
	if sent.Header(versionHeader) == newestVersion {
		own.version = newestVersion
	}
	return Client{head: own}, nil
}

// headers are those of a request that says the same. Sampled: it has sampling
// parameters; managed: it manages its context.
func (h head) headers(sampled, managed bool) []dialect.Header {
	headers := []dialect.Header{{Name: versionHeader, Value: version}}
	if h.version != "" && !sampled {
		headers[0].Value = h.version
	}
	betas := h.betas
	if managed && !slices.Contains(Betas(betas), contextBeta) {
		if betas != "" {
			betas += ","
		}
		betas += contextBeta
	}
	if betas != "" {
		headers = append(headers, dialect.Header{Name: betaHeader, Value: betas})
	}
	return headers
}

// betas are those of the client's that the target takes, and the names of the others. One
// feature can have several names, and is asked for once.
func (p Provider) betas(said string, target dialect.Target) (taken string, refused []string) {
	refuses := func(beta string) bool {
		return slices.Contains(target.Refused, betaHeader) || slices.Contains(target.Refused, betaHeader+"."+beta)
	}
	var kept []string
	for _, beta := range strings.FieldsFunc(said, betweenBetas) {
		own := beta
		if p.Betas != nil {
			own = p.Betas[beta]
		}
		switch {
		case own == "" || refuses(beta) || refuses(own):
			refused = append(refused, betaHeader+"."+beta)
		case !slices.Contains(kept, own):
			kept = append(kept, own)
		}
	}
	if len(refused) == 0 && p.Betas == nil {
		return said, nil
	}
	return strings.Join(kept, ","), refused
}

// HostedBetas are beta features by Anthropic's name for each, with that of a cloud which
// has some: searching for tools goes by another name in clouds.
func HostedBetas(names ...string) map[string]string {
	const search = "tool-search-tool-2025-10-19"
	betas := map[string]string{"advanced-tool-use-2025-11-20": search, search: search}
	for _, name := range names {
		betas[name] = name
	}
	return betas
}

// Betas are those that the value of a header "anthropic-beta" names.
func Betas(header string) []string { return strings.FieldsFunc(header, betweenBetas) }

func betweenBetas(r rune) bool { return r == ',' || r == ' ' || r == '\t' }
