package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/judge"
	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/rights/jwt"
)

// who are the flags that say who may come in, and what they may do.
type who struct {
	kind, rules, deny, issuer, audience, types *string
}

func whoFlags(flags *flag.FlagSet) who {
	return who{
		kind:     flags.String("auth", "none", "who may come in: none; secret:FILE, whose trimmed text is the bearer token; jwks:URL, whose keys sign tokens, with --issuer, --audience and --rules; or rules, where --rules has the secrets"),
		rules:    flags.String("rules", "", "a file that says who may do what, read again when it changes; see docs/OPERATING.md"),
		deny:     flags.String("deny", "", "a file of principals, addresses and token ids that are kept out, read again when it changes"),
		issuer:   flags.String("issuer", "", "the issuer of tokens, exactly"),
		audience: flags.String("audience", "", "an audience that tokens are for"),
		types:    flags.String("token-types", "", "what the header typ of tokens may be, with commas between; by default JWT, at+jwt or nothing"),
	}
}

// auth reads them; rules are those of the file, where there is one. Nobody gets an open server on a public address by mistake.
func (w who) auth(addr string) (auth server.Auth, rules *rights.Rules, err error) {
	switch {
	case *w.kind == "none", strings.HasPrefix(*w.kind, "secret:"):
		if *w.rules != "" {
			return nil, nil, errors.New("--rules is for --auth rules and --auth jwks:URL: who is nobody, or everybody, has no rights of his own")
		}
		if auth, err = authOf(*w.kind, addr); err != nil {
			return nil, nil, err
		}
	case *w.kind == "rules", strings.HasPrefix(*w.kind, "jwks:"):
		if *w.rules == "" {
			return nil, nil, fmt.Errorf("--auth %s comes with --rules FILE: what no rule gives is denied", *w.kind)
		}
		var tokens rights.Tokens
		if url, is := strings.CutPrefix(*w.kind, "jwks:"); is {
			c := jwt.Config{URL: url, Issuer: *w.issuer, Audience: *w.audience}
			if *w.types != "" {
				c.Types = strings.Split(strings.ToLower(*w.types), ",")
			}
			if tokens, err = jwt.New(c); err != nil {
				return nil, nil, err
			}
		}
		if rules, err = rights.LoadRules(*w.rules, tokens); err != nil {
			return nil, nil, err
		}
		auth = rules
	default:
		return nil, nil, fmt.Errorf("--auth is none, secret:FILE, jwks:URL or rules, not %q", *w.kind)
	}
	if *w.deny != "" {
		if auth, err = rights.LoadDenied(*w.deny, auth); err != nil {
			return nil, nil, err
		}
	}
	return auth, rules, nil
}

// authOf reads what needs no rules.
func authOf(spec, addr string) (server.Auth, error) {
	if spec == "none" {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, fmt.Errorf("--addr %s: %w", addr, err)
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return nil, fmt.Errorf("--auth none is for loopback addresses only; name a secret to listen at %s", addr)
		}
		return server.None(), nil
	}
	secret, err := secretIn(strings.TrimPrefix(spec, "secret:"))
	if err != nil {
		return nil, err
	}
	return server.Secret(secret), nil
}

// secretIn is the trimmed text of a file.
func secretIn(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", fmt.Errorf("the secret in %s is empty", file)
	}
	return secret, nil
}

// judgeOf is the back end that is asked about actions; nil where there is none.
func judgeOf(url, secret string) (server.Judge, error) {
	switch {
	case url == "" && secret == "":
		return nil, nil
	case url == "" || secret == "":
		return nil, errors.New("--judge and --judge-secret come together: what is asked is signed")
	}
	text, err := secretIn(secret)
	if err != nil {
		return nil, err
	}
	hook, err := judge.New(url, []byte(text))
	if err != nil {
		return nil, fmt.Errorf("--judge: %w", err)
	}
	return hook.Judge, nil
}
