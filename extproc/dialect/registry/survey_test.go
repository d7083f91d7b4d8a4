package registry_test

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/policies/catalog"
)

var update = flag.Bool("update", false, "rewrite ../SURVIVAL.md")

// survival is the table for readers, made by TestSurvival.
const survival = "../SURVIVAL.md"

// fate is what becomes of a feature.
type fate string

const (
	kept    fate = "✓"
	fetched fate = "✓ fetched" // by the gateway: the provider takes no URL
	named   fate = "dropped"   // and named in Upstream.Dropped
	refused fate = "refused"   // with 400, which names the field
	lost    fate = "LOST"      // and nobody learns of it
)

// ask writes a request with more members for the column's provider.
func (c column) ask(members string) (dialect.Upstream, bool, error) {
	body := `{"model":"m/x",` + members
	if !strings.Contains(members, `"messages"`) {
		if members != "" {
			body += ","
		}
		body += `"messages":[` + asks + `]`
	}
	request, err := openai.Client{}.Parse([]byte(body + "}"))
	if err != nil {
		return dialect.Upstream{}, false, err
	}
	// As the data path does.
	remote, err := dialect.RemoteMedia(request, c.provider(), c.target)
	if err != nil {
		return dialect.Upstream{}, false, err
	}
	media := map[dialect.Remote]dialect.Media{}
	for _, at := range remote {
		if media[at] = (dialect.Media{Type: "image/png", Data: "iVBORw0KGgo="}); at.Kind == dialect.PartFile {
			media[at] = dialect.Media{Type: "application/pdf", Data: "JVBERi0="}
		}
	}
	if len(media) > 0 {
		request = request.WithMedia(media)
	}
	upstream, err := c.provider().Request(request, c.target)
	return upstream, len(media) > 0, err
}

// surveyed asks for a feature, and reports what becomes of it.
func (c column) surveyed(f feature) (fate, string) {
	upstream, inlined, err := c.ask(f.members)
	if failure := (*dialect.Error)(nil); errors.As(err, &failure) {
		if failure.Status == 400 && strings.Contains(failure.Message, cmp.Or(f.words, f.field)) {
			return refused, ""
		}
		return lost, fmt.Sprintf("%d %s, which does not name %q", failure.Status, failure.Message, f.field)
	}
	switch {
	case err != nil:
		return lost, err.Error()
	case regexp.MustCompile(f.marker).Match(upstream.Body):
		if slices.Contains(upstream.Dropped, f.field) && !f.lowered {
			return lost, fmt.Sprintf("it is kept, and yet among those dropped %q", upstream.Dropped)
		}
		if inlined {
			return fetched, ""
		}
		return kept, ""
	case f.field != "" && slices.ContainsFunc(upstream.Dropped, func(name string) bool {
		return name == f.field || strings.HasPrefix(name, f.field+".")
	}):
		return named, ""
	case f.absent != "" && !regexp.MustCompile(f.absent).Match(upstream.Body):
		return kept, ""
	}
	return lost, fmt.Sprintf("dropped are %q, sent is %s", upstream.Dropped, upstream.Body)
}

// TestNothingIsLostInSilence holds that what a client asks for reaches the provider, or
// that somebody is told (known-failures 37).
func TestNothingIsLostInSilence(t *testing.T) {
	for _, g := range requests {
		for _, f := range g.features {
			for _, c := range columns {
				if got, how := c.surveyed(f); got == lost {
					t.Errorf("%s: %s, %s: %s", c.title, g.title, f.name, how)
				}
			}
		}
	}
}

// TestRow19RequireParameters holds that the catalog says of each dialect what its
// translator does: provider.require_parameters goes by the one, the request by the
// other. So it is for an endpoint without a list of its own, and for one that lists all.
func TestRow19RequireParameters(t *testing.T) {
	for _, c := range columns {
		vendor := &catalog.Provider{Dialect: c.dialect, Strict: c.target.Strict}
		endpoint := catalog.Endpoint{Provider: vendor, ProviderModel: c.target.Model}
		c.keepsPromises(t, endpoint)
		endpoint.SupportedParameters = catalog.Sayable(c.dialect, everyParameter())
		c.title += ", which lists all"
		c.target.Supported = endpoint.SupportedParameters
		c.keepsPromises(t, endpoint)
	}
}

func (c column) keepsPromises(t *testing.T, endpoint catalog.Endpoint) {
	t.Helper()
	for _, g := range requests {
		for _, f := range g.features {
			if f.parameter == "" {
				continue
			}
			promised := slices.Contains(endpoint.Parameters(), f.parameter)
			if f.parameter == "json_object" || f.parameter == "json_schema" {
				promised = endpoint.Formats(f.parameter)
			}
			got, _ := c.surveyed(f)
			few := c.dialect == "bedrock" && c.target.Supported != nil // lists are of a model, and this one's lists what others take
			if promised && got != kept && !few || !promised && got == kept && c.title != "bedrock, Nova" {
				t.Errorf("%s, %s: promised is %t, and it is %s", c.title, f.parameter, promised, got)
			}
		}
	}
}

func everyParameter() []string {
	var all []string
	for _, g := range requests {
		for _, f := range g.features {
			all = append(all, f.parameter)
		}
	}
	return append(all, "response_format", "structured_outputs")
}

// TestSurvival keeps the table current.
func TestSurvival(t *testing.T) {
	made := table(t)
	if *update {
		if err := os.WriteFile(survival, []byte(made), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	there, err := os.ReadFile(survival)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(there), made); diff != "" {
		t.Errorf("%s is not current; run go generate ./extproc/dialect/registry (-there +made):\n%s", survival, diff)
	}
}

// preface says what the tables mean.
const preface = `# What survives

Made from the code by ` + "`go generate ./extproc/dialect/registry`" + `, and checked by its tests: do not edit.

## Requests

What becomes of each thing that a Chat Completions request can say, by the provider's dialect. The columns are endpoints that list no parameters of their own.

- ✓ the provider gets it, in its own words; *fetched*: the gateway fetches it first
- *dropped*: the provider has no words for it, and the request goes without. Who sends ` + "`X-OpenRouter-Metadata: enabled`" + ` finds its name in ` + "`openrouter_metadata.dropped_fields`" + `, and the log has it at level debug. With ` + "`provider.require_parameters`" + ` no request parameter is dropped: the endpoint is not asked
- *refused*: with status 400, in words that name the field

Nothing is lost without a word.
`

func table(t *testing.T) string {
	var out strings.Builder
	out.WriteString(preface)
	for _, g := range requests {
		fmt.Fprintf(&out, "\n### %s\n\n", g.title)
		row(&out, "", columns, func(c column) string { return c.title })
		row(&out, "---", columns, func(column) string { return ":-:" })
		for _, f := range g.features {
			row(&out, f.name, columns, func(c column) string {
				got, _ := c.surveyed(f)
				return string(got)
			})
		}
	}
	out.WriteString(answersPreface)
	out.WriteString(answersTable(t))
	return out.String()
}

const answersPreface = `
## Answers

What a client gets to know of what a provider's dialect read, streamed and whole alike, by the API that the client speaks; – where that API has no place for it. Clients of a provider's own dialect get its own bytes.

`

func row[C any](out *strings.Builder, head string, cells []C, text func(C) string) {
	fmt.Fprintf(out, "| %s |", head)
	for _, cell := range cells {
		fmt.Fprintf(out, " %s |", text(cell))
	}
	out.WriteString("\n")
}
