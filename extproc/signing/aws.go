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

// NewAWS returns an error, without a secret in it, for a credential that is none, and
// for AWS's own files of configuration if they cannot be read.
func NewAWS(ctx context.Context, options AWSOptions) (*AWS, error) {
	signer := &AWS{signer: v4.NewSigner(), options: options}
	if options.Now == nil {
		signer.options.Now = time.Now
	}
	if options.Credential == "" {
		found, err := config.LoadDefaultConfig(ctx, config.WithRegion(options.Region))
		if err != nil {
			return nil, fmt.Errorf("AWS's own configuration: %w", err)
		}
		signer.credentials = found.Credentials
		return signer, nil
	}
	parts, err := splitCredential(options.Credential)
	if err != nil {
		return nil, err
	}
	signer.credentials = credentials.NewStaticCredentialsProvider(parts[0], parts[1], parts[2])
	return signer, nil
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
