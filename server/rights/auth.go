package rights

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"github.com/strandline-sync/strandline/core/action"
)

// Principal is who asks.
type Principal struct {
	Subject string    // stands beside every entry that it writes
	Until   time.Time // when its token ends, and with it what waits for news; zero for never
}

// Right is what a principal may do with a stream.
type Right string

// The rights.
const (
	Read   Right = "read"
	Append Right = "append"
	Delete Right = "delete"
	List   Right = "list" // that its name and head are told with those of others
)

// Auth is the two questions of every request. It denies by default: a nil answer to either is a no.
type Auth interface {
	// Authenticate tells who asks; an unauthorized *action.Error where nobody can be told.
	Authenticate(r *http.Request) (Principal, error)
	// Allow tells whether a principal has a right to a stream.
	Allow(p Principal, stream string, right Right) bool
}

// None lets everybody do everything. It is for loopback addresses only.
func None() Auth { return none{} }

type none struct{}

func (none) Authenticate(*http.Request) (Principal, error) { return Principal{}, nil }
func (none) Allow(Principal, string, Right) bool           { return true }

// Secret lets those in who bear one shared secret.
func Secret(secret string) Auth { return shared(sha256.Sum256([]byte(secret))) }

type shared [sha256.Size]byte

func (s shared) Authenticate(r *http.Request) (Principal, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	got := sha256.Sum256([]byte(token))
	if !strings.EqualFold(scheme, "bearer") || subtle.ConstantTimeCompare(got[:], s[:]) != 1 {
		return Principal{}, &action.Error{Code: action.CodeUnauthorized, Message: "a valid bearer token is needed"}
	}
	return Principal{Subject: "secret"}, nil
}

func (shared) Allow(Principal, string, Right) bool { return true }

// Open tells whether an Auth knows nobody, and lets everybody in.
func Open(a Auth) bool {
	_, open := a.(none)
	return open
}
