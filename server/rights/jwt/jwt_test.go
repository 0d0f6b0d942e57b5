package jwt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/tests/patience"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func rsaJWK(kid string, key *rsa.PublicKey, more string) string {
	return fmt.Sprintf(`{"kty":"RSA","kid":"%s","n":"%s","e":"AQAB"%s}`, kid, b64(key.N.Bytes()), more)
}

// TestTokens has the tokens that are taken, and each kind that is not.
func TestTokens(t *testing.T) {
	one, _ := rsa.GenerateKey(rand.Reader, 2048)
	two, _ := rsa.GenerateKey(rand.Reader, 2048)
	curve, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	stranger, _ := rsa.GenerateKey(rand.Reader, 2048)
	var keys atomic.Value
	point, _ := curve.PublicKey.ECDH()
	xy := point.Bytes()[1:]
	ec := fmt.Sprintf(`{"kty":"EC","kid":"curve","crv":"P-256","x":"%s","y":"%s"}`, b64(xy[:32]), b64(xy[32:]))
	first := rsaJWK("one", &one.PublicKey, `,"alg":"RS256","use":"sig"`) + "," + ec + "," + rsaJWK("enc", &one.PublicKey, `,"use":"enc"`) + `,{"kty":"oct","kid":"oct","k":"` + b64([]byte("0123456789abcdef0123456789abcdef")) + `"}`
	keys.Store(first)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"keys":[%s]}`, keys.Load())
	}))
	defer provider.Close()
	tokens, err := New(Config{URL: provider.URL, Issuer: "https://id", Audience: "sync"})
	if err != nil {
		t.Fatal(err)
	}
	defer tokens.Close()
	bearer := func(token string) (string, error) {
		p, err := tokens.Bearer(httptest.NewRequest("GET", "/", nil), token)
		return p.Subject, err
	}
	claims := func(change func(jwt.MapClaims)) jwt.MapClaims {
		c := jwt.MapClaims{"sub": "ada", "iss": "https://id", "aud": []string{"sync", "other"}, "exp": time.Now().Add(time.Hour).Unix(), "jti": "17"}
		if change != nil {
			change(c)
		}
		return c
	}
	signed := func(m jwt.SigningMethod, key any, kid any, typ string, c jwt.MapClaims) string {
		t.Helper()
		token := jwt.NewWithClaims(m, c)
		token.Header["kid"], token.Header["typ"] = kid, typ
		if kid == nil {
			delete(token.Header, "kid")
		}
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	good := signed(jwt.SigningMethodRS256, one, "one", "JWT", claims(nil))
	patience.True(t, "the keys to be there", func() bool { sub, _ := bearer(good); return sub == "ada" })
	for name, token := range map[string]string{
		"a curve":      signed(jwt.SigningMethodES256, curve, "curve", "at+jwt", claims(nil)),
		"one audience": signed(jwt.SigningMethodRS256, one, "one", "", claims(func(c jwt.MapClaims) { c["aud"] = "sync" })),
	} {
		if sub, err := bearer(token); sub != "ada" || err != nil {
			t.Errorf("%s: %q, %v", name, sub, err)
		}
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(&one.PublicKey))})
	with := func(change func(jwt.MapClaims)) string {
		return signed(jwt.SigningMethodRS256, one, "one", "JWT", claims(change))
	}
	for name, token := range map[string]string{
		"alg none":                 signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "one", "JWT", claims(nil)),
		"HS with the public key":   signed(jwt.SigningMethodHS256, public, "one", "JWT", claims(nil)),
		"HS with a shared key":     signed(jwt.SigningMethodHS256, []byte("0123456789abcdef0123456789abcdef"), "oct", "JWT", claims(nil)),
		"another alg than the key": signed(jwt.SigningMethodRS512, one, "one", "JWT", claims(nil)),
		"a key for encryption":     signed(jwt.SigningMethodRS256, one, "enc", "JWT", claims(nil)),
		"a kid that is a path":     signed(jwt.SigningMethodRS256, stranger, "../../../etc/passwd", "JWT", claims(nil)),
		"a kid that is a number":   signed(jwt.SigningMethodRS256, one, 1, "JWT", claims(nil)),
		"no kid":                   signed(jwt.SigningMethodRS256, one, nil, "JWT", claims(nil)),
		"a stranger's key":         signed(jwt.SigningMethodRS256, stranger, "one", "JWT", claims(nil)),
		"another type":             signed(jwt.SigningMethodRS256, one, "one", "id+jwt", claims(nil)),
		"expired":                  with(func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Minute).Unix() }),
		"without an end":           with(func(c jwt.MapClaims) { delete(c, "exp") }),
		"not yet valid":            with(func(c jwt.MapClaims) { c["nbf"] = time.Now().Add(time.Minute).Unix() }),
		"another issuer":           with(func(c jwt.MapClaims) { c["iss"] = "https://id.evil" }),
		"no issuer":                with(func(c jwt.MapClaims) { delete(c, "iss") }),
		"another audience":         with(func(c jwt.MapClaims) { c["aud"] = "sync2" }),
		"no audience":              with(func(c jwt.MapClaims) { delete(c, "aud") }),
		"no sub":                   with(func(c jwt.MapClaims) { delete(c, "sub") }),
		"an empty sub":             with(func(c jwt.MapClaims) { c["sub"] = "" }),
		"a sub that is a number":   with(func(c jwt.MapClaims) { c["sub"] = 7 }),
		"a secret's name":          with(func(c jwt.MapClaims) { c["sub"] = "secret:backend" }),
		"64 KiB":                   with(func(c jwt.MapClaims) { c["sub"] = strings.Repeat("x", 64<<10) }),
		"a changed byte":           good[:len(good)-2] + "xx",
		"no token":                 "a.b.c",
	} {
		if sub, err := bearer(token); sub != "" || action.CodeOf(err) != action.CodeUnauthorized {
			t.Errorf("%s: %q, %v", name, sub, err)
		}
	}
	// Keys are replaced: a new one is found when a token names it, and goes on beside the old.
	keys.Store(first + "," + rsaJWK("two", &two.PublicKey, ""))
	rotated := signed(jwt.SigningMethodRS256, two, "two", "JWT", claims(nil))
	patience.True(t, "the new key to be found", func() bool { sub, _ := bearer(rotated); return sub == "ada" })
	if sub, err := bearer(good); sub != "ada" {
		t.Error(sub, err)
	}
	// The provider is gone: who is known stays known.
	provider.Close()
	if sub, err := bearer(good); sub != "ada" {
		t.Error(sub, err)
	}
}

// A provider that does not answer, or answers something else or too much, is no verdict on a token.
func TestAProviderThatFails(t *testing.T) {
	hold := make(chan struct{})
	for name, answer := range map[string]http.HandlerFunc{
		"slow":    func(http.ResponseWriter, *http.Request) { <-hold },
		"garbage": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"failing": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(strings.Repeat(" ", 1<<16))); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			provider := httptest.NewServer(answer)
			tokens, err := New(Config{URL: provider.URL, Issuer: "i", Audience: "a"})
			if err != nil {
				t.Fatal(err)
			}
			key, _ := rsa.GenerateKey(rand.Reader, 2048)
			token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"sub": "ada", "iss": "i", "aud": "a", "exp": time.Now().Add(time.Hour).Unix()})
			token.Header["kid"] = "x"
			text, _ := token.SignedString(key)
			if _, err := tokens.Bearer(httptest.NewRequest("GET", "/", nil), text); action.CodeOf(err) != action.CodeUnavailable {
				t.Errorf("%v", err)
			}
			tokens.Close()
			t.Cleanup(func() { provider.CloseClientConnections() })
		})
	}
	t.Cleanup(func() { close(hold) })
	for _, c := range []Config{{URL: "http://id.example/keys", Issuer: "i", Audience: "a"}, {URL: "/keys", Issuer: "i", Audience: "a"}, {URL: "https://id.example/keys", Audience: "a"}, {URL: "https://id.example/keys", Issuer: "i"}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
