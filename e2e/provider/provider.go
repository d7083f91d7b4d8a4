// Package provider plays LLM providers for tests and benchmarks: HTTP servers
// on loopback that refuse what the real APIs refuse, and then do what a script
// says, down to resetting a connection in the middle of a token.
//
// A fake is only worth having if it is as strict as the API it stands for. Each
// request is therefore judged before its script is played: credentials, framing
// headers, every field at every level, and the order of the conversation. It is
// also searched for what must never leave a gateway (its internal headers, its
// clients' keys and cookies). What is refused is answered in the vendor's own
// error shape and recorded, see [Provider.Violations].
package provider

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
)

// Config says which API key, models and secrets a fake knows.
type Config struct {
	// Key is the only credential accepted. Required.
	Key string
	// Base is the path below which the API lives, "/v1" unless given or said otherwise. It has no
	// trailing slash.
	Base string
	// Models are the names served; others are refused with the vendor's 404.
	// Empty accepts every name.
	Models []string
	// Secrets are values that must not occur anywhere in a request: a
	// gateway's own keys, other providers' credentials.
	Secrets []string
}

// Provider is one fake provider, an [http.Handler]. All its methods may be
// called concurrently, also while requests are being served.
type Provider struct {
	config  Config
	dialect dialect

	mu        sync.Mutex
	accounts  []string // keys of others, which are accepted too
	queue     []Script
	fallback  Script
	bounds    Bounds
	exchanges []*Exchange
	arrived   chan struct{} // closed and replaced at each arrival
}

// OpenAI returns a fake of the Chat Completions API, POST {base}/chat/completions.
func OpenAI(config Config) *Provider {
	return newProvider(config, openAI{})
}

// Responses returns a fake of OpenAI's Responses API, POST {base}/responses, that stores
// nothing.
func Responses(config Config) *Provider {
	return newProvider(config, responses{})
}

// Anthropic returns a fake of the Messages API, POST {base}/messages.
func Anthropic(config Config) *Provider {
	return newProvider(config, anthropic{})
}

// Gemini returns a fake of generateContent, POST {base}/models/{model}:generateContent
// and :streamGenerateContent?alt=sse, and of :batchEmbedContents.
// Its base is "/v1beta" unless given.
func Gemini(config Config) *Provider {
	config.Base = cmp.Or(config.Base, "/v1beta")
	return newProvider(config, gemini{})
}

// Cohere returns a fake of Cohere's API, POST {base}/chat, /embed and /rerank. Its base is
// "/v2" unless given. Ranks are those of [Rerank], vectors those of [Vector].
func Cohere(config Config) *Provider {
	config.Base = cmp.Or(config.Base, "/v2")
	return newProvider(config, cohere{})
}

// Ollama returns a fake of Ollama's API, POST {base}/chat and /embed. Its base is "/api"
// unless given. Tool calls carry ids as in newer versions, unless [ToolCall.ID] is "-".
func Ollama(config Config) *Provider {
	config.Base = cmp.Or(config.Base, "/api")
	return newProvider(config, ollama{})
}

// Bedrock returns a fake of Amazon Bedrock's Converse API, POST
// {base}/model/{model}/converse and /converse-stream. Its base is "" unless given. A
// key "<access key id>:<secret access key>", with ":<session token>" behind it if there
// is one, has to sign requests; any other is an API key.
func Bedrock(config Config) *Provider { return awsProvider(config, bedrock{}) }

// BedrockClaude returns a fake of Claude on Bedrock, POST {base}/model/{model}/invoke
// and /invoke-with-response-stream. The rest is as for [Bedrock].
func BedrockClaude(config Config) *Provider { return awsProvider(config, bedrockClaude{}) }

func awsProvider(config Config, dialect dialect) *Provider {
	p := newProvider(config, dialect)
	p.config.Base = config.Base
	return p
}

func newProvider(config Config, dialect dialect) *Provider {
	if config.Base == "" {
		config.Base = "/v1"
	}
	return &Provider{
		config:   config,
		dialect:  dialect,
		fallback: Answer{},
		arrived:  make(chan struct{}),
	}
}

// Enqueue appends scripts, one for each of the next requests in their order of
// arrival. A request takes its script when its headers arrive and uses it up
// even if it is refused afterwards.
func (p *Provider) Enqueue(scripts ...Script) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, scripts...)
}

// Accept makes the fake take keys of other accounts too.
func (p *Provider) Accept(keys ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accounts = append(p.accounts, keys...)
}

// byAnyKey judges a request by each key that is accepted, of which one will do.
func (p *Provider) byAnyKey(judge func(key string) *refusal) *refusal {
	p.mu.Lock()
	accounts := slices.Clone(p.accounts)
	p.mu.Unlock()
	refused := judge(p.config.Key)
	for i := 0; i < len(accounts) && refused != nil; i++ {
		if judge(accounts[i]) == nil {
			refused = nil
		}
	}
	return refused
}

// Default sets the script of every request that finds the queue empty. Until it
// is called that is a short text answer.
func (p *Provider) Default(script Script) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fallback = script
}

// Exchanges returns the requests received so far, refused ones included, in
// the order in which they were complete.
func (p *Provider) Exchanges() []*Exchange {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.exchanges)
}

// Await returns the nth request, counted from 0, as soon as it is complete. It
// fails only when the context ends first.
func (p *Provider) Await(ctx context.Context, n int) (*Exchange, error) {
	for {
		p.mu.Lock()
		exchanges, arrived := p.exchanges, p.arrived
		p.mu.Unlock()
		if n < len(exchanges) {
			return exchanges[n], nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Violations lists what was refused over all requests: a test that expects none
// checks it at its end.
func (p *Provider) Violations() []string {
	var all []string
	for _, exchange := range p.Exchanges() {
		all = append(all, exchange.Violations...)
	}
	return all
}

// Reset forgets queued scripts, the default script and recorded requests, so
// that one running fake serves test after test.
func (p *Provider) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue, p.exchanges, p.fallback = nil, nil, Answer{}
}

// VendorHeaders are the response headers that come with each answer for the
// vendor's own purposes: a gateway must not pass them on.
func (p *Provider) VendorHeaders() http.Header { return p.dialect.headers() }

// ServeHTTP judges one request and plays its script.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	script := p.takeScript()
	exchange, request, refusal := p.receive(r, script)
	defer exchange.finish()
	p.publish(exchange)

	call := newCall(w, r, exchange, p.dialect, request)
	defer call.stop()
	if refusal != nil {
		call.refuse(*refusal)
		return
	}
	if script == nil {
		script = Answer{}
	}
	script.play(call)
}

func (p *Provider) takeScript() Script {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		return p.fallback
	}
	script := p.queue[0]
	p.queue = p.queue[1:]
	return script
}

func (p *Provider) publish(exchange *Exchange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exchanges = append(p.exchanges, exchange)
	close(p.arrived)
	p.arrived = make(chan struct{})
}
