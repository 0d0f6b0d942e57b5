package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/js"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine/sqlite"
	"github.com/strandline-sync/strandline/server/rights"
)

const (
	stopLimit   = 10 * time.Second // for what is under way when the server is told to stop
	drainTime   = 3 * time.Second  // between not being ready and that
	defaultAddr = "127.0.0.1:8080"
)

// errNotBundled is for the verbs and flags that need the browser files.
var errNotBundled = errors.New("this program was built without the browser files: take one that make build or make release has made")

// serve runs the server until a signal ends it.
func serve(args []string) error {
	flags := newFlags("serve")
	addr := flags.String("addr", defaultAddr, "the address to listen at, port 0: any that is free; without authentication, a loopback one")
	data := flags.String("data", "./data", "the data directory, made where it is missing")
	static := flags.String("static", "", "a directory of files to show at /")
	dist := flags.Bool("dist", false, "show the browser files that are in this program at /dist/")
	engine := flags.String("engine", "sqlite", "the log engine")
	who := whoFlags(flags)
	keep := flags.Uint64("keep", 0, "how many of a log's last entries are kept once a checkpoint stands for those before; 0: all are")
	maxAction := flags.Int("max-action", action.MaxActionBytes, "how many bytes an action may have; a larger one is refused")
	maxState := flags.Int("max-state", 64<<20, "how many bytes a stream's state may have; what makes it larger is refused")
	maxMemory := flags.Int("max-memory", 128<<20, "how many bytes all requests and answers under way may take")
	maxConnections := flags.Int("max-connections", 10_000, "how many connections there may be")
	rate := flags.Float64("rate", 0, "how many requests a second a principal may make, each counted once for every stream that it names; 0: as many as it likes")
	burst := flags.Int("burst", 500, "how many of them at once")
	checkpoints := flags.Int("checkpoints", 256<<10, "how many bytes of entries are worth a checkpoint, in which new clients get a log's state; -1: none")
	admin := flags.String("admin", "", "an address for the operator, such as 127.0.0.1:9090: /livez, /readyz, /metrics")
	cert := flags.String("cert", "", "a file with the certificates for TLS, read again when it changes; with --key")
	key := flags.String("key", "", "a file with the certificate's key")
	minFree := flags.Uint64("min-free", 64<<20, "how many bytes of the data directory's disk stay free: nothing is taken while there are fewer, and reading goes on")
	judgeURL := flags.String("judge", "", "a URL of your back end that is asked about actions before they are taken; with --judge-secret. See docs/OPERATING.md")
	judgeSecret := flags.String("judge-secret", "", "a file with the secret that signs what the judge is asked")
	traces := flags.String("traces", "", "the URL of an OpenTelemetry collector (OTLP over HTTP), such as http://127.0.0.1:4318/v1/traces")
	share := flags.Float64("trace-share", 0.01, "how large a part of the requests is traced whose sender does not say")
	level := flags.String("log", "info", "what is logged: debug (every request), info, warn or error")
	var cors []string
	flags.Func("cors", "an origin whose pages may call, such as https://app.example; may be given again", func(origin string) error {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || origin != u.Scheme+"://"+u.Host {
			return fmt.Errorf("%q is no origin, which is like https://app.example, without a path", origin)
		}
		cors = append(cors, origin)
		return nil
	})
	config := flags.String("config", "", "a file of flags, a line each, such as: max-state 1000000; what the command line or the environment (STRANDLINE_MAX_STATE) says is before it")
	if err := parseAll(flags, args); err != nil {
		return err
	}
	if err := configured(flags, *config); err != nil {
		return err
	}
	if *engine != "sqlite" {
		return fmt.Errorf("there is no engine %q; there is sqlite", *engine)
	}
	if err := logTo(os.Stderr, *level); err != nil {
		return err
	}
	auth, rules, err := who.auth(*addr)
	if err != nil {
		return err
	}
	if *maxState < 1 || *maxMemory < 8<<20 || *maxConnections < 1 || *rate < 0 || *burst < 1 {
		return errors.New("--max-state, --max-memory (8 MiB at least), --max-connections, --rate and --burst are positive")
	}
	if *rate == 0 {
		*rate = math.Inf(1)
	}
	l := listening{addr: *addr, data: *data, open: *who.kind == "none", admin: *admin, minFree: *minFree, connections: *maxConnections,
		config: server.Config{Auth: auth, CORS: cors, CheckpointBytes: *checkpoints, Keep: *keep, MaxActionBytes: *maxAction, MaxState: *maxState, MaxMemory: *maxMemory,
			Rate: *rate, Burst: *burst}}
	if l.rules = rules; rules != nil {
		l.config.Quota, l.config.Retention, l.config.MinSchema = rules.Quota, rules.Retention, rules.MinSchema
	}
	if (*cert == "") != (*key == "") {
		return errors.New("--cert and --key come together")
	}
	if *cert != "" {
		if l.certificates, err = loadCertificates(*cert, *key); err != nil {
			return err
		}
	}
	if *traces != "" {
		if l.tracing, err = startTracing(*traces, *share); err != nil {
			return err
		}
		defer l.tracing.stop()
	}
	if l.config.Judge, err = judgeOf(*judgeURL, *judgeSecret); err != nil {
		return err
	}
	if *static != "" {
		if info, err := os.Stat(*static); err != nil || !info.IsDir() {
			return fmt.Errorf("--static %s is no directory", *static)
		}
		if within(*data, *static) {
			return fmt.Errorf("--data %s lies in --static %s: everybody could read the database", *data, *static)
		}
		l.files = staticFiles(http.Dir(*static))
	}
	if *dist {
		files := js.Files()
		if files == nil {
			return errNotBundled
		}
		l.library = library(files)
	}
	return l.run()
}

// listening is a server over a data directory: what it shows where, and to whom.
type listening struct {
	addr, data     string
	open           bool          // to everybody who calls this machine by a name of its own
	files, library http.Handler  // at / and at /dist/; nil: nothing
	config         server.Config // but for the engine
	rules          *rights.Rules // nil: there are none
	admin          string        // the operator's address; empty: none
	tracing        *tracing      // nil: none
	minFree        uint64        // bytes of the disk; 0: it is not looked at
	connections    int           // at most; 0: any number
	certificates   *certificates // nil: no TLS
}

// run listens until a signal ends it.
func (l listening) run() error {
	listener, err := listen(l.addr) // first: that a program is here already is said of its address
	if err != nil {
		return err
	}
	defer listener.Close()
	logs, err := sqlite.Open(l.data)
	if err != nil {
		return err
	}
	defer logs.Close()
	if logs.Frozen != nil {
		slog.Error("the data directory cannot be written: what is there can be read, nothing is taken until there is room and this server is started anew", "data", l.data, "error", logs.Frozen)
	}
	if logs.Renewed {
		slog.Warn("an older copy of the database is in its place: each log has a new epoch, and clients that have seen more than it holds send again what they have of that", "data", l.data)
	}
	if os.Getenv("GOMEMLIMIT") == "" { // what is let go of is collected before it is too much
		debug.SetMemoryLimit(int64(memoryLimit(l.config)))
	}
	l.config.Engine = logs
	if l.tracing != nil {
		l.config.Engine = traced{logs, l.tracing}
	}
	mark := &watermark{dir: l.data, free: l.minFree}
	l.config.Writable = mark.Writable
	l.auditFiles()
	s := server.New(l.config)
	if _, err := eraseAgain(context.Background(), s, logs); err != nil {
		return err
	}
	if stop, err := control(l.data, s, l.rules); err != nil { // a disk without sockets
		slog.Warn("strandline erase needs this server stopped: there is no socket in its directory", "error", err)
	} else {
		defer stop()
	}
	ops := newOperator(logs, mark)
	if l.admin != "" {
		stop, err := ops.listen(l.admin)
		if err != nil {
			return err
		}
		defer stop()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	handler := l.routes(s)
	if l.tracing != nil {
		handler = l.tracing.requests(handler)
	}
	h := &http.Server{Handler: ops.count(handler), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute,
		WriteTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug)}
	failed := make(chan error, 1)
	served, scheme := net.Listener(listener), "http"
	if l.connections > 0 {
		served = limited(listener, l.connections)
	}
	if l.certificates != nil {
		h.TLSConfig, scheme = l.certificates.config(), "https"
	}
	go func() {
		if l.certificates != nil {
			failed <- h.ServeTLS(served, "", "")
			return
		}
		failed <- h.Serve(served)
	}()
	ops.ready.Store(true) // before anybody is told where: whoever asks at once hears that it is
	fmt.Printf("strandline: %s://%s\n", scheme, listener.Addr())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	stop() // a second signal ends it at once
	ops.ready.Store(false)
	if l.admin != "" { // whoever sends requests here looks, and sends no more
		time.Sleep(drainTime)
	}
	s.Close() // ends the long polls, which would keep Shutdown waiting
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	if err := h.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return logs.Close()
}

// auditFiles notes when files that say who may do what were read again, or could not be.
func (l listening) auditFiles() {
	if l.rules != nil {
		l.rules.OnRead(func(err error) { audit(l.data, "rules", "", "", err) })
	}
	if denied, is := l.config.Auth.(*rights.Denied); is {
		denied.OnRead(func(err error) { audit(l.data, "deny", "", "", err) })
	}
	if l.certificates != nil {
		l.certificates.Heard = func(err error) { audit(l.data, "certificate", "", "", err) }
	}
}

// memoryLimit is from where on the program collects what it has let go of, whatever it costs.
func memoryLimit(c server.Config) int { return 192<<20 + max(c.MaxMemory, 32<<20) }

// routes is no ServeMux: that would redirect what the API has to answer.
func (l listening) routes(api http.Handler) http.Handler {
	files := l.files
	if files == nil {
		files = api // which says of every other path that there is nothing
	}
	routes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == "/v1" || strings.HasPrefix(path, "/v1/"):
			api.ServeHTTP(w, r)
		case l.library != nil && strings.HasPrefix(path, "/dist/"):
			l.library.ServeHTTP(w, r)
		default:
			files.ServeHTTP(w, r)
		}
	})
	if l.open {
		return fromHere(routes)
	}
	return routes
}

// listen says what to do where the address cannot be had.
func listen(addr string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, errTaken):
		host, _, _ := net.SplitHostPort(addr)
		return nil, fmt.Errorf("another program listens at %s: end it, or take any free port: --addr %s", addr, net.JoinHostPort(host, "0"))
	case errors.Is(err, errForbidden):
		return nil, fmt.Errorf("this user may not listen at %s: take a port from 1024 on with --addr", addr)
	}
	return listener, err
}

// within tells whether a directory is another one or lies in it, wherever links lead. It need not be there yet.
func within(dir, other string) bool {
	real := func(path string) string {
		path, _ = filepath.Abs(path)
		for rest := ""; ; {
			if whole, err := filepath.EvalSymlinks(path); err == nil {
				return filepath.Join(whole, rest)
			}
			if path == filepath.Dir(path) {
				return filepath.Join(path, rest)
			}
			rest, path = filepath.Join(filepath.Base(path), rest), filepath.Dir(path)
		}
	}
	path, err := filepath.Rel(real(other), real(dir))
	return err == nil && path != ".." && !strings.HasPrefix(path, ".."+string(filepath.Separator))
}

// fromHere lets in who calls the machine by a name of its own: a page of the web whose name was pointed here does not, and neither does what a proxy
// passes on from elsewhere.
func fromHere(next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = strings.Trim(r.Host, "[]")
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "a server without authentication answers to localhost alone", http.StatusMisdirectedRequest)
			return
		}
		if forwarded(r) {
			http.Error(w, "a server without authentication takes nothing that a proxy passes on from elsewhere", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	}
}

// forwarded tells whether a proxy says that a request comes from another machine.
func forwarded(r *http.Request) bool {
	for _, by := range []string{"X-Forwarded-For", "X-Real-Ip"} {
		for _, line := range r.Header[by] {
			for from := range strings.SplitSeq(line, ",") {
				if ip := net.ParseIP(strings.TrimSpace(from)); ip == nil || !ip.IsLoopback() {
					return true
				}
			}
		}
	}
	return r.Header.Get("Forwarded") != ""
}
