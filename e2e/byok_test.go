package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/gateway"
	"github.com/switchyard/switchyard/e2e/provider"
	"github.com/switchyard/switchyard/policies/usage/postgrestest"
)

const ownSecret = "sk-own-fedcba9876543210fedcba9876543210"

// ownKey is a customer's own key, as the API shows it.
type ownKey struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

// makeOwnKey makes an own key of the members of a request.
func (s *stage) makeOwnKey(members string) ownKey {
	s.Helper()
	got := s.manage(http.MethodPost, "/byok", members)
	var made struct{ Data ownKey }
	if err := json.Unmarshal([]byte(got.body), &made); err != nil || got.status != http.StatusCreated {
		s.Fatalf("%d %s", got.status, got.body)
	}
	s.Cleanup(func() {
		if strings.Contains(s.Log(), ownSecret) {
			s.Error("the gateway's log has an own key")
		}
	})
	return made.Data
}

// changeOwnKey changes one.
func (s *stage) changeOwnKey(id, members string) {
	s.Helper()
	if got := s.manage(http.MethodPatch, "/byok/"+id, members); got.status != http.StatusOK {
		s.Fatalf("%d %s", got.status, got.body)
	}
}

// withKeys is a gateway whose model m/x is served by gpt, then by claude, of which a
// customer has a key.
func withKeys(t *testing.T) (s *stage, gpt, claude *site) {
	t.Helper()
	s, gpt, claude = pair(t)
	s.serve("m/x", gpt, claude)
	s.serve("m/y", claude)
	s.config["byok"] = settings{"fee_percent": 5}
	claude.Accept(ownSecret)
	return s, gpt, claude
}

// askedBy is by whose key the sites were asked since their last reset, in order.
func askedBy(sites ...*site) []string {
	var all []*provider.Exchange
	for _, at := range sites {
		all = append(all, at.Exchanges()...)
	}
	slices.SortFunc(all, func(a, b *provider.Exchange) int { return a.Arrived.Compare(b.Arrived) })
	var by []string
	for _, exchange := range all {
		key := strings.TrimPrefix(exchange.Header.Get("Authorization"), "Bearer ") + exchange.Header.Get("X-Api-Key")
		switch {
		case key == ownSecret:
			by = append(by, "own")
		case key == sites[0].key:
			by = append(by, sites[0].slug)
		case key == sites[len(sites)-1].key:
			by = append(by, sites[len(sites)-1].slug)
		default:
			by = append(by, "?")
		}
	}
	return by
}

func TestRow182To185And189WhoseKeyIsAsked(t *testing.T) {
	s, gpt, claude := withKeys(t)
	const steps = 11
	for i := range steps { // an outage of one step must not steer the plan of the next
		s.serve(fmt.Sprint("m/x", i), gpt, claude)
		s.serve(fmt.Sprint("m/y", i), claude)
	}
	s.manageable()
	s.start()
	key := s.makeOwnKey(`{"provider":"claude","key":"` + ownSecret + `","name":"ours"}`)
	down := provider.Failure{Status: 503}
	for i, step := range [steps]struct {
		name, change, question string
		gpt, claude            []provider.Script
		want                   []string
		status                 int
		says                   string
	}{
		{"row 182: own key first", `{}`, question("m/x", `"provider":{"order":["gpt"]}`), nil, nil, []string{"own"}, 200, `"is_byok":true`},
		{"row 182: then the order, then the shared endpoint", `{}`, question("m/x", `"provider":{"order":["gpt"]}`), []provider.Script{down}, []provider.Script{down}, []string{"own", "gpt", "claude"}, 200, `"is_byok":false`},
		{"row 183: fallback", `{"is_fallback":true}`, question("m/x"), []provider.Script{down}, []provider.Script{down}, []string{"gpt", "claude", "own"}, 200, `"is_byok":true`},
		{"row 184: exclusive", `{"is_fallback":false,"is_byok_only":true}`, question("m/y"), nil, []provider.Script{provider.Failure{Status: 429}}, []string{"own"}, 429, `"limit_source":"upstream_provider_byok"`},
		{"row 184: for the provider alone", `{"is_byok_only":true}`, question("m/x"), nil, []provider.Script{provider.Failure{Status: 429}}, []string{"own", "gpt"}, 200, `"is_byok":false`},
		{"row 185: another model", `{"is_byok_only":false,"allowed_models":["m/y*"]}`, question("m/x"), nil, nil, []string{"gpt"}, 200, `"is_byok":false`},
		{"row 185: its model", `{}`, question("m/y"), nil, nil, []string{"own"}, 200, `"is_byok":true`},
		{"another's key", `{"allowed_models":null,"allowed_api_key_hashes":["` + hash(managementKey) + `"]}`, question("m/y"), nil, nil, []string{"claude"}, 200, `"is_byok":false`},
		{"the key's", `{"allowed_api_key_hashes":["` + hash(clientKey) + `"]}`, question("m/y"), nil, nil, []string{"own"}, 200, `"is_byok":true`},
		{"disabled", `{"disabled":true}`, question("m/y"), nil, nil, []string{"claude"}, 200, `"is_byok":false`},
		{"row 189: policies hold", `{"disabled":false}`, question("m/y", `"provider":{"zdr":true}`), nil, nil, nil, 404, `Filter by Zero Data Retention`},
	} {
		t.Run(step.name, func(t *testing.T) {
			gpt.Reset()
			claude.Reset()
			gpt.Enqueue(step.gpt...)
			claude.Enqueue(step.claude...)
			s.changeOwnKey(key.ID, step.change)
			got := s.ask(strings.NewReplacer("m/x", fmt.Sprint("m/x", i), "m/y", fmt.Sprint("m/y", i)).Replace(step.question))
			if by := askedBy(gpt, claude); got.status != step.status || !slices.Equal(by, step.want) || !strings.Contains(got.body, step.says) {
				t.Errorf("%v, want %v: %d %s", by, step.want, got.status, got.body)
			}
		})
	}
}

func TestRow186And188OwnKeyIsAccountedForAndNeverShown(t *testing.T) {
	s, _, claude := withKeys(t)
	s.manageable()
	state := t.TempDir()
	s.start("--state-dir", state)
	key := s.makeOwnKey(`{"provider":"claude","key":"` + ownSecret + `"}`)
	team := s.makeKey(`{"name":"team","limit":5}`)
	including := s.makeKey(`{"name":"including","limit":5,"include_byok_in_limit":true}`)

	// 1,000 tokens at $1 and 50 at $2 a million: $0.0011, of which 5 percent are the fee.
	claude.Default(provider.Answer{Text: "hello", Usage: provider.Usage{Input: 1000, Output: 50}})
	for _, body := range []string{question("m/y"), streamed("m/y")} {
		got := s.ask(body, as(team.Key)...)
		for _, member := range []string{`"is_byok":true`, `"cost":0.000055`, `"upstream_inference_cost":0.0011`} {
			if !strings.Contains(got.body, member) {
				t.Errorf("row 186: no %s in %s", member, got.body)
			}
		}
	}
	got := s.ask(question("m/y"))
	if _ = s.ask(question("m/y"), as(including.Key)...); s.generation(got.header.Get("X-Generation-Id")).Cost != 55_000_000 {
		t.Error("the generation costs something else")
	}
	if shown := s.do(http.MethodGet, "/api/v1/generation?id="+got.header.Get("X-Generation-Id"), ""); strings.Count(shown.body, `"is_byok":true`) != 2 || !strings.Contains(shown.body, `"upstream_inference_cost":0.0011`) {
		t.Errorf("%s", shown.body)
	}
	s.until("the ledger has them all", func() bool {
		return strings.Contains(s.do(http.MethodGet, "/api/v1/key", "", as(including.Key)...).body, `"byok_usage":0.0011`)
	})
	for secret, want := range map[string][]string{
		team.Key:      {`"usage":0.00011`, `"byok_usage":0.0022`, `"byok_usage_daily":0.0022`, `"limit_remaining":4.99989`, `"include_byok_in_limit":false`},
		including.Key: {`"usage":0.000055`, `"byok_usage":0.0011`, `"limit_remaining":4.998845`, `"include_byok_in_limit":true`}, // row 164
	} {
		told := s.do(http.MethodGet, "/api/v1/key", "", as(secret)...).body
		managed := s.manage(http.MethodGet, "/keys/"+hash(secret), "").body
		for _, member := range want {
			if !strings.Contains(told, member) || !strings.Contains(managed, member) {
				t.Errorf("no %s in %s or in %s", member, told, managed)
			}
		}
	}

	for _, path := range []string{"/byok", "/byok/" + key.ID, "/audit"} {
		if shown := s.manage(http.MethodGet, path, "").body; strings.Contains(shown, ownSecret) || !strings.Contains(shown, key.ID) {
			t.Errorf("row 188: %s", shown)
		}
	}
	if key.Label != "sk-...3210" {
		t.Errorf("row 188: label %q", key.Label)
	}

	// It outlives the process, and nothing on disk has it in clear.
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(state, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), ownSecret) {
			t.Errorf("%s has an own key", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	running, err := gateway.Start(t.Context(), gateway.Options{Binary: binary, Directory: t.TempDir(), Config: s.config, Arguments: []string{"--state-dir", state}})
	if err != nil {
		t.Fatal(err)
	}
	s.Gateway = running
	s.until("the key is read again", func() bool { return strings.Contains(s.ask(question("m/y")).body, `"is_byok":true`) })
}

// A provider that refuses a customer's key costs an attempt, and the shared endpoint
// stays in its place.
func TestRefusedOwnKeyMovesOn(t *testing.T) {
	s, gpt, claude := withKeys(t)
	s.manageable()
	s.routing(settings{"cool_down": "60s", "max_cool_down": "60s"})
	s.start()
	s.makeOwnKey(`{"provider":"claude","key":"` + ownSecret + `"}`)
	claude.Enqueue(provider.Failure{Status: 401})
	for _, want := range [][]string{{"own", "claude"}, {"own", "claude", "claude"}} {
		if got := s.ask(question("m/y")); got.status != 200 || strings.Contains(got.body, `"is_byok":true`) {
			t.Fatalf("%d %s", got.status, got.body)
		}
		if by := askedBy(gpt, claude); !slices.Equal(by, want) {
			t.Errorf("%v, want %v", by, want)
		}
	}
}

// Two gateways, one PostgreSQL: a key that is made at one is used at the other within a
// second. Without a secret for both, none is kept.
func TestOwnKeysAtEveryGateway(t *testing.T) {
	server := postgrestest.Start(t)
	near, gpt, claude := withKeys(t)
	near.manageable()
	near.config["ledger"] = settings{"postgres": settings{"value": server.Connection()}}
	near.config["identity"] = settings{"secret": settings{"value": "the-same-for-both-gateways-0123456789"}}
	without := &stage{T: t, config: near.config, authority: near.authority, client: near.client}
	without.start()
	if got := without.manage(http.MethodPost, "/byok", `{"provider":"claude","key":"`+ownSecret+`"}`); got.status != 400 || !strings.Contains(got.body, "byok.encryption_key") {
		t.Errorf("%d %s", got.status, got.body)
	}
	near.config["byok"] = settings{"encryption_key": settings{"value": "the-same-key-for-both-gateways-0123456789"}}
	near.start()
	far := &stage{T: t, config: near.config, authority: near.authority, client: near.client}
	far.start()
	key := near.makeOwnKey(`{"provider":"claude","key":"` + ownSecret + `","is_byok_only":true}`)
	within := func(why string, is func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Second); !is(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("not within a second: %s", why)
			}
		}
	}
	within("the key is used", func() bool { return strings.Contains(far.ask(question("m/y")).body, `"is_byok":true`) })
	near.manage(http.MethodDelete, "/byok/"+key.ID, "")
	within("the key is gone", func() bool { return strings.Contains(far.ask(question("m/y")).body, `"is_byok":false`) })
	if by := askedBy(gpt, claude); by[len(by)-1] != "claude" {
		t.Errorf("%v", by)
	}
}

// The clouds take keys that sign, and reach a customer's own project.
func TestOwnKeysOfTheClouds(t *testing.T) {
	s := newStage(t)
	tokens := s.googleTokens(time.Hour)
	vertex := s.vertex("vertex", tokens)
	vertex.config["base_url"] = vertex.server.URL[:strings.Index(vertex.server.URL, "/v1/")] + "/v1/projects/operator/locations/global/publishers/google"
	converse := s.converse("converse", awsKey)
	s.serve("m/gemini", vertex)
	s.serve("m/converse", converse)
	s.manageable()
	s.start()
	var account map[string]any
	if err := json.Unmarshal([]byte(tokens.Key()), &account); err != nil {
		t.Fatal(err)
	}
	account["project_id"], account["region"] = "acme-prod", "global"
	google, err := json.Marshal(account)
	if err != nil {
		t.Fatal(err)
	}
	const amazon = `{"accessKeyId":"AKIAOWN0123456789ABC","secretAccessKey":"own/secret/0123456789abcdef0123456789ab","region":"eu-central-1"}`
	converse.Accept("AKIAOWN0123456789ABC:own/secret/0123456789abcdef0123456789ab")
	for slug, credential := range map[string]string{"vertex": string(google), "converse": amazon} {
		members, err := json.Marshal(map[string]any{"provider": slug, "key": credential, "is_byok_only": true})
		if err != nil {
			t.Fatal(err)
		}
		s.makeOwnKey(string(members))
	}
	for _, model := range []string{"m/gemini", "m/converse"} {
		if got := s.ask(question(model)); got.status != 200 || !strings.Contains(got.body, `"is_byok":true`) {
			t.Errorf("%s: %d %s", model, got.status, got.body)
		}
	}
	if authorization := converse.last(t).Header.Get("Authorization"); !strings.Contains(authorization, "AKIAOWN0123456789ABC") {
		t.Errorf("signed by another: %s", authorization)
	}
	for _, test := range []struct{ slug, credential, want string }{
		{"vertex", strings.Replace(string(google), `"global"`, `"us-central1"`, 1), "region"},
		{"vertex", strings.Replace(string(google), "BEGIN PRIVATE KEY", "BEGIN", 1), "private_key"},
		{"converse", strings.Replace(amazon, "eu-central-1", "us-east-1", 1), "region"},
	} {
		members, _ := json.Marshal(map[string]any{"provider": test.slug, "key": test.credential})
		if got := s.manage(http.MethodPost, "/byok", string(members)); got.status != 400 || !strings.Contains(got.body, test.want) {
			t.Errorf("%s: %d %s", test.want, got.status, got.body)
		}
	}
}

// OpenRouter's own SDK refuses what departs from the schema of its API.
func TestOpenRouterSDKManagesOwnKeys(t *testing.T) {
	s, _, _ := withKeys(t)
	s.manageable()
	s.start()
	seen := startPython(t, "openrouter").callAs(t, s, managementKey, "manage_own_keys", "", settings{"provider": "claude", "key": ownSecret})
	if seen.Error != nil || seen.Text != "sk-...3210" || seen.Finish != "True 0 1 sk-...wxyz None True True 404" {
		t.Errorf("%+v, error %+v", seen, seen.Error)
	}
}

// Every API tells whose key the provider bills.
func TestRow186InEveryAPI(t *testing.T) {
	s, gpt, claude := withKeys(t)
	s.manageable()
	s.start()
	gpt.Accept(ownSecret)
	for _, at := range []*site{gpt, claude} {
		at.Default(provider.Answer{Text: "hello", Usage: provider.Usage{Input: 1000, Output: 50}})
		s.makeOwnKey(`{"provider":"` + at.slug + `","key":"` + ownSecret + `","is_required":true}`)
	}
	for path, body := range map[string]string{
		"/api/v1/messages":                     `{"model":"MODEL","max_tokens":100,"messages":[{"role":"user","content":"hi"}]STREAM}`,
		"/api/v1/responses":                    `{"model":"MODEL","input":"hi"STREAM}`,
		"/api/v1/completions":                  `{"model":"MODEL","prompt":"hi"STREAM}`,
		"/api/v1/models/MODEL:generateContent": `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`,
	} {
		for _, model := range []string{"m/openai", "m/anthropic"} {
			for _, stream := range []string{"", `,"stream":true`} {
				got := s.do(http.MethodPost, strings.Replace(path, "MODEL", model, 1), strings.NewReplacer("MODEL", model, "STREAM", stream).Replace(body))
				for _, member := range []string{`"is_byok":true`, `"cost":0.000055`, `"upstream_inference_cost":0.0011`} {
					if got.status != 200 || !strings.Contains(got.body, member) {
						t.Errorf("%s of %s%s: no %s in %d %s", path, model, stream, member, got.status, got.body)
					}
				}
			}
		}
	}
}

func TestOwnKeysByCommand(t *testing.T) {
	s, _, _ := withKeys(t)
	s.manageable()
	s.start()
	command := func(input string, arguments ...string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), binary, append(arguments, "--api", s.URL+"/api/v1")...)
		c.Env = append(os.Environ(), "SWITCHYARD_MANAGEMENT_KEY="+managementKey)
		c.Stdin = strings.NewReader(input)
		out, _ := c.CombinedOutput()
		return string(out)
	}
	made := command(ownSecret+"\n", "byok", "add", "claude", "--name", "ours", "--models", "m/*", "--only", "--everywhere")
	id := regexp.MustCompile(`^sk-\.\.\.3210 of claude is used alone; id (\S+)\n$`).FindStringSubmatch(made)
	if id == nil {
		t.Fatal(made)
	}
	for _, step := range []struct {
		arguments []string
		want      string
	}{
		{[]string{"byok", "list"}, `claude +0 +ours +sk-\.\.\.3210 +alone +all +` + id[1]},
		{[]string{"byok", "list", "--workspace", "none"}, `There is no workspace "none"`},
		{[]string{"byok", "reseal"}, `^0 keys`},
		{[]string{"byok", "add", "nobody"}, `not a provider`},
		{[]string{"byok", "add", "claude", "--fallback", "--only"}, `fallback`},
		{[]string{"byok", "delete", id[1]}, `^$`},
		{[]string{"byok", "delete", id[1]}, `There is no own key of a provider`},
	} {
		if out := command("x", step.arguments...); !regexp.MustCompile(step.want).MatchString(out) || strings.Contains(out, ownSecret) {
			t.Errorf("%v: %s", step.arguments, out)
		}
	}
}

func TestFeeBeginsBeyondTheAllowance(t *testing.T) {
	s, _, claude := withKeys(t)
	s.manageable()
	s.config["byok"] = settings{"fee_percent": 5, "free_allowance": "0.001"}
	s.start()
	s.makeOwnKey(`{"provider":"claude","key":"` + ownSecret + `"}`)
	claude.Default(provider.Answer{Text: "hello", Usage: provider.Usage{Input: 1000, Output: 50}})
	if got := s.ask(question("m/y")); !strings.Contains(got.body, `"cost":0,"is_byok":true`) {
		t.Errorf("within the allowance: %s", got.body)
	}
	for deadline := time.Now().Add(15 * time.Second); !strings.Contains(s.ask(question("m/y")).body, `"cost":0.000055`); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the fee does not begin")
		}
	}
}
