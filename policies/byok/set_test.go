package byok

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/identity"
)

func TestWhoseKeysAreUsed(t *testing.T) {
	models, err := catalog.New(&configpb.Config{Providers: map[string]*configpb.Provider{
		"p":    {Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "https://p.example"},
		"aws":  {Dialect: configpb.Dialect_DIALECT_BEDROCK, BaseUrl: "https://bedrock-runtime.us-east-1.amazonaws.com"},
		"gone": {Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "https://gone.example"},
	}}, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	key := func(id string, change func(*Key)) Key {
		k := Key{ID: id, Organization: "org", Provider: "p", Credential: catalog.NewCredential("secret"), Created: time.Unix(1, 0)}
		change(&k)
		return k
	}
	set, err := NewSet([]Key{
		key("third", func(k *Key) { k.Order = 2 }),
		key("second", func(k *Key) { k.Order, k.Created = 1, time.Unix(2, 0) }),
		key("first", func(k *Key) { k.Order = 1 }),
		key("disabled", func(k *Key) { k.Disabled = true }),
		key("another organization's", func(k *Key) { k.Organization = "other" }),
		key("another workspace's", func(k *Key) { k.Workspace = "other" }),
		key("workspace's", func(k *Key) { k.Order, k.Workspace = 3, "w" }),
		key("another's", func(k *Key) { k.KeyHashes = []string{"b"} }),
		key("theirs", func(k *Key) { k.Order, k.KeyHashes = 4, []string{"b", "a"} }),
		key("another member's", func(k *Key) { k.Users = []string{"user_2"} }),
		key("the member's", func(k *Key) { k.Order, k.Users = 5, []string{"user_1"} }),
		key("of no provider", func(k *Key) { k.Provider = "none" }),
		key("of another region", func(k *Key) {
			k.Provider, k.Credential = "aws", catalog.NewCredential(`{"accessKeyId":"a","secretAccessKey":"b","region":"eu-west-1"}`)
		}),
	}, models)
	if err == nil {
		t.Error("a key that reaches nothing is not named")
	}
	ids := func(caller *identity.Key) []string {
		var ids []string
		for _, own := range set.For(caller) {
			ids = append(ids, own.ID)
		}
		return ids
	}
	caller := &identity.Key{Hash: "a", Organization: "org", Workspace: "w", Creator: "user_1"}
	if diff := cmp.Diff([]string{"first", "second", "third", "workspace's", "theirs", "the member's"}, ids(caller)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"first", "second", "third"}, ids(&identity.Key{Organization: "org", Workspace: "v"})); diff != "" {
		t.Errorf("nobody's key (-want +got):\n%s", diff)
	}
	var none *Set
	if none.For(caller) != nil {
		t.Error("no keys are some")
	}
}
