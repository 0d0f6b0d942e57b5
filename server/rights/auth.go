package rights

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"time"
)

// Principal is who asks.
type Principal struct {
	Subject string    // stands beside every entry that it writes
	Until   time.Time // when its token ends, and with it what waits for news; zero for never

	Claims  map[string]any // of its token
	TokenID string         // of its token, where it has one
	Address netip.Addr     // from which it asks, where that is looked at
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

// Secret lets those in who bear one shared secret: they may read and append, and neither delete nor list. Every page that has it is one of them.
func Secret(secret string) Auth { return shared(sha256.Sum256([]byte(secret))) }

type shared [sha256.Size]byte

func (s shared) Authenticate(r *http.Request) (Principal, error) {
	token, err := Token(r)
	got := sha256.Sum256([]byte(token))
	if err != nil || subtle.ConstantTimeCompare(got[:], s[:]) != 1 {
		return Principal{}, ErrUnauthorized
	}
	return Principal{Subject: "secret"}, nil
}

func (shared) Allow(_ Principal, _ string, right Right) bool { return right == Read || right == Append }
