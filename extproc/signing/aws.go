package signing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// AWSOptions says how requests to one provider are signed.
type AWSOptions struct {
	// Credential is "<access key id>:<secret access key>", followed by
	// ":<session token>" if there is one. If it is "", the credentials are those that
	// AWS's own tools would find, and are fetched anew before they end.
	Credential string
	// Region is what signatures name, such as "us-east-1". Required.
	Region string
	// Service is the service's name in signatures, such as "bedrock". Required.
	Service string
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// AWS signs by AWS Signature Version 4. Signed are the host, the content type, the
// body and the headers that begin with x-amz-; what a proxy adds on the way breaks no
// signature.
type AWS struct {
	signer      *v4.Signer
	credentials aws.CredentialsProvider
	options     AWSOptions
}

var _ Signer = (*AWS)(nil)

// AWSAccounts makes the signers of AWS's APIs. The zero value is ready, and safe for
// concurrent use.
type AWSAccounts struct {
	found inUse[string, foundCredentials] // by the region that is asked for them
}

// Signer returns a signer. Those that use what AWS's own tools would find share it as
// long as it is in use: configurations that are read again fetch nothing anew. It does
// not touch the network. It returns an error, without a secret in it, for a credential
// that is none, and for AWS's own files of configuration if they cannot be read.
func (a *AWSAccounts) Signer(ctx context.Context, options AWSOptions) (*AWS, error) {
	signer := &AWS{signer: v4.NewSigner(), options: options}
	if options.Now == nil {
		signer.options.Now = time.Now
	}
	if options.Credential == "" {
		if _, err := config.LoadDefaultConfig(ctx, config.WithRegion(options.Region)); err != nil {
			return nil, fmt.Errorf("AWS's own configuration: %w", err)
		}
		signer.credentials = a.found.get(options.Region, func() *foundCredentials { return &foundCredentials{region: options.Region} })
		return signer, nil
	}
	parts, err := splitCredential(options.Credential)
	if err != nil {
		return nil, err
	}
	signer.credentials = credentials.NewStaticCredentialsProvider(parts[0], parts[1], parts[2])
	return signer, nil
}

// foundCredentials are those that AWS's own tools would find. Where there are none, that
// takes seconds to find out: the metadata server of EC2 is looked for in vain.
type foundCredentials struct {
	region string
	held   renewal[aws.Credentials]
}

// Credentials that do not expire may change all the same, in files: they are looked for
// again now and then, and used for longer if they cannot be read.
const lookAgain, useAtMost = 5 * time.Minute, 24 * time.Hour

// Retrieve returns what is held, or waits until it is found.
func (f *foundCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	return f.held.get(ctx, f)
}

// renew looks for them anew, in files that may have changed.
func (f *foundCredentials) renew(ctx context.Context) (*lease[aws.Credentials], error) {
	settings, err := config.LoadDefaultConfig(ctx, config.WithRegion(f.region))
	if err != nil {
		return nil, err
	}
	found, err := settings.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if !found.CanExpire {
		return &lease[aws.Credentials]{value: found, refresh: now.Add(lookAgain), expires: now.Add(useAtMost)}, nil
	}
	return newLease(found, found.Expires, now), nil
}

// splitCredential returns the access key's id, the secret and the session token, which
// may be "".
func splitCredential(credential string) ([3]string, error) {
	id, rest, _ := strings.Cut(credential, ":")
	secret, token, hasToken := strings.Cut(rest, ":")
	// A token's own alphabet has no colon, nor have those of the others.
	if id == "" || secret == "" || hasToken && token == "" || strings.Contains(token, ":") {
		return [3]string{}, errors.New("want \"<access key id>:<secret access key>\", followed by \":<session token>\" if there is one")
	}
	return [3]string{id, secret, token}, nil
}

// Sign returns the authorization and the headers that belong to it.
func (s *AWS) Sign(ctx context.Context, request Request) ([]dialect.Header, error) {
	found, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("no AWS credentials are to be had: %w", err)
	}
	signed, err := awsRequest(request)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(request.Body)
	err = s.signer.SignHTTP(ctx, found, signed, hex.EncodeToString(sum[:]), s.options.Service, s.options.Region, s.options.Now())
	if err != nil {
		return nil, fmt.Errorf("AWS signature: %w", err)
	}
	var proof []dialect.Header
	for _, name := range []string{"authorization", "x-amz-date", "x-amz-security-token"} {
		if value := signed.Header.Get(name); value != "" {
			proof = append(proof, dialect.Header{Name: name, Value: value})
		}
	}
	return proof, nil
}

// awsRequest is what of a request is signed.
func awsRequest(request Request) (*http.Request, error) {
	made := &http.Request{Header: http.Header{}}
	path := ""
	for _, h := range request.Headers {
		switch {
		case h.Name == ":method":
			made.Method = h.Value
		case h.Name == ":authority":
			made.Host = h.Value
		case h.Name == ":path":
			path = h.Value
		case h.Name == "content-type", strings.HasPrefix(h.Name, "x-amz-"):
			made.Header.Set(h.Name, h.Value)
		}
	}
	location, err := url.ParseRequestURI(path)
	if err != nil {
		return nil, errors.New("AWS signature: the request's path is none")
	}
	made.URL = location
	return made, nil
}
