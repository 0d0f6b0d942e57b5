package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	otel "go.opentelemetry.io/otel/trace"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/js"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/engine/sqlite"
	"github.com/strandline-sync/strandline/server/web"
)

// tracing sends spans to a collector: one of each request that is picked, and of what it asks the engine. There is nothing of streams, principals or
// tokens in them.
type tracing struct {
	provider *trace.TracerProvider
	tracer   otel.Tracer
	way      propagation.TraceContext
}

// startTracing sends to the collector at a URL, of so large a part of the requests that do not say themselves.
func startTracing(at string, share float64) (*tracing, error) {
	if u, err := url.Parse(at); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("--traces %s is no URL of http or https", at)
	}
	if share < 0 || share > 1 {
		return nil, errors.New("--trace-share is from 0 to 1")
	}
	to, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(at), otlptracehttp.WithTimeout(5*time.Second))
	if err != nil {
		return nil, fmt.Errorf("--traces: %w", err)
	}
	about := resource.NewSchemaless(attribute.String("service.name", "strandline"), attribute.String("service.version", js.Version()))
	provider := trace.NewTracerProvider(trace.WithBatcher(to), trace.WithResource(about), trace.WithSampler(trace.ParentBased(trace.TraceIDRatioBased(share))))
	return &tracing{provider: provider, tracer: provider.Tracer("strandline")}, nil
}

// stop sends what is left, for a while.
func (t *tracing) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		slog.Warn("the last traces were not sent", "error", err)
	}
}

// requests has a span for each request that is answered and does not wait for news.
func (t *tracing) requests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route := web.RouteOf(r.URL.Path)
		ctx := t.way.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := t.tracer.Start(ctx, r.Method+" "+route, otel.WithSpanKind(otel.SpanKindServer), otel.WithAttributes(attribute.String("http.request.method", r.Method), attribute.String("http.route", route)))
		defer span.End()
		seen := &watched{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r.WithContext(ctx))
		span.SetAttributes(attribute.Int("http.response.status_code", seen.status))
		if seen.status >= 500 {
			span.SetStatus(codes.Error, "")
		}
	})
}

// traced is an engine whose calls have spans.
type traced struct {
	*sqlite.Engine
	t *tracing
}

var _ engine.Engine = traced{}

func (e traced) span(ctx context.Context, what string, about ...attribute.KeyValue) (context.Context, func(error)) {
	ctx, span := e.t.tracer.Start(ctx, "engine "+what, otel.WithAttributes(about...))
	return ctx, func(err error) {
		if err != nil && err != engine.ErrConflict {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

func (e traced) Log(ctx context.Context, stream string) (l engine.Log, err error) {
	ctx, end := e.span(ctx, "log")
	defer func() { end(err) }()
	return e.Engine.Log(ctx, stream)
}

func (e traced) Append(ctx context.Context, stream string, epoch action.UUID, expect uint64, entries []engine.Entry) (err error) {
	ctx, end := e.span(ctx, "append", attribute.Int("entries", len(entries)))
	defer func() { end(err) }()
	return e.Engine.Append(ctx, stream, epoch, expect, entries)
}

func (e traced) Read(ctx context.Context, stream string, after uint64, limit, maxBytes int) (out []engine.Entry, err error) {
	ctx, end := e.span(ctx, "read")
	defer func() { end(err) }()
	return e.Engine.Read(ctx, stream, after, limit, maxBytes)
}

func (e traced) Checkpoint(ctx context.Context, stream string, index uint64) (c *engine.Checkpoint, err error) {
	ctx, end := e.span(ctx, "checkpoint")
	defer func() { end(err) }()
	return e.Engine.Checkpoint(ctx, stream, index)
}

func (e traced) UpdateData(ctx context.Context, do func(tx engine.DataTx) error) (err error) {
	ctx, end := e.span(ctx, "update")
	defer func() { end(nil) }() // what do refuses is no fault
	return e.Engine.UpdateData(ctx, do)
}

func (e traced) ViewData(ctx context.Context, do func(tx engine.DataTx) error) (err error) {
	ctx, end := e.span(ctx, "view")
	defer func() { end(nil) }()
	return e.Engine.ViewData(ctx, do)
}
