package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
)

// sdk is a running client program that drives one SDK.
type sdk struct {
	name    string
	api     string // the one to call, of a program that knows several
	command *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Scanner
}

// observed is what a client program saw, see clients/python/result.py.
type observed struct {
	Text, Refusal, Finish, Model, Provider, Generation string
	ID                                                 string
	Texts, Models, Endpoints                           []string
	Vectors                                            [][]float32
	Signatures                                         []string // of the anthropic SDK's thinking blocks
	Requested, Strategy                                string   // of openrouter_metadata
	Stages                                             []string // of its pipeline
	Calls                                              []struct{ ID, Name, Arguments string }
	Usage                                              *struct {
		Input, Output int
		Cost          float64
	}
	Parsed *struct {
		Name        string
		Inhabitants int
	}
	Error *struct {
		Class, Message string
		Status         *int
		Body           map[string]any
		RetryAfter     string `json:"retry_after"`
	}
}

// The paths are from the repository's root, where TestMain goes.
const (
	pythonClients = "e2e/clients/python/"
	nodeClients   = "e2e/clients/node/"
)

// clientPatience is with one scenario, and with the start of the program before the first.
const clientPatience = 2 * time.Minute

func startSDK(t *testing.T, name, program string, arguments ...string) *sdk {
	t.Helper()
	client := &sdk{name: name, command: exec.Command(program, arguments...)}
	client.command.Stderr = os.Stderr
	input, err := client.command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := client.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.command.Start(); err != nil {
		t.Fatalf("the %s SDK is missing, run make clients: %v", name, err)
	}
	client.input, client.output = input, bufio.NewScanner(output)
	client.output.Buffer(nil, megabyte)
	t.Cleanup(func() {
		input.Close()
		if err := client.command.Wait(); err != nil {
			t.Errorf("the %s client: %v", name, err)
		}
	})
	return client
}

// startPython starts the program that drives the SDK of a vendor.
func startPython(t *testing.T, vendor string) *sdk {
	t.Helper()
	return startSDK(t, vendor+" Python", ".tmp/venv/bin/python", pythonClients+vendor+"_client.py")
}

// startOlderPython does so for an SDK that needs an older openai beside it.
func startOlderPython(t *testing.T, vendor string) *sdk {
	t.Helper()
	return startSDK(t, vendor+" Python", ".tmp/venv-openai2/bin/python", pythonClients+vendor+"_client.py")
}

// startNode does so with the machine's Node if it is new enough for the SDKs, else
// with the one that was installed beside them.
func startNode(t *testing.T, vendor string) *sdk {
	t.Helper()
	name, program := vendor+" Node", nodeClients+vendor+"_client.js"
	const least = 22
	if version, err := exec.Command("node", "--version").Output(); err == nil {
		major, _, _ := strings.Cut(strings.TrimPrefix(string(version), "v"), ".")
		if number, err := strconv.Atoi(major); err == nil && number >= least {
			return startSDK(t, name, "node", program)
		}
	}
	return startSDK(t, name, nodeClients+"node_modules/.bin/node", program)
}

// call plays one scenario.
func (c *sdk) call(t *testing.T, s *stage, scenario, model string) observed {
	t.Helper()
	return c.callWith(t, s, scenario, model, settings{})
}

// callWith plays a scenario whose request has further members.
func (c *sdk) callWith(t *testing.T, s *stage, scenario, model string, members settings) observed {
	t.Helper()
	return c.callAs(t, s, clientKey, scenario, model, members)
}

// callAs plays a scenario with a key that may not be the right one.
func (c *sdk) callAs(t *testing.T, s *stage, key, scenario, model string, members settings) observed {
	t.Helper()
	command, err := json.Marshal(settings{
		"scenario": scenario, "model": model, "members": members,
		"base_url": s.URL + "/api/v1", "api_key": key, "api": c.api,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(c.input, "%s\n", command); err != nil {
		t.Fatalf("%s, %s: %v", c.name, scenario, err)
	}
	// A program that hangs says where, and ends: the SDKs give up after 30 s.
	hung := time.AfterFunc(clientPatience, func() { c.command.Process.Signal(syscall.SIGABRT) })
	defer hung.Stop()
	if !c.output.Scan() {
		t.Fatalf("%s, %s: the client program has died: %v", c.name, scenario, c.output.Err())
	}
	var seen observed
	if err := json.Unmarshal(c.output.Bytes(), &seen); err != nil {
		t.Fatalf("%s, %s: %v in %s", c.name, scenario, err, c.output.Text())
	}
	return seen
}

// openAIClients are the SDKs that OpenAI's clients use.
func openAIClients(t *testing.T) []*sdk {
	t.Helper()
	return []*sdk{startPython(t, "openai"), startNode(t, "openai")}
}

// eachSDK runs a test with OpenAI's SDKs against a provider of each dialect.
func eachSDK(t *testing.T, test func(t *testing.T, client *sdk, s *stage, at *site, model string)) {
	t.Helper()
	s, gpt, claude := pair(t)
	for _, model := range []string{"m/openai", "m/anthropic"} {
		s.models[model].(settings)["input_modalities"] = []any{"text", "image"}
	}
	s.start()
	eachClient(t, openAIClients(t), s, gpt, claude, test)
}

// eachClient runs a test with every client on every dialect.
func eachClient(t *testing.T, clients []*sdk, s *stage, gpt, claude *site,
	test func(t *testing.T, client *sdk, s *stage, at *site, model string),
) {
	t.Helper()
	for _, client := range clients {
		for at, model := range map[*site]string{gpt: "m/openai", claude: "m/anthropic"} {
			t.Run(client.name+" "+model, func(t *testing.T) {
				at.Reset()
				test(t, client, s, at, model)
			})
		}
	}
}

// answersChat holds an SDK's chats to the fake's answer.
func (c *sdk) answersChat(t *testing.T, s *stage, model string) {
	t.Helper()
	for _, scenario := range []string{"chat", "stream", "stream_helper", "image"} {
		seen := c.call(t, s, scenario, model)
		if seen.Error != nil || seen.Text != said || seen.Finish != "stop" {
			t.Errorf("%s: text %q, finish %q, error %+v", scenario, seen.Text, seen.Finish, seen.Error)
		}
		if seen.Usage == nil || seen.Usage.Input != 11 || seen.Usage.Output != 7 || !near(seen.Usage.Cost, 25e-6) {
			t.Errorf("%s: usage %+v", scenario, seen.Usage)
		}
	}
}

// failsChat holds the exceptions that an SDK raises to the provider's failures.
func (c *sdk) failsChat(t *testing.T, s *stage, at *site, scenario, model string) {
	t.Helper()
	for status, class := range map[int]string{400: "BadRequestError", 429: "RateLimitError", 503: "InternalServerError"} {
		at.Enqueue(provider.Failure{Status: status, Message: "the maker's words"})
		seen := c.call(t, s, scenario, model)
		if seen.Error == nil || seen.Error.Class != class || !strings.Contains(seen.Error.Message, "the maker's words") {
			t.Errorf("%d: %+v", status, seen.Error)
		}
	}
}

func TestSDKAnswers(t *testing.T) {
	eachSDK(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		for _, scenario := range []string{"chat", "stream", "stream_helper", "image"} {
			seen := client.call(t, s, scenario, model)
			if seen.Error != nil {
				t.Errorf("%s: %+v", scenario, *seen.Error)
				continue
			}
			if seen.Text != said || seen.Finish != "stop" {
				t.Errorf("%s: text %q, finish %q", scenario, seen.Text, seen.Finish)
			}
			if seen.Usage == nil || seen.Usage.Input != 11 || seen.Usage.Output != 7 || !near(seen.Usage.Cost, 25e-6) {
				t.Errorf("%s: usage %+v", scenario, seen.Usage)
			}
			if scenario == "chat" && (seen.Generation != seen.ID || seen.Provider != at.slug || seen.Model != model) {
				t.Errorf("generation %q, id %q, provider %q, model %q", seen.Generation, seen.ID, seen.Provider, seen.Model)
			}
		}
	})
}

// An answer goes back as history exactly as the SDK holds it, with every field
// that the gateway added, and the strict provider accepts it.
func TestSDKRoundTrip(t *testing.T) {
	eachSDK(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		at.Enqueue(provider.Answer{Text: "Let me see.", ToolCalls: twoCalls})
		if seen := client.call(t, s, "round_trip", model); seen.Error != nil || seen.Text != said {
			t.Errorf("%+v, error %+v", seen, seen.Error)
		}
		if sent := string(at.last(t).Body); !strings.Contains(sent, "Sunny in Köln") || !strings.Contains(sent, "Sunny in Oslo") {
			t.Errorf("the tools' results are missing in %s", sent)
		}
	})
}

func TestSDKErrorClasses(t *testing.T) {
	eachSDK(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		for status, class := range map[int]string{
			400: "BadRequestError",
			422: "UnprocessableEntityError",
			429: "RateLimitError",
			500: "InternalServerError",
			503: "InternalServerError",
		} {
			for _, scenario := range []string{"chat", "stream"} {
				at.Enqueue(provider.Failure{Status: status, Message: "the provider's words"})
				seen := client.call(t, s, scenario, model)
				if seen.Error == nil || seen.Error.Class != class || seen.Error.Status == nil || *seen.Error.Status != status {
					t.Errorf("%s, %d: %+v", scenario, status, seen.Error)
				} else if !strings.Contains(seen.Error.Message, "the provider's words") {
					t.Errorf("%s, %d: message %q", scenario, status, seen.Error.Message)
				}
			}
		}
		if seen := client.call(t, s, "chat", "no/such"); seen.Error == nil || seen.Error.Class != "BadRequestError" {
			t.Errorf("unknown model: %+v", seen.Error)
		}
	})
}

func TestSDKAuthenticationError(t *testing.T) {
	s, _, _ := pair(t)
	s.config["keys"] = []any{settings{"name": "another", "hash": hash("sk-sy-v1-another")}}
	s.start()
	for _, client := range openAIClients(t) {
		if seen := client.call(t, s, "chat", "m/openai"); seen.Error == nil || seen.Error.Class != "AuthenticationError" {
			t.Errorf("%s: %+v", client.name, seen.Error)
		}
	}
}

// An error inside the stream raises; what came before it is not lost.
func TestSDKMidStreamError(t *testing.T) {
	eachSDK(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		at.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: provider.EndError})
		seen := client.call(t, s, "stream", model)
		if seen.Text != "one two" || seen.Error == nil || seen.Error.Class != "APIError" {
			t.Errorf("text %q, error %+v", seen.Text, seen.Error)
		}
	})
}

func TestSDKHangsUp(t *testing.T) {
	eachSDK(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		at.Enqueue(provider.Stream{Answer: provider.Answer{Text: strings.Repeat("word ", 1000)}, Pace: 5 * time.Millisecond})
		if seen := client.call(t, s, "hang_up", model); seen.Text == "" {
			t.Errorf("no text: %+v", seen.Error)
		}
		within(t, at.last(t).Cancelled(), "the provider's cancellation")
	})
}

func TestSDKModels(t *testing.T) {
	s, _, _ := pair(t)
	s.start()
	for _, client := range openAIClients(t) {
		if seen := client.call(t, s, "models", ""); strings.Join(seen.Models, " ") != "m/anthropic m/openai openrouter/auto openrouter/free" {
			t.Errorf("%s: models %v, error %+v", client.name, seen.Models, seen.Error)
		}
	}
}

func TestSDKAsync(t *testing.T) {
	s, _, _ := pair(t)
	s.start()
	python := startPython(t, "openai")
	for _, model := range []string{"m/openai", "m/anthropic"} {
		if seen := python.call(t, s, "async_chat", model); seen.Text != said {
			t.Errorf("%s: %+v, error %+v", model, seen, seen.Error)
		}
		if seen := python.call(t, s, "async_stream", model); len(seen.Texts) != 2 || seen.Texts[0] != said || seen.Texts[1] != said {
			t.Errorf("%s: %+v, error %+v", model, seen, seen.Error)
		}
	}
}
