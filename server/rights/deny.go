package rights

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/reread"
)

// Denied keeps those out whom a file names, a line each:
//
//	principal NAME
//	address 192.0.2.1 or 192.0.2.0/24
//	token ID
//
// The file is read again when it changes; what is open then ends within a heartbeat.
type Denied struct {
	Auth
	file *reread.Files[*denials]
}

type denials struct {
	principals, tokens map[string]bool
	addresses          []netip.Prefix
}

// LoadDenied reads the file, for those whom an Auth lets in.
func LoadDenied(path string, auth Auth) (*Denied, error) {
	f, err := reread.Open(readDenials, path)
	if err != nil {
		return nil, fmt.Errorf("who is denied, in %s: %w", path, err)
	}
	return &Denied{auth, f}, nil
}

func readDenials(texts [][]byte) (*denials, error) {
	d := &denials{principals: map[string]bool{}, tokens: map[string]bool{}}
	n := 0
	for lines := bufio.NewScanner(bytes.NewReader(texts[0])); lines.Scan(); {
		n++
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		kind, what, _ := strings.Cut(line, " ")
		what = strings.TrimSpace(what)
		switch {
		case what == "":
			return nil, fmt.Errorf("line %d names nobody", n)
		case kind == "principal":
			d.principals[what] = true
		case kind == "token":
			d.tokens[what] = true
		case kind == "address":
			prefix, err := netip.ParsePrefix(what)
			if one, oerr := netip.ParseAddr(what); err != nil && oerr == nil {
				prefix, err = one.Prefix(one.BitLen())
			}
			if err != nil {
				return nil, fmt.Errorf("line %d: %q is no address", n, what)
			}
			d.addresses = append(d.addresses, prefix)
		default:
			return nil, fmt.Errorf("line %d begins with none of principal, address, token", n)
		}
	}
	return d, nil
}

// OnRead has heard told when the file was read again; an error: it is broken or gone, and what it said before holds.
func (d *Denied) OnRead(heard func(error)) { d.file.Heard = heard }

// Authenticate tells who asks, where nobody has denied it.
func (d *Denied) Authenticate(r *http.Request) (Principal, error) {
	p, err := d.Auth.Authenticate(r)
	if err != nil {
		return p, err
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	p.Address, _ = netip.ParseAddr(host)
	if d.denies(p) {
		return Principal{}, &action.Error{Code: action.CodeForbidden, Message: "the operator does not let you in"}
	}
	return p, nil
}

// Allow tells whether a principal has a right to a stream, and still may be here.
func (d *Denied) Allow(p Principal, stream string, right Right) bool {
	return !d.denies(p) && d.Auth.Allow(p, stream, right)
}

func (d *Denied) denies(p Principal) bool {
	all := d.file.Get()
	if all.principals[p.Subject] || p.TokenID != "" && all.tokens[p.TokenID] {
		return true
	}
	for _, prefix := range all.addresses {
		if p.Address.IsValid() && prefix.Contains(p.Address.Unmap()) {
			return true
		}
	}
	return false
}
