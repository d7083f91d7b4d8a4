package provider

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// signed is a dialect whose requests prove by a signature who sends them.
type signed interface {
	verify(r *http.Request, body []byte, key string) *refusal
}

// awsAuth accepts a key "<id>:<secret>[:<token>]" by a signature, and any other as a
// bearer token.
type awsAuth struct{}

func denied(message string) *refusal {
	return &refusal{status: http.StatusForbidden, message: message}
}

func (awsAuth) admit(header http.Header, key string) *refusal {
	for name := range header {
		if strings.HasPrefix(name, "Openai-") || strings.HasPrefix(name, "Anthropic-") || name == "X-Api-Key" || name == "X-Goog-Api-Key" {
			return leak("header " + strings.ToLower(name))
		}
	}
	given := header.Get("Authorization")
	switch {
	case given == "":
		return denied("Missing Authentication Token")
	case strings.Contains(key, ":") && !strings.HasPrefix(given, "AWS4-HMAC-SHA256 "):
		return denied("Authorization header requires 'Credential' parameter.")
	case !strings.Contains(key, ":") && given != "Bearer "+key:
		return denied("Authentication failed: Please make sure your API Key is valid.")
	}
	return nil
}

// verify signs what is said to be signed once more, and compares.
func (awsAuth) verify(r *http.Request, body []byte, key string) *refusal {
	id, rest, bySignature := strings.Cut(key, ":")
	if !bySignature {
		return nil
	}
	secret, token, _ := strings.Cut(rest, ":")
	given := r.Header.Get("Authorization")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	scope := strings.Split(between(given, "Credential=", ","), "/")
	names := strings.Split(between(given, "SignedHeaders=", ","), ";")
	switch {
	case err != nil || len(scope) != 5:
		return &refusal{status: http.StatusBadRequest, message: "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."}
	case scope[0] != id || r.Header.Get("X-Amz-Security-Token") != token:
		return denied("The security token included in the request is invalid.")
	case scope[3] != "bedrock":
		return denied("Credential should be scoped to correct service: 'bedrock'.")
	case time.Since(at).Abs() > 5*time.Minute:
		return denied("Signature expired: " + r.Header.Get("X-Amz-Date"))
	}
	again := &http.Request{Method: r.Method, Host: r.Host, URL: &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath}, Header: http.Header{}}
	for _, name := range names {
		switch name {
		case "host":
		case "content-length":
			again.ContentLength = r.ContentLength
		default:
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Amz-") && again.Header.Get(name) == "" {
			return denied("Header " + strings.ToLower(name) + " must be signed.")
		}
	}
	sum := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}
	err = v4.NewSigner().SignHTTP(context.Background(), credentials, again, hex.EncodeToString(sum[:]), "bedrock", scope[2], at)
	if err != nil || again.Header.Get("Authorization") != given {
		return denied("The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return nil
}

// between is what stands between two marks, or behind the first.
func between(text, start, end string) string {
	_, rest, _ := strings.Cut(text, start)
	found, _, _ := strings.Cut(rest, end)
	return found
}
