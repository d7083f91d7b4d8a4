package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"
)

// Where commands that manage a gateway find it, and the key that they use. A flag would
// show the key to whoever lists processes.
const (
	apiVariable        = "SWITCHYARD_API"
	managementVariable = "SWITCHYARD_MANAGEMENT_KEY"
	defaultAPI         = "http://127.0.0.1:8080/api/v1"
)

// apiClient asks a running gateway, as any client of its API.
type apiClient struct{ base, key string }

// apiFlag adds --api to a command and what is below it, and returns the client.
func apiFlag(command *cobra.Command) func() (*apiClient, error) {
	base := command.PersistentFlags().String("api", "", "base URL of the gateway's API (default: "+apiVariable+", else "+defaultAPI+")")
	return func() (*apiClient, error) {
		key := strings.TrimSpace(os.Getenv(managementVariable))
		if key == "" {
			return nil, fmt.Errorf("%w: put a management key into %s; \"switchyard keys create --management NAME\" makes the first one", errUsage, managementVariable)
		}
		return &apiClient{strings.TrimSuffix(cmp.Or(*base, os.Getenv(apiVariable), defaultAPI), "/"), key}, nil
	}
}

// withAPI runs a command with the client.
func withAPI(client func() (*apiClient, error), run func(command *cobra.Command, c *apiClient, arguments []string) error) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, arguments []string) error {
		c, err := client()
		if err != nil {
			return err
		}
		return run(command, c, arguments)
	}
}

// pages reads a list page by page; path has a query.
func pages[Row any](ctx context.Context, c *apiClient, path string) ([]Row, error) {
	var all []Row
	for {
		var page struct {
			Data []Row `json:"data"`
		}
		if err := c.call(ctx, http.MethodGet, fmt.Sprintf("%s&offset=%d", path, len(all)), nil, &page); err != nil {
			return nil, err
		}
		if len(page.Data) == 0 {
			return all, nil
		}
		all = append(all, page.Data...)
	}
}

// call sends body, if it is not nil, as JSON, and reads the answer into out.
func (c *apiClient) call(ctx context.Context, method, path string, body, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, sent)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return refused(response)
	}
	return json.UnmarshalRead(response.Body, out)
}

// refused is the error that the gateway answered with.
func refused(response *http.Response) error {
	var told struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.UnmarshalRead(io.LimitReader(response.Body, 1<<20), &told); err != nil || told.Error.Message == "" {
		return fmt.Errorf("%s answered %s", response.Request.URL.Host, response.Status)
	}
	return errors.New(told.Error.Message)
}

// query is the query of a URL, of what is not empty.
func query(members map[string]string) string {
	values := url.Values{}
	for name, value := range members {
		if value != "" {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}
