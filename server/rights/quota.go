package rights

import (
	"fmt"
	"time"
)

// Quota is what of a principal's may be kept, and what it may have done; 0: as much as it likes. What several requests bring at once may pass it
// by what each of them brings.
type Quota struct {
	Streams int64 `json:"streams,omitempty"` // that it has begun
	Bytes   int64 `json:"bytes,omitempty"`   // of its actions that are kept in logs
	Data    int64 `json:"data,omitempty"`    // of its entries in data streams
	State   int64 `json:"state,omitempty"`   // of a stream's state, where it makes it larger
	Work    int64 `json:"work,omitempty"`    // a second, as state.Work counts it
}

// Retention is how much of a stream's log is kept once a checkpoint stands for it: the last entries, and those that are not older. Zero: all.
type Retention struct {
	Entries uint64
	Age     time.Duration
}

// quotaRule is a quota of those who bear a secret, or claims; of all bearers of a token where it names neither.
type quotaRule struct {
	Secret string            `json:"secret,omitempty"`
	Claims map[string]string `json:"claims,omitempty"`
	Quota
}

// retentionRule says how long streams are kept.
type retentionRule struct {
	Streams []string `json:"streams"`
	Entries uint64   `json:"entries,omitempty"`
	Days    float64  `json:"days,omitempty"`
	streams []pattern
}

// schemaRule says of which version on clients' code may append to streams.
type schemaRule struct {
	Streams []string `json:"streams"`
	Min     int      `json:"min"`
	streams []pattern
}

func (set *ruleSet) checkLimits() error {
	for i := range set.Quotas {
		q := &set.Quotas[i]
		if _, known := set.Secrets[q.Secret]; q.Secret != "" && !known {
			return fmt.Errorf("/quotas/%d/secret names no secret", i)
		}
		if q.Secret != "" && len(q.Claims) > 0 {
			return fmt.Errorf("/quotas/%d names a secret and claims", i)
		}
		if min(q.Streams, q.Bytes, q.Data, q.State, q.Work) < 0 || q.Quota == (Quota{}) {
			return fmt.Errorf("/quotas/%d has no limit, or one below 0", i)
		}
	}
	for i := range set.Retention {
		r := &set.Retention[i]
		if len(r.Streams) == 0 || r.Entries == 0 && r.Days == 0 || r.Days < 0 {
			return fmt.Errorf("/retention/%d has no streams, or neither entries nor days", i)
		}
		var err error
		if r.streams, err = logPatterns(fmt.Sprintf("/retention/%d", i), r.Streams); err != nil {
			return err
		}
	}
	for i := range set.Schemas {
		r := &set.Schemas[i]
		if len(r.Streams) == 0 || r.Min < 1 || r.Min > mostSchema {
			return fmt.Errorf("/schemas/%d has no streams, or no min from 1 to 1,000,000,000", i)
		}
		var err error
		if r.streams, err = logPatterns(fmt.Sprintf("/schemas/%d", i), r.Streams); err != nil {
			return err
		}
	}
	return nil
}

// mostSchema is the highest version of clients' code, as the protocol has it.
const mostSchema = 1_000_000_000

// logPatterns reads patterns of logs, which nobody bears.
func logPatterns(at string, texts []string) (out []pattern, err error) {
	for j, text := range texts {
		p, err := parsePattern(text)
		if err != nil {
			return nil, fmt.Errorf("%s/streams/%d %w", at, j, err)
		}
		if p.claims() {
			return nil, fmt.Errorf("%s/streams/%d names a claim: a log has no bearer", at, j)
		}
		out = append(out, p)
	}
	return out, nil
}

// MinSchema gives a stream's: the first of the file that names it.
func (rs *Rules) MinSchema(stream string) int {
	set := rs.file.Get()
	for i := range set.Schemas {
		for _, p := range set.Schemas[i].streams {
			if p.matches(stream, nobody) {
				return set.Schemas[i].Min
			}
		}
	}
	return 0
}

// Quota gives a principal's: the first of the file that is for it.
func (rs *Rules) Quota(p Principal) Quota {
	set := rs.file.Get()
	secret, isSecret := secretOf(p)
	for i := range set.Quotas {
		if q := &set.Quotas[i]; isSecret == (q.Secret != "") && (!isSecret || q.Secret == secret) && bears(p, q.Claims) {
			return q.Quota
		}
	}
	return Quota{}
}

// Retention gives a stream's: the first of the file that names it.
func (rs *Rules) Retention(stream string) Retention {
	set := rs.file.Get()
	for i := range set.Retention {
		r := &set.Retention[i]
		for _, p := range r.streams {
			if p.matches(stream, nobody) {
				return Retention{Entries: r.Entries, Age: time.Duration(r.Days * float64(24*time.Hour))}
			}
		}
	}
	return Retention{}
}

// nobody bears no claims.
func nobody(string) (string, bool) { return "", false }

// Theirs tells whether the rules call a stream a principal's own: a pattern names it by the subject.
func (rs *Rules) Theirs(subject, stream string) bool {
	set, p := rs.file.Get(), Principal{Subject: subject}
	for i := range set.Rules {
		for _, pattern := range set.Rules[i].streams {
			if pattern.own() && pattern.matches(stream, p.Claim) {
				return true
			}
		}
	}
	return false
}
