package byok

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

var place = Place{ID: "id", Organization: "org", Provider: "openai"}

func TestVaultOpensWhatItSealed(t *testing.T) {
	vault := NewVault("a secret of the gateway's", "")
	first, second := vault.Seal(place, "sk-own"), vault.Seal(place, "sk-own")
	if first == second || strings.Contains(first, "sk-own") {
		t.Errorf("%s %s", first, second)
	}
	for _, sealed := range []string{first, second} {
		if got, err := vault.Open(place, sealed); got != "sk-own" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// Who can write to the database cannot put one customer's credential into another's row.
func TestCredentialOpensInItsPlaceAlone(t *testing.T) {
	vault := NewVault("secret", "")
	sealed := vault.Seal(place, "sk-own")
	for _, elsewhere := range []Place{{"other", "org", "openai"}, {"id", "other", "openai"}, {"id", "org", "other"}, {"idorg", "", "openai"}} {
		if got, err := vault.Open(elsewhere, sealed); !errors.Is(err, ErrDamaged) || got != "" {
			t.Errorf("%+v: %q, %v", elsewhere, got, err)
		}
	}
	version, rest, _ := strings.Cut(sealed, ".")
	name, text, _ := strings.Cut(rest, ".")
	raw, _ := base64.RawStdEncoding.DecodeString(text)
	for i := range raw {
		damaged := append([]byte(nil), raw...)
		damaged[i] ^= 1
		if _, err := vault.Open(place, strings.Join([]string{version, name, base64.RawStdEncoding.EncodeToString(damaged)}, ".")); !errors.Is(err, ErrDamaged) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	for _, text := range []string{"", "v1", "v1.", "v2." + rest, "v1." + name + ".", "v1." + name + ".!"} {
		if _, err := vault.Open(place, text); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestVaultRotates(t *testing.T) {
	old := NewVault("old", "")
	sealed := old.Seal(place, "sk-own")
	both := NewVault("new", "old")
	if got, err := both.Open(place, sealed); got != "sk-own" || err != nil || both.Current(sealed) {
		t.Errorf("%q, %v", got, err)
	}
	again := both.Seal(place, "sk-own")
	if _, err := old.Open(place, again); !errors.Is(err, ErrOtherKey) || !both.Current(again) {
		t.Errorf("%v", err)
	}
	if got, err := NewVault("new", "").Open(place, again); got != "sk-own" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
