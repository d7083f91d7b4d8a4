package signing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// The key is that of AWS's own documentation.
const (
	keyID  = "AKIDEXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

// signedBySDK is a request as AWS's own client sends it, and its body.
func signedBySDK(t *testing.T, model, token string) (*http.Request, []byte) {
	t.Helper()
	var seen *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"output":{"message":{"role":"assistant","content":[{"text":"hi"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2},"metrics":{"latencyMs":1}}`))
	}))
	defer server.Close()
	client := bedrockruntime.New(bedrockruntime.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String(server.URL + "/base"),
		Credentials: credentials.NewStaticCredentialsProvider(keyID, secret, token),
	})
	_, err := client.Converse(t.Context(), &bedrockruntime.ConverseInput{
		ModelId: aws.String(model),
		Messages: []types.Message{{
			Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Grüße"}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen, body
}

// The signature is the one that AWS's own client makes, whatever has to be escaped in
// the model's name, which a path has escaped once and a signature twice.
func TestSignatureIsTheSDKs(t *testing.T) {
	for _, model := range []string{
		"us.anthropic.claude-sonnet-4-5-20250929-v1:0",
		"arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3d4e5f6",
	} {
		for _, token := range []string{"", "FwoGZXIvYXdzEXAMPLE//token=="} {
			sent, body := signedBySDK(t, model, token)
			at, err := time.Parse("20060102T150405Z", sent.Header.Get("X-Amz-Date"))
			if err != nil {
				t.Fatal(err)
			}
			credential := keyID + ":" + secret
			if token != "" {
				credential += ":" + token
			}
			signer, err := new(AWSAccounts).Signer(t.Context(), AWSOptions{
				Credential: credential, Region: "eu-central-1", Service: "bedrock", Now: func() time.Time { return at },
			})
			if err != nil {
				t.Fatal(err)
			}
			request := Request{Body: body, Headers: []dialect.Header{
				{Name: ":method", Value: "POST"},
				{Name: ":scheme", Value: "http"},
				{Name: ":authority", Value: sent.Host},
				{Name: ":path", Value: sent.URL.RequestURI()},
				{Name: "user-agent", Value: "not signed"},
				{Name: "content-type", Value: sent.Header.Get("Content-Type")},
			}}
			proof, err := signer.Sign(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, h := range proof {
				got[h.Name] = h.Value
			}
			if got["x-amz-date"] != sent.Header.Get("X-Amz-Date") || got["x-amz-security-token"] != token {
				t.Errorf("%s: %v", model, got)
			}
			signed := "SignedHeaders=content-type;host;x-amz-date"
			if token != "" {
				signed += ";x-amz-security-token"
			}
			if !strings.Contains(got["authorization"], signed+",") {
				t.Errorf("%s: %s", model, got["authorization"])
			}
			if again := signLike(t, signer, request, sent); again != sent.Header.Get("Authorization") {
				t.Errorf("%s:\n got %s\nwant %s", model, again, sent.Header.Get("Authorization"))
			}
		}
	}
}

// signLike signs what the signer signs of a request, and besides it the headers that
// the SDK has signed, which Envoy may set anew.
func signLike(t *testing.T, signer *AWS, request Request, sent *http.Request) string {
	t.Helper()
	made, err := awsRequest(request)
	if err != nil {
		t.Fatal(err)
	}
	_, names, _ := strings.Cut(sent.Header.Get("Authorization"), "SignedHeaders=")
	names, _, _ = strings.Cut(names, ",")
	for name := range strings.SplitSeq(names, ";") {
		if value := sent.Header.Get(name); value != "" && made.Header.Get(name) == "" && name != "x-amz-date" {
			made.Header.Set(name, value)
		}
	}
	made.ContentLength = int64(len(request.Body))
	found, err := signer.credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(request.Body)
	if err := signer.signer.SignHTTP(t.Context(), found, made, hex.EncodeToString(sum[:]), "bedrock", "eu-central-1", signer.options.Now()); err != nil {
		t.Fatal(err)
	}
	return made.Header.Get("Authorization")
}

func TestCredentialForms(t *testing.T) {
	for _, credential := range []string{"sk-plain", keyID + ":", ":" + secret, keyID + ":" + secret + ":", keyID + ":" + secret + ":a:b"} {
		_, err := new(AWSAccounts).Signer(t.Context(), AWSOptions{Credential: credential, Region: "us-east-1", Service: "bedrock"})
		if err == nil || !strings.Contains(err.Error(), "<access key id>:<secret access key>") || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", credential, err)
		}
	}
}

// Without a credential there is what AWS's own tools find.
func TestCredentialsOfTheEnvironment(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", keyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	t.Setenv("AWS_SESSION_TOKEN", "token")
	signer, err := new(AWSAccounts).Signer(t.Context(), AWSOptions{Region: "us-east-1", Service: "bedrock"})
	if err != nil {
		t.Fatal(err)
	}
	proof, err := signer.Sign(t.Context(), plain())
	if err != nil || len(proof) != 3 || !strings.Contains(proof[0].Value, "Credential="+keyID+"/") || proof[2].Value != "token" {
		t.Errorf("%v, error %v", proof, err)
	}
}

func TestNoCredentials(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none,
	} {
		t.Setenv(name, value)
	}
	signer, err := new(AWSAccounts).Signer(t.Context(), AWSOptions{Region: "us-east-1", Service: "bedrock"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signer.Sign(t.Context(), plain()); err == nil || !strings.Contains(err.Error(), "no AWS credentials") {
		t.Errorf("error %v", err)
	}
}

// credentialServer is what hands out credentials within a container.
func credentialServer(t *testing.T, answer http.HandlerFunc) *atomic.Int32 {
	t.Helper()
	asked := new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_CONTAINER_CREDENTIALS_FULL_URI": server.URL,
		"AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	return asked
}

// Who has found no credentials a moment ago does not look for them again, whatever
// configuration the signer is of.
func TestMissingCredentialsAreNotLookedForByEachRequest(t *testing.T) {
	asked := credentialServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	var accounts AWSAccounts
	for range 10 {
		signer, err := accounts.Signer(t.Context(), AWSOptions{Region: "us-east-1", Service: "bedrock"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signer.Sign(t.Context(), plain()); err == nil || !strings.Contains(err.Error(), "no AWS credentials") {
			t.Errorf("error %v", err)
		}
		defer runtime.KeepAlive(signer)
	}
	if got := asked.Load(); got == 0 || got > 2 { // the SDK may ask again when it had to wait
		t.Errorf("looked for %d times by ten requests", got)
	}
}

func TestFoundCredentialsOutliveAConfiguration(t *testing.T) {
	asked := credentialServer(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"AccessKeyId":%q,"SecretAccessKey":%q,"Token":"t","Expiration":%q}`, keyID, secret, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	})
	var accounts AWSAccounts
	for _, region := range []string{"us-east-1", "us-east-1", "eu-west-1"} {
		signer, err := accounts.Signer(t.Context(), AWSOptions{Region: region, Service: "bedrock"})
		if err != nil {
			t.Fatal(err)
		}
		if proof, err := signer.Sign(t.Context(), plain()); err != nil || !strings.Contains(proof[0].Value, "Credential="+keyID+"/") {
			t.Errorf("%v, error %v", proof, err)
		}
		defer runtime.KeepAlive(signer)
	}
	if got := asked.Load(); got != 2 {
		t.Errorf("fetched %d times for two regions", got)
	}
}

// AWS's own files are read when the configuration is, and not at the first request.
func TestAWSFilesThatCannotBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte("[profile a]\nregion = us-east-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", path)
	t.Setenv("AWS_PROFILE", "no-such-profile")
	if _, err := new(AWSAccounts).Signer(t.Context(), AWSOptions{Region: "us-east-1", Service: "bedrock"}); err == nil || !strings.Contains(err.Error(), "no-such-profile") {
		t.Errorf("error %v", err)
	}
}

func plain() Request {
	return Request{Body: []byte(`{}`), Headers: []dialect.Header{
		{Name: ":method", Value: "POST"}, {Name: ":authority", Value: "bedrock-runtime.us-east-1.amazonaws.com"},
		{Name: ":path", Value: "/model/m/converse"}, {Name: "content-type", Value: "application/json"},
	}}
}

func TestRegionOfAHost(t *testing.T) {
	for host, want := range map[string]string{
		"bedrock-runtime.us-east-1.amazonaws.com":                     "us-east-1",
		"bedrock-runtime-fips.us-gov-west-1.amazonaws.com":            "us-gov-west-1",
		"bedrock-runtime.cn-north-1.amazonaws.com.cn":                 "cn-north-1",
		"bedrock-runtime.eu-west-1.api.aws":                           "eu-west-1",
		"vpce-0a1b-2c3d.bedrock-runtime.eu-west-3.vpce.amazonaws.com": "eu-west-3",
		"bedrock-runtime.us-east-1.example.com":                       "",
		"127.0.0.1":                                                   "",
		"s3.amazonaws.com":                                            "",
		"bedrock-runtime.amazonaws.com":                               "",
	} {
		if got := AWSRegion(host); got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	signer, err := new(AWSAccounts).Signer(context.Background(), AWSOptions{Credential: keyID + ":" + secret, Region: "us-east-1", Service: "bedrock"})
	if err != nil {
		b.Fatal(err)
	}
	for name, size := range map[string]int{"1KB": 1 << 10, "100KB": 100 << 10} {
		b.Run(name, func(b *testing.B) {
			request := plain()
			request.Body = make([]byte, size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := signer.Sign(context.Background(), request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
