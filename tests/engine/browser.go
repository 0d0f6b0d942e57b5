package engine

import (
	"context"
	"fmt"
)

// Browser is one with a profile.
type Browser struct {
	*Process
	control *Page // opens the others
}

// Start starts a browser over a profile directory, which may have been used before.
func Start(ctx context.Context, name, profile string) (*Browser, error) {
	h := theHome()
	b := &Browser{control: h.page()}
	var err error
	if b.Process, err = Launch(name, profile, fmt.Sprintf("%s/#__tab=%d", h.url, b.control.ID)); err != nil {
		return nil, err
	}
	if err := b.control.wait(ctx, func() bool { return b.control.conn != nil }); err != nil {
		b.Kill()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return b, nil
}

// Open opens a page in a window of its own, that nothing else has a handle of.
func (b *Browser) Open(ctx context.Context, url string) (*Page, error) {
	p := theHome().page()
	at := fmt.Sprintf("%s#__tab=%d", url, p.ID)
	if _, err := b.control.Eval(ctx, fmt.Sprintf(`window.open(%q, "_blank", "noopener,popup,width=900,height=600")`, at)); err != nil {
		return nil, err
	}
	return p, p.wait(ctx, func() bool { return p.conn != nil })
}
