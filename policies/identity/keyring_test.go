package identity

import (
	"bytes"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/money"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

const (
	good     = Prefix + "good"
	disabled = Prefix + "disabled"
	expired  = Prefix + "expired"
)

func keyring(t *testing.T) *Keyring {
	t.Helper()
	k, err := NewKeyring(&configpb.Config{Keys: []*configpb.Key{
		{Name: "good", Hash: Hash(good), ExpiresAt: "2026-06-01T12:00:01Z"},
		{Name: "disabled", Hash: Hash(disabled), Disabled: true},
		{Name: "expired", Hash: Hash(expired), ExpiresAt: "2026-06-01T12:00:00Z"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestAuthenticate(t *testing.T) {
	tests := []struct {
		name, authorization, apiKey string
		want                        string // name of the key
		reason                      Reason // if there is none
	}{
		{"bearer token", "Bearer " + good, "", "good", 0},
		{"scheme in another case", "bEARER " + good, "", "good", 0},
		{"spaces around", " Bearer   " + good + " ", "", "good", 0},
		{"row 144: x-api-key", "", good, "good", 0},
		{"the bearer token counts before x-api-key", "Bearer " + good, "sk-other", "good", 0},
		{"x-api-key counts beside another scheme", "Basic dTpw", good, "good", 0},
		{"x-api-key counts beside an empty token", "Bearer ", good, "good", 0},

		{"row 5: nothing", "", "", "", Missing},
		{"row 5: empty token", "Bearer ", "", "", Missing},
		{"row 5: another scheme", "Basic dTpw", "", "", Missing},
		{"row 5: no scheme", good, "", "", Missing},
		{"row 5: scheme run into the key", "Bearer" + good, "", "", Missing},
		{"row 6: bad key", "Bearer sk-or-v1-bad", "", "", Unknown},
		{"row 6: bad token beside a good x-api-key", "Bearer sk-or-v1-bad", good, "", Unknown},
		{"row 6: key in another case", "Bearer " + strings.ToUpper(good), "", "", Unknown},
		{"row 6: more than the key", "Bearer " + good + " " + good, "", "", Unknown},
		{"row 6: the hash instead of the key", "Bearer " + Hash(good), "", "", Unknown},
		{"row 7: disabled", "Bearer " + disabled, "", "", Disabled},
		{"row 7: expired at this very moment", "Bearer " + expired, "", "", Expired},
	}
	k := keyring(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			key, err := k.Authenticate(test.authorization, test.apiKey, now)
			if test.want != "" {
				if err != nil || key.Name != test.want {
					t.Fatalf("%v, %v; want key %q", key, err, test.want)
				}
				return
			}
			var refused *Error
			if !errors.As(err, &refused) || refused.Reason != test.reason || key != nil {
				t.Fatalf("%v, %v; want reason %d", key, err, test.reason)
			}
			for _, presented := range []string{good, disabled, expired, "sk-or-v1-bad", "dTpw"} {
				if strings.Contains(err.Error(), presented) {
					t.Errorf("error %q shows what was presented", err)
				}
			}
		})
	}
}

func TestMessagesAreThoseThatClientsMatchOn(t *testing.T) {
	for reason, want := range map[Reason]string{Missing: "No auth credentials found", Unknown: "User not found."} {
		if got := (&Error{reason}).Error(); got != want {
			t.Errorf("reason %d reads %q, want %q", reason, got, want)
		}
	}
}

func TestWithoutKeysEverybodyMayComeIn(t *testing.T) {
	k, err := NewKeyring(&configpb.Config{Limits: &configpb.Limits{Requests: 7}})
	if err != nil || !k.Open() {
		t.Fatalf("open: %t, %v", k.Open(), err)
	}
	for _, authorization := range []string{"", "Bearer anything", "Basic dTpw"} {
		key, err := k.Authenticate(authorization, "", now)
		if err != nil || key.Hash != "" || key.Limit.Requests != 7 {
			t.Errorf("%q: %+v, %v", authorization, key, err)
		}
	}
	if keyring(t).Open() {
		t.Error("open although there are keys")
	}
	// A gateway whose only key is disabled is closed, not open.
	only, err := NewKeyring(&configpb.Config{Keys: []*configpb.Key{{Name: "d", Hash: Hash("d"), Disabled: true}}})
	if err != nil || only.Open() {
		t.Errorf("open: %t, %v", only.Open(), err)
	}
}

func TestLimits(t *testing.T) {
	general := &configpb.Limits{Requests: 100, Window: durationpb.New(time.Minute)}
	tests := []struct {
		name         string
		general, own *configpb.Limits
		want         Limit
	}{
		{"the default", nil, nil, Limit{40, 10 * time.Second}},
		{"the general one", general, nil, Limit{100, time.Minute}},
		{"the key's own", general, &configpb.Limits{Requests: 5, Window: durationpb.New(time.Second)}, Limit{5, time.Second}},
		{"the key's own, in part", general, &configpb.Limits{Requests: 5}, Limit{5, 10 * time.Second}},
		{"none for the key", general, &configpb.Limits{Unlimited: true}, Limit{}},
		{"none at all", &configpb.Limits{Unlimited: true}, nil, Limit{}},
		{"the key's own where there is none in general", &configpb.Limits{Unlimited: true}, &configpb.Limits{Requests: 5}, Limit{5, 10 * time.Second}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			k, err := NewKeyring(&configpb.Config{
				Limits: test.general,
				Keys:   []*configpb.Key{{Name: "k", Hash: Hash(good), Limits: test.own}},
			})
			if err != nil {
				t.Fatal(err)
			}
			key, err := k.Authenticate("Bearer "+good, "", now)
			if err != nil || key.Limit != test.want {
				t.Errorf("%+v, %v; want %+v", key.Limit, err, test.want)
			}
		})
	}
}

func TestAllLimitsAreRead(t *testing.T) {
	k, err := NewKeyring(&configpb.Config{Keys: []*configpb.Key{{Name: "k", Hash: Hash(good), Limits: &configpb.Limits{
		Unlimited: true, Tokens: 1000, Budget: "12.50", BudgetReset: configpb.BudgetReset_BUDGET_RESET_WEEKLY, Concurrency: 4,
		OnRedisFailure: configpb.RedisFailure_REDIS_FAILURE_OPEN,
		PerUser:        &configpb.Limits{Requests: 3, Tokens: 10, TokensWindow: durationpb.New(time.Hour)},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	key, err := k.Named("k")
	want := Limits{Tokens: TokenLimit{1000, time.Minute}, Budget: Budget{Amount: money.Dollar * 25 / 2, Reset: ResetWeekly}, Concurrency: 4, Outage: OutageOpen}
	user := Limits{Limit: Limit{3, 10 * time.Second}, Tokens: TokenLimit{10, time.Hour}}
	if err != nil || key.Limits != want || key.User != user {
		t.Errorf("%+v, %+v, %v", key.Limits, key.User, err)
	}
}

func TestEveryMistakeIsReportedWithItsField(t *testing.T) {
	_, err := NewKeyring(&configpb.Config{Keys: []*configpb.Key{
		{Name: "short", Hash: "abc"},
		{Name: "capitals", Hash: strings.ToUpper(Hash("a"))},
		{Name: "plaintext", Hash: good},
		{Name: "first", Hash: Hash("b")},
		{Name: "second", Hash: Hash("b")},
		{Name: "offset", Hash: Hash("c"), ExpiresAt: "2030-01-01T00:00:00+02:00"},
		{Name: "date", Hash: Hash("d"), ExpiresAt: "2030-01-01"},
		{Name: "poor", Hash: Hash("e"), Limits: &configpb.Limits{Budget: "much", PerUser: &configpb.Limits{Budget: "more"}}},
	}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"keys[0].hash", "keys[1].hash", "keys[2].hash", `keys[4].hash: key "first"`,
		"keys[5].expires_at", "keys[6].expires_at", "keys[7].limits.budget",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing is said of %s in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), good) {
		t.Errorf("a key written where its hash belongs is shown:\n%v", err)
	}
}

func TestNewKey(t *testing.T) {
	plaintext, hash := NewKey()
	if !regexp.MustCompile(`^sk-sy-v1-[0-9a-f]{64}$`).MatchString(plaintext) {
		t.Errorf("key %q", plaintext)
	}
	if hash != Hash(plaintext) || !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(hash) {
		t.Errorf("hash %q", hash)
	}
	if again, _ := NewKey(); again == plaintext {
		t.Error("the same key twice")
	}
}

func TestHashIsSHA256(t *testing.T) {
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, appendix B.1
	if got := Hash("abc"); got != want {
		t.Errorf("hash %q, want %q", got, want)
	}
}

func TestLogShowsOnlyTheBeginningOfTheHash(t *testing.T) {
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "key", &Key{Name: "n", Hash: Hash(good)}, "everybody", &Key{Name: "everybody"})
	if strings.Contains(log.String(), Hash(good)) || !strings.Contains(log.String(), Hash(good)[:8]) {
		t.Errorf("logged %s", log.String())
	}
}

// Whatever headers hold, they are refused or accepted without a panic, and only
// a configured key is accepted.
func FuzzAuthenticate(f *testing.F) {
	k, err := NewKeyring(&configpb.Config{Keys: []*configpb.Key{{Name: "k", Hash: Hash(good)}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, authorization, apiKey string) {
		_, err := k.Authenticate(authorization, apiKey, now)
		if err == nil && !strings.Contains(authorization, good) && !strings.Contains(apiKey, good) {
			t.Errorf("accepted %q, %q", authorization, apiKey)
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	plaintext, hash := NewKey()
	k, err := NewKeyring(&configpb.Config{Keys: []*configpb.Key{{Name: "k", Hash: hash}}})
	if err != nil {
		b.Fatal(err)
	}
	authorization := "Bearer " + plaintext
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Authenticate(authorization, "", now); err != nil {
			b.Fatal(err)
		}
	}
}

func TestManagedKeysAreBesideThoseOfTheConfiguration(t *testing.T) {
	configured := keyring(t)
	managed := func(secret string, key *Key) Credential {
		digest, err := ParseDigest(Hash(secret))
		if err != nil {
			t.Fatal(err)
		}
		return Credential{Digest: digest, Key: key}
	}
	all := configured.With([]Credential{managed("m", &Key{Name: "managed", Role: Viewer}), managed(good, &Key{Name: "taken"})})
	if key, err := all.Authenticate("Bearer m", "", now); err != nil || key.Name != "managed" || !key.Management() || key.Limit != (Limit{40, 10 * time.Second}) {
		t.Errorf("%+v, %v", key, err)
	}
	if key, err := all.Authenticate("Bearer "+good, "", now); err != nil || key.Name != "good" {
		t.Errorf("a managed key hides one of the configuration: %+v, %v", key, err)
	}
	if _, err := configured.Authenticate("Bearer m", "", now); err == nil {
		t.Error("the keyring has changed")
	}
	none, err := NewKeyring(nil)
	if err != nil {
		t.Fatal(err)
	}
	if none.With([]Credential{managed("m", &Key{})}).Open() || none.Closed().With(nil).Open() || !none.With(nil).Open() {
		t.Error("open with managed keys, or while there may be some")
	}
	if _, err := none.Closed().Authenticate("", "", now); err == nil {
		t.Error("everybody comes in while it is not known who may")
	}
}

func TestLabelShowsTheEndsAlone(t *testing.T) {
	plaintext, _ := NewKey()
	if label := Label(plaintext); label != plaintext[:len(Prefix)+3]+"..."+plaintext[len(plaintext)-3:] {
		t.Errorf("%s of %s", label, plaintext)
	}
	if label := Label("short"); strings.Contains(label, "short") {
		t.Errorf("%s", label)
	}
}

// grants are tokens by their text.
type grants map[string]Grant

func (g grants) Verify(token string, _ time.Time) (Grant, error) {
	if grant, ok := g[token]; ok {
		return grant, nil
	}
	return Grant{}, &Error{Reason: Unknown}
}

func TestTokensAreTakenForKeys(t *testing.T) {
	digest, err := ParseDigest(Hash("m"))
	if err != nil {
		t.Fatal(err)
	}
	k := keyring(t).With([]Credential{{Digest: digest, Key: &Key{Name: "managed", Hash: Hash("m")}}}).Trusting(grants{
		"name": {Key: "good"}, "hash": {Key: Hash("m")}, "none": {Key: "nobody"}, "off": {Key: "disabled"},
		"role": {Name: "ada", Hash: Hash("ada"), Role: Viewer, ExpiresAt: now.Add(time.Second)}, "late": {Role: Viewer, ExpiresAt: now},
	})
	for token, want := range map[string]string{"name": "good", "hash": "managed", "role": "ada"} {
		key, err := k.Authenticate("Bearer "+token, "", now)
		if err != nil || key.Name != want || key.Management() != (token == "role") || key.Token != (token == "role") || key.Operator {
			t.Errorf("%s: %+v, %v", token, key, err)
		}
	}
	for token, reason := range map[string]Reason{"none": Unmapped, "off": Disabled, "late": Expired, "other": Unknown} {
		var refused *Error
		if _, err := k.Authenticate("Bearer "+token, "", now); !errors.As(err, &refused) || refused.Reason != reason {
			t.Errorf("%s: %v", token, err)
		}
	}
	none, err := NewKeyring(nil)
	if err != nil || none.Trusting(grants{}).Open() {
		t.Errorf("open although tokens are taken, %v", err)
	}
}

// What is not known yet bounds keys of the configuration too: only who spends nothing is let
// in, and nobody is told that their key is a bad one, which it may not be.
func TestWhoIsLetInWhileItIsNotKnownWhatIsManaged(t *testing.T) {
	k, err := NewKeyring(&configpb.Config{Keys: []*configpb.Key{
		{Name: "good", Hash: Hash(good)}, {Name: "disabled", Hash: Hash(disabled), Disabled: true},
		{Name: "root", Hash: Hash("sk-root"), Management: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	none, err := NewKeyring(&configpb.Config{})
	if err != nil {
		t.Fatal(err)
	}
	refused := map[string]Reason{good: Waiting, "sk-another": Waiting, disabled: Disabled, "": Missing}
	for presented, want := range refused {
		_, err := k.Waiting().Authenticate("Bearer "+presented, "", now)
		if refused := (*Error)(nil); !errors.As(err, &refused) || refused.Reason != want || refused.Temporary() != (want == Waiting) {
			t.Errorf("%q: %v, want reason %d", presented, err, want)
		}
	}
	if key, err := k.Waiting().Authenticate("Bearer sk-root", "", now); err != nil || key.Name != "root" {
		t.Errorf("a management key: %v, %v", key, err)
	}
	if _, err := none.Waiting().Authenticate("", "", now); err == nil || err.(*Error).Reason != Waiting || none.Waiting().Open() {
		t.Errorf("nobody's key, where there may be none: %v", err)
	}
}
