package passport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TokenSource gives the token of a call. It is asked for each call and each stream, from any goroutine.
type TokenSource interface {
	Token(ctx context.Context) (string, error)
}

// StaticToken is a token that does not change.
type StaticToken string

// Token returns the token.
func (t StaticToken) Token(context.Context) (string, error) { return string(t), nil }

// FileToken reads the token from a file for each call, because who wrote it may write it anew: the projected token of
// a service account in Kubernetes, a mounted secret.
type FileToken string

// Token returns what the file holds now.
func (t FileToken) Token(context.Context) (string, error) {
	content, err := os.ReadFile(string(t))
	return strings.TrimSpace(string(content)), err
}

// OIDCClient asks an identity provider for tokens with the client credentials of OAuth 2.0, and for a new one before
// the old one ends.
type OIDCClient struct {
	// TokenURL is the token endpoint of the provider.
	TokenURL string
	// ClientID and ClientSecret are the credentials of this client.
	ClientID, ClientSecret string
	// Audience and Scope are sent where they are set.
	Audience, Scope string
	// HTTPClient makes the requests; nil means http.DefaultClient.
	HTTPClient *http.Client

	mutex    sync.Mutex
	token    string
	ends     time.Time
	renewing time.Time
}

const longestTokenAnswer = 64 * 1024

// Token returns a token that has not ended. A provider that fails is no trouble while the token before is good.
func (c *OIDCClient) Token(ctx context.Context) (string, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	now := time.Now()
	if c.token != "" && now.Before(c.renewing) {
		return c.token, nil
	}
	token, lifetime, err := c.ask(ctx)
	if err != nil {
		if c.token != "" && now.Before(c.ends) {
			return c.token, nil
		}
		return "", err
	}
	// A fifth of the lifetime is left to try again in.
	c.token, c.ends, c.renewing = token, now.Add(lifetime), now.Add(lifetime*4/5)
	return token, nil
}

func (c *OIDCClient) ask(ctx context.Context) (string, time.Duration, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	for name, value := range map[string]string{"audience": c.Audience, "scope": c.Scope} {
		if value != "" {
			form.Set(name, value)
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(c.ClientSecret))
	client := c.HTTPClient
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(request)
	if err != nil {
		return "", 0, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(io.LimitReader(answer.Body, longestTokenAnswer))
	if err != nil {
		return "", 0, err
	}
	return tokenOf(answer.StatusCode, content)
}

func tokenOf(code int, content []byte) (string, time.Duration, error) {
	var said struct {
		AccessToken string  `json:"access_token"`
		IDToken     string  `json:"id_token"`
		ExpiresIn   float64 `json:"expires_in"`
		Error       string  `json:"error"`
	}
	if err := json.Unmarshal(content, &said); err != nil && code == http.StatusOK {
		return "", 0, fmt.Errorf("the identity provider's answer is not JSON: %w", err)
	}
	switch {
	case code >= 400 && code < 500 && code != http.StatusTooManyRequests:
		return "", 0, status.Errorf(codes.Unauthenticated, "the identity provider refuses the client: %d %.100s", code, said.Error)
	case code != http.StatusOK:
		return "", 0, fmt.Errorf("the identity provider answers with %d", code)
	case said.IDToken != "":
		said.AccessToken = said.IDToken
	case said.AccessToken == "":
		return "", 0, errors.New("the identity provider's answer holds no token")
	}
	return said.AccessToken, time.Duration(said.ExpiresIn * float64(time.Second)), nil
}

// perCall puts the token of a source on each call.
type perCall struct {
	source TokenSource
	secure bool
}

const longestToken = 8192

var sendable = regexp.MustCompile(`^[\x21-\x7e]+$`)

func (p perCall) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := p.source.Token(ctx)
	if status.Code(err) == codes.Unauthenticated {
		return nil, err
	}
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "no token can be had now: %v", err)
	}
	if len(token) > longestToken || !sendable.MatchString(token) {
		return nil, status.Error(codes.Unauthenticated, "the token is empty or has characters that a token cannot have")
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

func (p perCall) RequireTransportSecurity() bool { return p.secure }
