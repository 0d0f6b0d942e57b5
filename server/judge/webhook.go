// Package judge asks a back end that is not in Go what it thinks of actions: a webhook.
package judge

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/actions"
)

// Limits of what is asked and answered.
const (
	DefaultTimeout = 2 * time.Second // of one question
	maxAsked       = 64              // questions at a time: who comes then waits, as long as an answer may take
	maxAnswer      = 1 << 20         // bytes
	maxWords       = 1000            // bytes of a refusal's
)

// Signature is the header that proves who asks: t=SECONDS,v1=HEX, where HEX is HMAC-SHA256 of SECONDS, a dot and the body, under the shared secret.
const Signature = "Strandline-Signature"

// Webhook asks the back end at a URL. The question is a POST of JSON:
//
//	{"actions": [ACTION, …], "principal": {"claims": {…}, "subject": "ada"}, "stream": "todos"}
//
// and the answer a 200 of JSON, which names what is refused for good, with a code and words for its author (forbidden, without a code); all others are taken:
//
//	{"refused": [{"id": "…", "code": "invalid", "message": "too late"}]}
//
// Whatever else comes, or does not come in time, decides nothing: the clients offer it again.
type Webhook struct {
	URL     string
	Secret  []byte
	Timeout time.Duration // 0: DefaultTimeout

	Now  func() time.Time // nil: time.Now
	http http.Client
	asks chan struct{}
}

// New makes a webhook; its URL is an absolute one of http or https.
func New(at string, secret []byte) (*Webhook, error) {
	u, err := url.Parse(at)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, fmt.Errorf("%q is no URL of http or https, without a user", at)
	}
	if len(secret) < 16 {
		return nil, errors.New("the judge's secret is shorter than 16 characters")
	}
	w := &Webhook{URL: at, Secret: secret, asks: make(chan struct{}, maxAsked)}
	w.http = http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // claims go nowhere else
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxConnsPerHost: maxAsked, MaxIdleConnsPerHost: maxAsked, IdleConnTimeout: 90 * time.Second,
			ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10},
	}
	return w, nil
}

// Judge implements actions.Judge.
func (w *Webhook) Judge(ctx context.Context, b *actions.Batch) ([]*action.Error, error) {
	timeout := w.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	select {
	case w.asks <- struct{}{}:
		defer func() { <-w.asks }()
	case <-ctx.Done():
		return nil, errors.New("too many questions at a time")
	}
	body, err := w.ask(ctx, question(b))
	if err != nil {
		return nil, err
	}
	return read(body, b)
}

// question writes what is asked; the actions' bytes are those that would be stored.
func question(b *actions.Batch) []byte {
	claims := b.Principal.Claims
	if claims == nil {
		claims = map[string]any{}
	}
	principal, _ := json.Marshal(map[string]any{"subject": b.Principal.Subject, "claims": claims}) // they came out of JSON
	stream, _ := json.Marshal(b.Stream)
	out := []byte(`{"actions":[`)
	for i, a := range b.Actions {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, a.Raw...)
	}
	out = append(append(out, `],"principal":`...), principal...)
	out = append(append(out, `,"stream":`...), stream...)
	return append(out, '}')
}

func (w *Webhook) ask(ctx context.Context, question []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	now := time.Now
	if w.Now != nil {
		now = w.Now
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "strandline")
	req.Header.Set(Signature, Sign(w.Secret, now(), question))
	resp, err := w.http.Do(req)
	if err != nil {
		var e *url.Error // its text has the address
		if errors.As(err, &e) {
			err = e.Err
		}
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxAnswer {
		return nil, errors.New("its answer is too large")
	}
	return body, nil
}

// Sign gives the value of the header Signature. A back end compares it in constant time, and the seconds with its own clock.
func Sign(secret []byte, now time.Time, body []byte) string {
	seconds := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(seconds + "."))
	mac.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

var codes = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

// read gives the refusals in the order of the actions. An answer that is not understood whole is none.
func read(body []byte, b *actions.Batch) ([]*action.Error, error) {
	var answer struct {
		Refused *[]struct {
			ID      string `json:"id"`
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"refused"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("its answer: %w", err)
	}
	if answer.Refused == nil {
		return nil, errors.New("its answer has no refused")
	}
	at := make(map[string]int, len(b.Actions))
	for i, a := range b.Actions {
		at[a.ID.String()] = i
	}
	out := make([]*action.Error, len(b.Actions))
	for _, r := range *answer.Refused {
		i, known := at[r.ID]
		switch {
		case !known:
			return nil, errors.New("its answer refuses an action that was not asked about")
		case r.Code == "":
			r.Code = action.CodeForbidden
		case !codes.MatchString(r.Code) || r.Code == action.CodeUnavailable || r.Code == action.CodeInternal || r.Code == action.CodeRateLimited:
			return nil, errors.New("its answer has a code that refuses nothing for good")
		}
		if r.Message == "" {
			r.Message = "it was refused without words"
		}
		if len(r.Message) > maxWords {
			r.Message = string(bytes.ToValidUTF8([]byte(r.Message[:maxWords]), nil))
		}
		out[i] = &action.Error{Code: r.Code, Message: r.Message}
	}
	return out, nil
}
