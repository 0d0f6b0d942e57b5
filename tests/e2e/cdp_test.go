package e2e

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
)

// cdpExecute sends a command that the typed package knows in another form.
func cdpExecute(ctx context.Context, method string, params any) error {
	return cdp.Execute(ctx, method, params, nil)
}
