package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/health"
)

// target is whom to ask, and how. It is immutable.
type target struct {
	request   *http.Request // cloned for each check
	authorize func(context.Context, *http.Request) error
	timeout   time.Duration
	client    *http.Client
}

// newTarget reads the file of certificate authorities. Its errors name the field.
func newTarget(provider *catalog.Provider, authorize func(context.Context, *catalog.Provider, *http.Request) error) (*target, error) {
	request, err := http.NewRequest(http.MethodGet,
		provider.Scheme+"://"+provider.Authority+provider.PathPrefix+provider.HealthCheck.Path, nil)
	if err != nil {
		return nil, fmt.Errorf("providers[%q].health_check.path: %w", provider.Slug, err)
	}
	for name, value := range provider.Headers {
		request.Header.Set(name, value)
	}
	transport := &http.Transport{
		// A new connection each time: that a provider can be reached and that its
		// certificate is good are part of the question.
		DisableKeepAlives:   true,
		DialContext:         (&net.Dialer{Timeout: provider.Timeouts.Connect}).DialContext,
		TLSHandshakeTimeout: provider.Timeouts.Connect,
	}
	if provider.CAFile != "" {
		authorities, err := readAuthorities(provider.CAFile)
		if err != nil {
			return nil, fmt.Errorf("providers[%q].ca_file: %w", provider.Slug, err)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12}
	}
	return &target{
		request: request,
		authorize: func(ctx context.Context, request *http.Request) error {
			return authorize(ctx, provider, request)
		},
		timeout: provider.HealthCheck.Timeout,
		client: &http.Client{
			Transport: transport,
			// The credential goes to the provider and to no one that it points to.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

func readAuthorities(name string) (*x509.CertPool, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate; want PEM", name)
	}
	return authorities, nil
}

// ask makes the request and returns the class of the answer's status; the body is
// not read. The error says more of a class that is not [health.None].
func (t *target) ask(ctx context.Context) (health.Class, error) {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	request := t.request.Clone(ctx) // holds the credential from here on: never print it
	if err := t.authorize(ctx, request); err != nil {
		return health.Authentication, err
	}
	response, err := t.client.Do(request)
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return health.Timeout, err
		}
		return health.Connect, err
	}
	_ = response.Body.Close()
	if response.StatusCode/100 == 2 {
		return health.None, nil
	}
	return health.ClassOf(response.StatusCode), fmt.Errorf("status %d", response.StatusCode)
}
