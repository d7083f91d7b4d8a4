package e2e

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

const healing = `"plugins":[{"id":"response-healing"}]`

// Row 119: what shall be JSON and nearly is becomes it, if the client asks for that.
func TestRow119ResponseHealing(t *testing.T) {
	s := newStage(t)
	a, b := s.openAI("a"), s.anthropic("b")
	s.serve("m/own", a)
	s.serve("m/other", b)
	s.start()
	const broken, whole, object = "```json {\"a\":1,} ```", `{"a":1}`, `"response_format":{"type":"json_object"}`
	// OpenAI demands that the word is there.
	json := func(model string, members ...string) string {
		return strings.Replace(question(model, members...), `"hi"`, `"hi, in JSON"`, 1)
	}
	for _, at := range []struct {
		*site
		model string
	}{{a, "m/own"}, {b, "m/other"}} {
		at.Default(provider.Answer{Text: broken})
		for _, test := range []struct{ members, want string }{
			{healing + `,` + object, whole},
			{healing, broken},
			{object, broken},
			{`"plugins":[{"id":"response-healing","enabled":false}],` + object, broken},
		} {
			if got := s.ask(json(at.model, test.members)); got.status != http.StatusOK || got.choice(t).Message.Content != test.want {
				t.Errorf("%s, %s: status %d: %s", at.model, test.members, got.status, got.body)
			}
		}
		if got := s.ask(json(at.model, healing, object, `"stream":true`)).transcript(t); got.text != broken {
			t.Errorf("%s: the stream says %q", at.model, got.text)
		}
		told := s.ask(json(at.model, healing, object), "X-OpenRouter-Metadata", "enabled").body
		if want := `"pipeline":[{"type":"response_healing","name":"response-healing","summary":"Texts made JSON: 1.","data":{"texts_healed":1}}]`; !strings.Contains(told, want) {
			t.Errorf("%s: the client is told %s", at.model, told)
		}
		at.Default(provider.Answer{Text: `{"a":[1,`, Finish: map[string]string{"m/own": "length", "m/other": "max_tokens"}[at.model]})
		if got := s.ask(json(at.model, healing, object)).choice(t); got.Message.Content != `{"a":[1,` {
			t.Errorf("%s: what a bound cut became %q", at.model, got.Message.Content)
		}
		at.Default(provider.Answer{Text: "I'd rather not."})
		if got := s.ask(json(at.model, healing, object)).choice(t); got.Message.Content != "I'd rather not." {
			t.Errorf("%s: a refusal became %q", at.model, got.Message.Content)
		}
	}
}

// Every client's answers are healed from every provider, those of its own dialect too.
func TestHealingMatrix(t *testing.T) {
	s := newStage(t)
	sites := vendors(s)
	for name, at := range sites {
		s.serve("m/"+name, at)
	}
	s.start()
	for client, speaks := range speakers {
		if client == "completions" {
			continue // it has no words for the form of an answer
		}
		for vendor, at := range sites {
			p := &pairing{s: s, name: vendor, at: at, model: "m/" + vendor, client: speaks}
			p.client.ask = func(model string, a asked) (string, string) {
				path, body := speaks.ask(model, a)
				return path, strings.Replace(body, "{", "{"+healing+",", 1)
			}
			const broken = "Of course: {'inhabitants': 1000000,}"
			p.at.Enqueue(provider.Answer{Text: broken}, provider.Answer{Text: broken})
			h, err := p.whole(asked{schema: true})
			err = errors.Join(err, mustBe(h.text, `{"inhabitants":1000000}`))
			h, streamErr := p.streamed(asked{schema: true, stream: true})
			if err = errors.Join(err, streamErr, mustBe(h.text, broken)); err != nil {
				t.Errorf("%s to %s: %v", client, vendor, err)
			}
		}
	}
}

// Row 119: OpenRouter's SDKs, which are strict about it, read what was done.
func TestRow119OpenRouterSDKs(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	eachClient(t, openRouterSDKs(t), s, gpt, claude, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		at.Enqueue(provider.Answer{Text: "{'inhabitants': 1}"})
		seen := client.callWith(t, s, "metadata", model, settings{
			"plugins": []any{settings{"id": "response-healing"}},
			"response_format": settings{"type": "json_schema", "json_schema": settings{"name": "place", "schema": settings{
				"type": "object", "properties": settings{"inhabitants": settings{"type": "integer"}}, "additionalProperties": false,
			}}},
		})
		if seen.Error != nil || !slices.Equal(seen.Stages, []string{"response_healing response-healing"}) {
			t.Errorf("stages %q, error %+v", seen.Stages, seen.Error)
		}
	})
}
