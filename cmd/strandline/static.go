package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

// hashedName is a name that tells its content: what it names never changes.
var hashedName = regexp.MustCompile(`\.[0-9a-f]{10}\.[a-z.]+$`)

// staticFiles shows files of a directory, or of the program itself. Files with a content hash in their name are cached for ever, the rest is
// asked for anew each time.
func staticFiles(files http.FileSystem) http.Handler {
	// What the machine's own tables say does not matter.
	_ = mime.AddExtensionType(".wasm", "application/wasm")
	_ = mime.AddExtensionType(".js", "text/javascript; charset=utf-8")
	_ = mime.AddExtensionType(".webmanifest", "application/manifest+json")
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

func exists(files http.FileSystem, name string) bool {
	f, err := files.Open(name)
	if err != nil {
		return false
	}
	f.Close()
	return true
}

// builtIn shows files of the program itself. They have no times: what browsers ask whether it is new has a tag of its content.
func builtIn(files fs.FS) http.Handler {
	show, tags := staticFiles(http.FS(files)), tagsOf(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if strings.HasSuffix(r.URL.Path, "/") {
			name = path.Join(name, "index.html")
		}
		if tag := tags[name]; tag != "" {
			w.Header().Set("ETag", tag)
		}
		show.ServeHTTP(w, r)
	})
}

// tagsOf gives the files whose names do not tell their content their tags. They are weak: on the way files are compressed.
func tagsOf(files fs.FS) map[string]string {
	tags := map[string]string{}
	_ = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || hashedName.MatchString(name) {
			return err
		}
		f, err := files.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			return err
		}
		tags[name] = `W/"` + hex.EncodeToString(h.Sum(nil)[:10]) + `"`
		return nil
	})
	return tags
}

// library shows the package's files at /dist/, to pages of every origin: they are the same for everybody, and say nothing of anybody.
func library(files fs.FS) http.Handler {
	show := http.StripPrefix("/dist", builtIn(files))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		show.ServeHTTP(w, r)
	})
}
