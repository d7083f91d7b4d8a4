package api

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
)

// The verifier and the challenge are those of RFC 7636, appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func TestRow172CodeIsExchangedForAKey(t *testing.T) {
	g := manage(t)
	code := func(members string) string {
		t.Helper()
		var made struct {
			Data struct {
				ID string `json:"id"`
			} `json:"data"`
		}
		got := g.call(managementKey, "POST", "/api/v1/auth/keys/code", `{"callback_url":"http://localhost:4711/back"`+members+`}`)
		if err := json.Unmarshal(got.Body.Bytes(), &made); err != nil || got.Code != 200 || made.Data.ID == "" {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
		return made.Data.ID
	}
	exchange := func(code, members string) (int, string) {
		t.Helper()
		got := g.call("", "POST", "/api/v1/auth/keys", `{"code":"`+code+`"`+members+`}`)
		return got.Code, got.Body.String()
	}
	first := code(`,"code_challenge":"` + challenge + `","code_challenge_method":"S256","limit":2.5,"usage_limit_type":"weekly","key_label":"my app"`)
	for _, step := range []struct {
		members string
		status  int
	}{
		{``, 403}, {`,"code_verifier":"wrong"`, 403}, {`,"code_verifier":"` + challenge + `"`, 403},
		{`,"code_verifier":"` + verifier + `","code_challenge_method":"plain"`, 400}, {`,"code_verifier":"` + verifier + `","code_challenge_method":"S512"`, 400},
		{`,"code_verifier":"` + verifier + `","code_challenge_method":"S256"`, 200},
		{`,"code_verifier":"` + verifier + `"`, 403},
	} {
		status, body := exchange(first, step.members)
		if status != step.status {
			t.Errorf("%s: %d %s", step.members, status, body)
		}
		if status == 200 {
			var made struct{ Key string }
			if err := json.Unmarshal([]byte(body), &made); err != nil {
				t.Fatal(err)
			}
			if key := g.call(made.Key, "GET", "/api/v1/key", ""); key.Code != 200 || !strings.Contains(key.Body.String(), `"label":"my app"`) {
				t.Errorf("the key: %d %s", key.Code, key.Body)
			}
		}
	}
	if status, body := exchange(code(`,"code_challenge":"`+verifier+`"`), `,"code_verifier":"`+verifier+`"`); status != 200 {
		t.Errorf("plain: %d %s", status, body)
	}
	if status, body := exchange(code(``), ``); status != 200 {
		t.Errorf("without a challenge: %d %s", status, body)
	}
	if status, _ := exchange("none", ``); status != 403 {
		t.Errorf("an unknown code: %d", status)
	}
	for _, body := range []string{
		`{}`, `{"callback_url":"http://example.com"}`, `{"callback_url":"javascript:alert(1)"}`, `{"callback_url":"https://a.example","code_challenge":"x","code_challenge_method":"MD5"}`,
		`{"callback_url":"https://a.example","code_challenge_method":"S256"}`, `{"callback_url":"https://a.example","limit":-1}`, `{"callback_url":"https://a.example","expires_at":"2030-01-01T00:00:00+02:00"}`,
	} {
		wantError(t, g.call(managementKey, "POST", "/api/v1/auth/keys/code", body), 400, "invalid_request")
	}
	wantError(t, g.call(goodKey, "POST", "/api/v1/auth/keys/code", `{"callback_url":"https://a.example"}`), 403, "permission_denied")
}

func TestTitleInLatin1NamesAKey(t *testing.T) {
	g := manage(t)
	request := httptest.NewRequest("POST", "/api/v1/auth/keys/code", strings.NewReader(`{"callback_url":"https://a.example"}`))
	request.Header.Set("Authorization", "Bearer "+managementKey)
	request.Header.Set("X-OpenRouter-Title", "caf\xe9")
	recorder := httptest.NewRecorder()
	New(g.Options).ServeHTTP(recorder, request)
	if recorder.Code != 200 {
		t.Fatalf("%d %s", recorder.Code, recorder.Body)
	}
	code := decode[data[struct {
		ID string `json:"id"`
	}]](t, recorder).Data.ID
	if got := g.call("", "POST", "/api/v1/auth/keys", `{"code":"`+code+`"}`); got.Code != 200 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	if shown := g.call(managementKey, "GET", "/api/v1/keys", "").Body.String(); !strings.Contains(shown, `"name":"caf�"`) {
		t.Errorf("%s", shown)
	}
}

func TestCodeOfADeletedKeyMakesNone(t *testing.T) {
	g := manage(t)
	maker := g.made(managementKey, `{"name":"k","role":"developer"}`)
	var code struct{ Data struct{ ID string } }
	if err := json.Unmarshal(g.call(maker.Key, "POST", "/api/v1/auth/keys/code", `{"callback_url":"https://a.example"}`).Body.Bytes(), &code); err != nil {
		t.Fatal(err)
	}
	if got := g.call(managementKey, "DELETE", "/api/v1/keys/"+maker.Data.Hash, ""); got.Code != 200 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	wantError(t, g.call("", "POST", "/api/v1/auth/keys", `{"code":"`+code.Data.ID+`"}`), 403, "permission_denied")
}
