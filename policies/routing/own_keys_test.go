package routing

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/catalog"
)

// ownKey is a key of one's own for a provider of models.
func ownKey(t testing.TB, id, provider string, change func(*OwnKey)) *OwnKey {
	t.Helper()
	found, ok := models(t).Provider(provider)
	if !ok {
		t.Fatalf("no provider %q", provider)
	}
	reached := *found
	reached.Credential = catalog.NewCredential("secret of " + id)
	key := &OwnKey{ID: id, Name: id, Provider: &reached}
	if change != nil {
		change(key)
	}
	return key
}

// asked is the order of a plan, with the key that each candidate is asked with.
func (p Plan) asked() []string {
	var ids []string
	for _, candidate := range p.Candidates {
		id := candidate.Endpoint.ID
		if own := candidate.OwnKey; own != nil {
			id += " by " + own.ID
		}
		ids = append(ids, id)
	}
	return ids
}

func TestOwnKeys(t *testing.T) {
	key := func(id, provider string, change func(*OwnKey)) *OwnKey { return ownKey(t, id, provider, change) }
	fallback := func(k *OwnKey) { k.Fallback = true }
	exclusive := func(k *OwnKey) { k.Exclusive = true }
	exclusiveForY := func(k *OwnKey) { k.Exclusive, k.Models = true, []string{"m/y"} }
	requiredForY := func(k *OwnKey) { k.Required, k.Models = true, []string{"m/y"} }
	onlyY := func(k *OwnKey) { k.Models = []string{"m/y"} }
	catalog := models(t)
	for _, test := range []struct {
		name    string
		request Request
		keys    []*OwnKey
		health  cooling
		want    []string
	}{
		{"row 182: own key first, whatever the order", Request{Model: "m/x", Preferences: Preferences{Order: []string{"a"}}}, []*OwnKey{key("k", "b", nil)}, nil,
			[]string{"m/x|b by k", "m/x|a", "m/x|b", "m/x|c"}},
		{"keys of one provider in their order", Request{Model: "m/y"}, []*OwnKey{key("k1", "b", nil), key("k2", "b", nil)}, nil,
			[]string{"m/y|b by k1", "m/y|b by k2", "m/y|b"}},
		{"keys of several providers in the order of their endpoints", Request{Model: "m/x", Preferences: Preferences{Order: []string{"b", "a"}}}, []*OwnKey{key("k1", "a", nil), key("k2", "b", nil)}, nil,
			[]string{"m/x|b by k2", "m/x|a by k1", "m/x|b", "m/x|a", "m/x|c"}},
		{"row 183: fallback keys last", Request{Model: "m/x"}, []*OwnKey{key("f", "a", fallback), key("k", "c", nil)}, nil,
			[]string{"m/x|c by k", "m/x|a", "m/x|b", "m/x|c", "m/x|a by f"}},
		{"the next model follows fallback keys", Request{Models: []string{"m/x", "m/y"}}, []*OwnKey{key("f", "b", fallback)}, nil,
			[]string{"m/x|a", "m/x|b", "m/x|c", "m/x|b by f", "m/y|b", "m/y|b by f"}},
		{"row 184: exclusive", Request{Model: "m/x"}, []*OwnKey{key("k", "b", exclusive)}, nil,
			[]string{"m/x|b by k", "m/x|a", "m/x|c"}},
		{"exclusive for models it is not used for too", Request{Model: "m/x"}, []*OwnKey{key("k", "b", exclusiveForY)}, nil,
			[]string{"m/x|a", "m/x|c"}},
		{"required for its models alone", Request{Models: []string{"m/x", "m/y"}}, []*OwnKey{key("k", "b", requiredForY)}, nil,
			[]string{"m/x|a", "m/x|b", "m/x|c", "m/y|b by k"}},
		{"row 185: not for this model", Request{Model: "m/x"}, []*OwnKey{key("k", "b", onlyY)}, nil,
			[]string{"m/x|a", "m/x|b", "m/x|c"}},
		{"policies hold for own keys", Request{Model: "m/x", Preferences: Preferences{Constraints: Constraints{Ignore: []string{"b"}}}}, []*OwnKey{key("k", "b", nil)}, nil,
			[]string{"m/x|a", "m/x|c"}},
		{"no fallbacks among what is shared", Request{Model: "m/x", Preferences: Preferences{NoFallbacks: true, Order: []string{"b"}}}, []*OwnKey{key("k", "b", nil)}, nil,
			[]string{"m/x|b by k", "m/x|b"}},
		{"a key that cools down stands back, and the shared endpoint does not", Request{Model: "m/x"}, []*OwnKey{key("k", "a", nil)}, cooling{"m/x|a|own:k": now.Add(time.Second)},
			[]string{"m/x|a", "m/x|b", "m/x|c", "m/x|a by k"}},
		{"a shared endpoint that cools down does not hold against the key", Request{Model: "m/x"}, []*OwnKey{key("k", "a", nil)}, cooling{"m/x|a": now.Add(time.Second)},
			[]string{"m/x|a by k", "m/x|b", "m/x|c", "m/x|a"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.request.Now, test.request.OwnKeys = now, test.keys
			plan, err := Build(test.request, catalog, test.health, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, plan.asked()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, candidate := range plan.Candidates {
				credential, _ := candidate.Endpoint.Provider.Credential.Reveal()
				if own := candidate.OwnKey; own != nil && credential != "secret of "+own.ID || own == nil && credential != "" {
					t.Errorf("%s is asked with %q", candidate.Endpoint.ID, credential)
				}
				if candidate.Model != candidate.Endpoint.Model {
					t.Errorf("%s is planned for %s", candidate.Endpoint.ID, candidate.Model.ID)
				}
			}
		})
	}
}

func TestRow189OwnKeyIsNoWayAroundDataPolicies(t *testing.T) {
	request := Request{Model: "m/y", Now: now, Preferences: Preferences{Constraints: Constraints{ZDR: true}}, OwnKeys: []*OwnKey{ownKey(t, "k", "b", nil)}}
	var none *NoEndpointError
	if _, err := Build(request, models(t), cooling{}, Options{}); !errors.As(err, &none) || none.Status() != 404 {
		t.Errorf("%v", err)
	}
}

// An account that may retain data is not asked where none may be retained.
func TestRetainingKeyIsNotForZeroRetention(t *testing.T) {
	kept := models(t)
	model, _ := kept.Model("m/y")
	model.Endpoints[0].NoRetention = true
	request := Request{Model: "m/y", Now: now, OwnKeys: []*OwnKey{ownKey(t, "k", "b", func(k *OwnKey) { k.Retains = true })}}
	for zdr, want := range map[bool][]string{false: {"m/y|b by k", "m/y|b"}, true: {"m/y|b"}} {
		request.Preferences.ZDR = zdr
		plan, err := Build(request, kept, cooling{}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, plan.asked()); diff != "" {
			t.Errorf("zdr %v (-want +got):\n%s", zdr, diff)
		}
	}
}

func TestOwnKeysThatExcludeEverything(t *testing.T) {
	request := Request{Model: "m/y", Now: now, OwnKeys: []*OwnKey{ownKey(t, "k", "b", func(k *OwnKey) { k.Exclusive, k.Models = true, []string{"m/x"} })}}
	var none *NoEndpointError
	if _, err := Build(request, models(t), cooling{}, Options{}); !errors.As(err, &none) || none.FailedStep != stepOwnKeys || none.Hint == "" {
		t.Errorf("%v", err)
	}
}

// A plan with four own keys, beside one with none.
func BenchmarkOwnKeys(b *testing.B) {
	models := models(b)
	var keys []*OwnKey
	for _, provider := range []string{"a", "b", "c", "a"} {
		keys = append(keys, ownKey(b, "k", provider, nil))
	}
	for name, keys := range map[string][]*OwnKey{"none": nil, "four": keys} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			request := Request{Model: "m/x", Now: now, OwnKeys: keys}
			for b.Loop() {
				if _, err := Build(request, models, cooling{}, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
