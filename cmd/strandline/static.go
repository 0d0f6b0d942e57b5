package main

import (
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

// hashedName is a name that tells its content: what it names never changes.
var hashedName = regexp.MustCompile(`\.[0-9a-f]{10}\.[a-z.]+$`)

// staticFiles shows a directory. Files with a content hash in their name are cached for ever, the rest is asked for
// anew each time.
func staticFiles(dir string) http.Handler {
	// What the machine's own tables say does not matter.
	_ = mime.AddExtensionType(".wasm", "application/wasm")
	_ = mime.AddExtensionType(".js", "text/javascript; charset=utf-8")
	_ = mime.AddExtensionType(".webmanifest", "application/manifest+json")
	files := http.Dir(dir)
	server := http.FileServer(files)
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(1024))
	if err != nil {
		panic(err)
	}
	return wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		if hashedName.MatchString(path.Base(r.URL.Path)) {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		} else {
			h.Set("Cache-Control", "no-cache")
		}
		if strings.Contains(r.URL.Path, "/.") || strings.HasSuffix(r.URL.Path, "/") && !exists(files, path.Join(r.URL.Path, "index.html")) {
			http.NotFound(w, r) // no hidden files, no listings
			return
		}
		server.ServeHTTP(w, r)
	}))
}

func exists(files http.Dir, name string) bool {
	f, err := files.Open(name)
	if err != nil {
		return false
	}
	f.Close()
	return true
}
