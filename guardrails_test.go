package main

import (
	"strings"
	"testing"

	"github.com/switchyard/switchyard/policies/config"
	"github.com/switchyard/switchyard/policies/identity"
)

func generationOf(t *testing.T, text string) (*generation, error) {
	t.Helper()
	effective, err := config.Parse("test.yaml", []byte("providers: {a: {dialect: openai, base_url: 'http://127.0.0.1:1'}}\n"+text), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return newGeneration(effective, "/run/api.sock")
}

func TestRow179GuardrailsThatCannotBe(t *testing.T) {
	for from, want := range map[string]string{
		`content_filters: [{pattern: '(a+)+', action: block}]`:             `guardrails["g"].content_filters[0].pattern: invalid_regex_pattern: `,
		`content_filters: [{pattern: '(?=a)', action: block}]`:             `guardrails["g"].content_filters[0].pattern: invalid_regex_pattern: `,
		`content_filter_builtins: [{slug: person-name, action: redact}]`:   `guardrails["g"].content_filter_builtins[0].slug: person-name takes a language model`,
		`policy: {max_price: {prompt: "999999999"}}`:                       "",
		`content_filters: [{pattern: a, action: flag}], description: fine`: "",
	} {
		_, err := generationOf(t, "guardrails: {g: {"+from+"}}\ndefault_guardrail: g\n")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", from, err)
		}
	}
}

// A guardrail holds for those that it is given to, and the general one for all.
func TestRow173GuardrailsHoldForWhomTheyAreGivenTo(t *testing.T) {
	const keys = "keys: [{name: a, hash: " + "{a}" + ", guardrail: strict}, {name: b, hash: " + "{b}" + "}, {name: c, hash: " + "{c}" + ", guardrail: general}]\n"
	text := strings.NewReplacer("{a}", identity.Hash("a"), "{b}", identity.Hash("b"), "{c}", identity.Hash("c")).Replace(keys) +
		"guardrails:\n" +
		"  general: {content_filter_builtins: [{slug: email, action: block}, {slug: ssn, action: flag}]}\n" +
		"  strict: {policy: {zdr: true}, content_filter_builtins: [{slug: email, action: redact}, {slug: phone, action: redact}]}\n" +
		"  inert: {content_filter_builtins: [{slug: ip-address, action: block}]}\n"
	rules := func(settings string) map[string]string {
		made, err := generationOf(t, text+settings)
		if err != nil {
			t.Fatal(err)
		}
		of := map[string]string{}
		for _, name := range []string{"a", "b", "c"} {
			guard := made.policy.GuardOf(&identity.Key{Hash: identity.Hash(name)})
			for _, rule := range guard.Rules.Input {
				of[name] += rule.Entity + "=" + rule.Action.String() + " "
			}
			for _, constraints := range guard.Constraints {
				if constraints != nil && constraints.ZDR {
					of[name] += "zdr"
				}
			}
		}
		return of
	}
	got := rules("default_guardrail: general\n")
	if got["a"] != "email=block phone=redact ssn=flag zdr" || got["b"] != "email=block ssn=flag " || got["c"] != got["b"] {
		t.Errorf("%q", got)
	}
	if got := rules(""); got["a"] != "email=redact phone=redact zdr" || got["b"] != "" || got["c"] != "email=block ssn=flag " {
		t.Errorf("without a general one: %q", got)
	}
}
