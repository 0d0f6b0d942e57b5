package rights

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// pattern names streams: segments between slashes, * for any one, ** at the end for one or more, and {claim} for what the token says of its bearer. A claim
// is taken as it is: one with a slash or a star in it names no stream.
type pattern []string

// Pattern gives what tells whether a stream is one of a pattern's, which names no claims.
func Pattern(text string) (func(stream string) bool, error) {
	p, err := parsePattern(text)
	if err == nil && p.claims() {
		err = errors.New("names a claim")
	}
	if err != nil {
		return nil, fmt.Errorf("the pattern %q %w", text, err)
	}
	return func(stream string) bool { return p.matches(stream, nobody) }, nil
}

func parsePattern(text string) (pattern, error) {
	if text == "" {
		return nil, errors.New("is empty")
	}
	p := pattern(strings.Split(text, "/"))
	for i, s := range p {
		switch {
		case s == "":
			return nil, errors.New("has an empty segment")
		case s == "**" && i < len(p)-1:
			return nil, errors.New("has ** before its end")
		case s != "*" && s != "**" && strings.Contains(s, "*"):
			return nil, errors.New("has a * beside other characters")
		case strings.ContainsAny(s, "{}") && (strings.Count(s, "{") != 1 || !strings.HasPrefix(s, "{") || !strings.HasSuffix(s, "}") || len(s) < 3):
			return nil, errors.New("has a claim that is no {name} by itself")
		}
	}
	return p, nil
}

// claims tells whether it names any.
func (p pattern) claims() bool {
	return slices.ContainsFunc(p, func(s string) bool { return strings.HasPrefix(s, "{") })
}

// own tells whether it names streams by their bearer.
func (p pattern) own() bool { return slices.Contains(p, "{sub}") }

// matches tells whether a stream is one of the pattern's, for who bears the claims.
func (p pattern) matches(stream string, claim func(name string) (string, bool)) bool {
	for i, want := range p {
		if want == "**" {
			return stream != ""
		}
		segment, rest, more := strings.Cut(stream, "/")
		if segment == "" || more != (i < len(p)-1) {
			return false
		}
		if name, is := strings.CutPrefix(want, "{"); is {
			value, there := claim(strings.TrimSuffix(name, "}"))
			if !there || value != segment {
				return false
			}
		} else if want != "*" && want != segment {
			return false
		}
		stream = rest
	}
	return true
}
