package rights

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/reread"
)

// Rules are who may do what to which streams, as a file says it:
//
//	{
//	  "secrets": {"backend": {"sha256": "…"}, "browsers": {"secret": "…"}},
//	  "rules": [
//	    {"secret": "backend", "streams": ["**"], "may": ["read", "append", "delete", "list"]},
//	    {"claims": {"role": "admin"}, "streams": ["**"], "may": ["read", "list"]},
//	    {"streams": ["user/{sub}/**"], "may": ["read", "append", "delete"]}
//	  ],
//	  "quotas": [{"claims": {"plan": "free"}, "streams": 100, "bytes": 100000000, "data": 100000000, "state": 4000000, "work": 4000000}],
//
// XX	}
//
// A rule holds for who bears its secret, or a token with all its claims; one that names neither, for every bearer of a token. What no rule gives is
// denied. The first quota that is for somebody holds, and the first retention, and the first of the schemas, that names a stream; without one
// there is no limit. The file is read again when it changes; where it is broken then, the last good one holds.
type Rules struct {
	file   *reread.Files[*ruleSet]
	tokens Tokens
}

// Tokens tells who bears a token that is no shared secret; an unauthorized error where nobody can be told.
type Tokens interface {
	Bearer(r *http.Request, token string) (Principal, error)
}

type ruleSet struct {
	Secrets map[string]namedSecret `json:"secrets"`
	Rules   []rule                 `json:"rules"`

	Quotas    []quotaRule     `json:"quotas,omitempty"`
	Retention []retentionRule `json:"retention,omitempty"`
	Schemas   []schemaRule    `json:"schemas,omitempty"`
}

type namedSecret struct {
	Secret string `json:"secret,omitempty"`
	SHA256 string `json:"sha256,omitempty"` // of it, so that the file does not hold it
	sum    [sha256.Size]byte
}

type rule struct {
	Secret  string            `json:"secret,omitempty"`
	Claims  map[string]string `json:"claims,omitempty"`
	Streams []string          `json:"streams"`
	May     []Right           `json:"may"`
	streams []pattern
}

// SecretPrefix stands before the name of a shared secret where a principal is one: no token's subject begins with it.
const SecretPrefix = "secret:"

// LoadRules reads the file. tokens may be nil: then there are shared secrets alone.
func LoadRules(path string, tokens Tokens) (*Rules, error) {
	f, err := reread.Open(readRules, path)
	if err != nil {
		return nil, fmt.Errorf("the rules in %s: %w", path, err)
	}
	return &Rules{file: f, tokens: tokens}, nil
}

// OnRead has heard told when the file was read again; an error: it is broken or gone, and what it said before holds.
func (rs *Rules) OnRead(heard func(error)) { rs.file.Heard = heard }

func readRules(texts [][]byte) (*ruleSet, error) {
	d := json.NewDecoder(bytes.NewReader(texts[0]))
	d.DisallowUnknownFields()
	set := new(ruleSet)
	if err := d.Decode(set); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("there is something behind the rules")
	}
	for name, s := range set.Secrets {
		switch {
		case name == "" || (s.Secret == "") == (s.SHA256 == ""):
			return nil, fmt.Errorf("/secrets/%s has not one of secret and sha256", name)
		case s.Secret != "" && len(s.Secret) < 16:
			return nil, fmt.Errorf("/secrets/%s is shorter than 16 characters", name)
		case s.Secret != "":
			s.sum = sha256.Sum256([]byte(s.Secret))
		default:
			sum, err := hex.DecodeString(s.SHA256)
			if err != nil || len(sum) != sha256.Size {
				return nil, fmt.Errorf("/secrets/%s/sha256 is no SHA-256 in hexadecimal", name)
			}
			copy(s.sum[:], sum)
		}
		set.Secrets[name] = s
	}
	for i := range set.Rules {
		r := &set.Rules[i]
		if _, known := set.Secrets[r.Secret]; r.Secret != "" && !known {
			return nil, fmt.Errorf("/rules/%d/secret names no secret", i)
		}
		if r.Secret != "" && len(r.Claims) > 0 {
			return nil, fmt.Errorf("/rules/%d names a secret and claims", i)
		}
		if len(r.Streams) == 0 || len(r.May) == 0 {
			return nil, fmt.Errorf("/rules/%d has no streams, or nothing that may be done", i)
		}
		for j, text := range r.Streams {
			p, err := parsePattern(text)
			if err != nil {
				return nil, fmt.Errorf("/rules/%d/streams/%d %w", i, j, err)
			}
			r.streams = append(r.streams, p)
		}
		for j, right := range r.May {
			if !slices.Contains([]Right{Read, Append, Delete, List}, right) {
				return nil, fmt.Errorf("/rules/%d/may/%d is none of read, append, delete, list", i, j)
			}
		}
	}
	if err := set.checkLimits(); err != nil {
		return nil, err
	}
	return set, nil
}

// Authenticate tells whose token the request bears.
func (rs *Rules) Authenticate(r *http.Request) (Principal, error) {
	token, err := Token(r)
	if err != nil {
		return Principal{}, err
	}
	sum, found := sha256.Sum256([]byte(token)), ""
	for name, s := range rs.file.Get().Secrets { // each is compared: how long it takes tells nothing
		if subtle.ConstantTimeCompare(sum[:], s.sum[:]) == 1 {
			found = name
		}
	}
	if found != "" {
		return Principal{Subject: SecretPrefix + found}, nil
	}
	if rs.tokens == nil {
		return Principal{}, ErrUnauthorized
	}
	return rs.tokens.Bearer(r, token)
}

// Allow tells whether a rule gives a right.
func (rs *Rules) Allow(p Principal, stream string, right Right) bool {
	set := rs.file.Get()
	secret, isSecret := secretOf(p)
	if _, known := set.Secrets[secret]; isSecret && !known {
		return false // it was taken away
	}
	for i := range set.Rules {
		r := &set.Rules[i]
		if !slices.Contains(r.May, right) || isSecret != (r.Secret != "") || isSecret && r.Secret != secret || !bears(p, r.Claims) {
			continue
		}
		for _, pattern := range r.streams {
			if pattern.matches(stream, p.Claim) {
				return true
			}
		}
	}
	return false
}

// secretOf is the name of the shared secret that a principal is.
func secretOf(p Principal) (string, bool) { return strings.CutPrefix(p.Subject, SecretPrefix) }

func bears(p Principal, claims map[string]string) bool {
	for name, want := range claims {
		if !p.has(name, want) {
			return false
		}
	}
	return true
}

// Claim gives a claim of the principal's token that is one text; its subject is "sub".
func (p Principal) Claim(name string) (string, bool) {
	if name == "sub" {
		return p.Subject, p.Subject != ""
	}
	text, is := p.Claims[name].(string)
	return text, is && text != ""
}

// has tells whether a claim is a text, or a list that holds it.
func (p Principal) has(name, want string) bool {
	if text, is := p.Claim(name); is {
		return text == want
	}
	list, _ := p.Claims[name].([]any)
	return slices.Contains(list, any(want))
}

// ErrUnauthorized says that nobody can be told.
var ErrUnauthorized = &action.Error{Code: action.CodeUnauthorized, Message: "a valid bearer token is needed"}

// maxToken is how long a token may be.
const maxToken = 16 << 10

// Token takes the bearer token out of a request.
func Token(r *http.Request) (string, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "bearer") || token == "" || len(token) > maxToken {
		return "", ErrUnauthorized
	}
	return token, nil
}
