// Package jwt tells who bears a JSON Web Token, by the keys that an identity provider publishes.
package jwt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/rights"
)

// Config says which tokens are taken.
type Config struct {
	URL      string   // of the key set
	Issuer   string   // exactly
	Audience string   // one of the token's
	Types    []string // of the header typ; empty: none, JWT and at+jwt
}

// Tokens implements rights.Tokens.
type Tokens struct {
	keys   jwkset.Storage
	parser *jwt.Parser
	types  []string
	stop   func()
}

const (
	maxKeys   = 1 << 20          // bytes of a key set
	fetchTime = 5 * time.Second  // for which a key set may take
	lookTime  = 3 * time.Second  // for which a request waits for an unknown key
	unknown   = 30 * time.Second // between two looks for keys that are not known
	refresh   = time.Hour
	leeway    = 30 * time.Second // that clocks differ
)

// methods are those that are taken: what a public key alone can check.
var methods = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// New fetches the keys, in the background where they do not come at once, and again every hour and where a token names one that is not known.
func New(c Config) (*Tokens, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fmt.Errorf("%q is no https URL of a key set", c.URL)
	}
	if c.Issuer == "" || c.Audience == "" {
		return nil, errors.New("a key set comes with an issuer and an audience: without them the tokens of other services would be taken")
	}
	if len(c.Types) == 0 {
		c.Types = []string{"", "jwt", "at+jwt"}
	}
	ctx, stop := context.WithCancel(context.Background())
	failed := func(_ context.Context, err error) {
		slog.Error("the key set could not be fetched", "error", err)
	}
	store, err := jwkset.NewStorageFromHTTP(c.URL, jwkset.HTTPClientStorageOptions{
		Client: &http.Client{Transport: bounded{}, Timeout: fetchTime}, Ctx: ctx, HTTPTimeout: fetchTime, NoErrorReturnFirstHTTPReq: true,
		RefreshInterval: refresh, RefreshErrorHandler: failed,
	})
	if err == nil {
		store, err = jwkset.NewHTTPClient(jwkset.HTTPClientOptions{
			HTTPURLs: map[string]jwkset.Storage{c.URL: store}, RateLimitWaitMax: time.Millisecond, RefreshUnknownKID: rate.NewLimiter(rate.Every(unknown), 2),
		})
	}
	if err != nil {
		stop()
		return nil, fmt.Errorf("the key set of %s: %w", c.URL, err)
	}
	parser := jwt.NewParser(jwt.WithValidMethods(methods), jwt.WithIssuer(c.Issuer), jwt.WithAudience(c.Audience), jwt.WithExpirationRequired(),
		jwt.WithLeeway(leeway), jwt.WithStrictDecoding())
	return &Tokens{keys: store, parser: parser, types: c.Types, stop: stop}, nil
}

// Close stops looking for keys.
func (t *Tokens) Close() { t.stop() }

func loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// bounded cuts answers that are too long.
type bounded struct{}

func (bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxKeys)
	}
	return resp, err
}

// Bearer tells who bears a token. Where no key is known yet, that cannot be told now, and is no refusal.
func (t *Tokens) Bearer(r *http.Request, token string) (rights.Principal, error) {
	claims := jwt.MapClaims{}
	ctx, cancel := context.WithTimeout(r.Context(), lookTime)
	defer cancel()
	parsed, err := t.parser.ParseWithClaims(token, claims, func(token *jwt.Token) (any, error) { return t.key(ctx, token) })
	if err != nil || !parsed.Valid {
		if all, kerr := t.keys.KeyReadAll(ctx); kerr != nil || len(all) == 0 {
			return rights.Principal{}, &action.Error{Code: action.CodeUnavailable, Message: "the identity provider's keys are not known yet"}
		}
		return rights.Principal{}, rights.ErrUnauthorized
	}
	sub, _ := claims.GetSubject()
	until, _ := claims.GetExpirationTime()
	if sub == "" || len(sub) > 256 || strings.HasPrefix(sub, rights.SecretPrefix) || until == nil {
		return rights.Principal{}, rights.ErrUnauthorized
	}
	id, _ := claims["jti"].(string)
	return rights.Principal{Subject: sub, Until: until.Time, Claims: claims, TokenID: id}, nil
}

// key finds the key that a token names, where it is one for signatures of the token's kind.
func (t *Tokens) key(ctx context.Context, token *jwt.Token) (any, error) {
	typ, _ := token.Header["typ"].(string)
	if !slices.Contains(t.types, strings.ToLower(typ)) {
		return nil, errors.New("the token is of another type")
	}
	kid, is := token.Header["kid"].(string)
	if !is || len(kid) > 256 {
		return nil, errors.New("the token names no key")
	}
	found, err := t.keys.KeyRead(ctx, kid)
	if err != nil {
		return nil, err
	}
	m := found.Marshal()
	if m.KTY == jwkset.KtyOct || m.USE == jwkset.UseEnc || m.ALG != "" && string(m.ALG) != token.Method.Alg() {
		return nil, errors.New("the key is for something else")
	}
	return found.Key(), nil
}
