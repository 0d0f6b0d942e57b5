package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/strandline-sync/strandline/server/engine/sqlite"
	"github.com/strandline-sync/strandline/server/web"
)

// operator is what the one who runs the server sees: whether it lives and is ready, and figures. There is nothing of streams, principals or tokens in it.
type operator struct {
	ready    atomic.Bool
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	open     prometheus.Gauge
	logs     *sqlite.Engine
	mark     *watermark
}

func newOperator(logs *sqlite.Engine, mark *watermark) *operator {
	o := &operator{
		registry: prometheus.NewRegistry(), logs: logs, mark: mark,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "strandline_requests_total", Help: "Requests that were answered, by route, method and status."}, []string{"route", "method", "status"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "strandline_request_seconds", Help: "How long requests took that do not wait for news.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60}}, []string{"route"}),
		open: prometheus.NewGauge(prometheus.GaugeOpts{Name: "strandline_requests_open", Help: "Requests under way, those that wait for news with them."}),
	}
	bytes := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "strandline_database_bytes", Help: "Bytes of the database's files."}, func() float64 { return float64(logs.Bytes()) })
	takes := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "strandline_takes", Help: "1 where what clients send is taken, 0 where the disk has no room (--min-free) or cannot be written: then reading goes on."}, func() float64 {
		if o.takes() != nil {
			return 0
		}
		return 1
	})
	o.registry.MustRegister(uses{logs}, takes, o.requests, o.took, o.open, bytes, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return o
}

// takes tells why nothing is taken; nil where it is.
func (o *operator) takes() error {
	if o.logs.Frozen != nil {
		return o.logs.Frozen
	}
	return o.mark.Writable()
}

// uses are figures of the principals that keep most, by a hash of their names: the first 16 digits of its SHA-256.
type uses struct{ logs *sqlite.Engine }

const mostUses = 20 // that are shown

var useOf = map[string]*prometheus.Desc{
	"streams": prometheus.NewDesc("strandline_principal_streams", "Streams that a principal has begun, of those that keep most.", []string{"principal"}, nil),
	"bytes":   prometheus.NewDesc("strandline_principal_bytes", "Bytes of a principal's actions that are kept, of those that keep most.", []string{"principal"}, nil),
	"data":    prometheus.NewDesc("strandline_principal_data_bytes", "Bytes of a principal's entries in data streams, of those that keep most.", []string{"principal"}, nil),
}

func (uses) Describe(to chan<- *prometheus.Desc) {
	for _, d := range useOf {
		to <- d
	}
}

func (u uses) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	all, err := u.logs.Uses(ctx, mostUses)
	if err != nil { // the other figures are shown all the same
		slog.Warn("what principals keep could not be read", "error", err)
		return
	}
	for who, use := range all {
		for of, n := range map[string]int64{"streams": use.Streams, "bytes": use.Bytes, "data": use.Data} {
			to <- prometheus.MustNewConstMetric(useOf[of], prometheus.GaugeValue, float64(n), hashOf(who))
		}
	}
}

// listen shows it at an address of its own.
func (o *operator) listen(addr string) (stop func(), err error) {
	l, err := listen(addr)
	if err != nil {
		return nil, fmt.Errorf("--admin: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "it lives") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		_, err := o.logs.Log(ctx, "strandline/ready")
		if !o.ready.Load() || err != nil {
			http.Error(w, "it is not ready", http.StatusServiceUnavailable)
			return
		}
		if err := o.takes(); err != nil {
			fmt.Fprintf(w, "it is ready to be read: %v\n", err)
			return
		}
		fmt.Fprintln(w, "it is ready")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2, Timeout: 10 * time.Second}))
	h := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	go func() {
		if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("the operator's address failed", "error", err)
		}
	}()
	slog.Info("the operator's address", "url", "http://"+l.Addr().String())
	return func() { h.Close() }, nil
}

// count counts requests, and logs each at the level debug.
func (o *operator) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &watched{ResponseWriter: w, status: http.StatusOK, began: time.Now()}
		o.open.Inc()
		defer o.answered(r, seen)
		next.ServeHTTP(seen, r)
	})
}

// answered takes note of a request that is over.
func (o *operator) answered(r *http.Request, seen *watched) {
	o.open.Dec()
	route, took := web.RouteOf(r.URL.Path), time.Since(seen.began)
	method := r.Method
	if !strings.Contains(" GET HEAD POST PUT DELETE OPTIONS ", " "+method+" ") {
		method = "other"
	}
	o.requests.WithLabelValues(route, method, strconv.Itoa(seen.status)).Inc()
	if !seen.waits(r) {
		o.took.WithLabelValues(route).Observe(took.Seconds())
	}
	slog.Debug("request", "route", route, "method", method, "status", seen.status, "bytes", seen.bytes, "took", took.Round(time.Microsecond))
}

// watched is an answer whose status and bytes are seen.
type watched struct {
	http.ResponseWriter
	status int
	bytes  int64
	began  time.Time
}

func (w *watched) waits(r *http.Request) bool {
	return w.Header().Get("Content-Type") == "text/event-stream" || strings.Contains(r.URL.RawQuery, "wait=") || strings.Contains(r.URL.RawQuery, "live=")
}

func (w *watched) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap has http.ResponseController find what is below.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// logTo has what is logged go to w, from a level on.
func logTo(w io.Writer, level string) error {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return fmt.Errorf("--log is debug, info, warn or error, not %q", level)
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l})))
	return nil
}
