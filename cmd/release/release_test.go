//go:build release

package main

import (
	"bufio"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/strandline-sync/strandline/js"
	"github.com/strandline-sync/strandline/js/build/toolchain"
)

const dir = "../../bin/release"

// emulator runs what this machine's processor does not.
func emulator(goarch string) string {
	if goarch == runtime.GOARCH || goarch == "386" && runtime.GOARCH == "amd64" {
		return ""
	}
	return map[string]string{"arm": "qemu-arm-static", "arm64": "qemu-aarch64-static", "386": "qemu-i386-static", "amd64": "qemu-x86_64-static"}[goarch]
}

func path(platform string) string {
	name := "strandline-" + js.Version() + "-" + strings.ReplaceAll(platform, "/", "-")
	if strings.HasPrefix(platform, "windows/") {
		name += ".exe"
	}
	return filepath.Join(dir, name)
}

// listed reads SHA256SUMS.
func listed(t *testing.T, dir string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok {
			t.Fatalf("%q", line)
		}
		out[name] = sum
	}
	return out
}

// Everything is there, each file under its sum, and built by the pinned Go for what its name says.
func TestTheReleaseIsWhole(t *testing.T) {
	sums := listed(t, dir)
	if len(sums) != len(platforms)+1 {
		t.Errorf("%d files", len(sums))
	}
	for name, sum := range sums {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || fmt.Sprintf("%x", sha256.Sum256(b)) != sum {
			t.Errorf("%s: %v, its sum is another", name, err)
		}
	}
	pin, err := toolchain.Pin("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, platform := range platforms {
		info, err := buildinfo.ReadFile(path(platform))
		if err != nil {
			t.Error(err)
			continue
		}
		settings := map[string]string{}
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		if got := settings["GOOS"] + "/" + settings["GOARCH"]; got != platform || info.GoVersion != pin || settings["-tags"] != "bundled" || settings["CGO_ENABLED"] != "0" {
			t.Errorf("%s: %s of %s, %v", platform, got, info.GoVersion, settings)
		}
	}
}

// Where this machine can run a program, natively or by an emulator, it says what it is, and serves the demo and the sync from the one file.
func TestEachProgramRuns(t *testing.T) {
	for _, platform := range platforms {
		goos, goarch, _ := strings.Cut(platform, "/")
		if goos != "linux" {
			continue // not here: another system's programs
		}
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			f, err := elf.Open(path(platform))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for _, p := range f.Progs {
				if p.Type == elf.PT_INTERP {
					t.Error("it needs the system's libraries")
				}
			}
			run := func(args ...string) *exec.Cmd {
				if emulator := emulator(goarch); emulator != "" {
					return exec.Command(emulator, append([]string{path(platform)}, args...)...)
				}
				return exec.Command(path(platform), args...)
			}
			out, err := run("version").CombinedOutput()
			if err != nil || !strings.Contains(string(out), " for "+platform+"\n") || !strings.Contains(string(out), "browser files      inside\n") {
				t.Fatalf("%v: %s", err, out)
			}
			demo := run("demo", "--addr", "127.0.0.1:0", "--data", t.TempDir())
			stdout, err := demo.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			demo.Stderr = os.Stderr
			if err := demo.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				demo.Process.Signal(syscall.SIGTERM)
				demo.Wait()
			}()
			url := ""
			for lines := bufio.NewScanner(stdout); url == "" && lines.Scan(); {
				url, _ = strings.CutPrefix(lines.Text(), "strandline: ")
				if !strings.HasPrefix(url, "http") {
					url = ""
				}
			}
			get := func(path, want string) {
				t.Helper()
				resp, err := http.Get(url + path)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				b := new(strings.Builder)
				if _, err := bufio.NewReader(resp.Body).WriteTo(b); err != nil || resp.StatusCode != 200 || !strings.Contains(b.String(), want) {
					t.Errorf("%s: %v, %d, %.200s", path, err, resp.StatusCode, b)
				}
			}
			get("/", "<title>")
			op := `{"op":"create","object":"018f0000-0000-7000-8000-000000000001","type":"todo","fields":{"title":"From one file"}}`
			add := run("append", url, "lists/1")
			add.Stdin = strings.NewReader(op + "\n")
			if out, err := add.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "1 ") {
				t.Errorf("%v: %s", err, out)
			}
			get("/v1/log?stream=lists/1", "From one file")
		})
	}
}

// Another checkout in another place, with caches of its own and other settings, gives the same bytes.
func TestTheSameBytesAgain(t *testing.T) {
	tmp := t.TempDir()
	again := filepath.Join(tmp, "another", "place")
	clone := exec.Command("sh", "-c", `mkdir -p "$0" && git -C ../.. ls-files -z --cached --others --exclude-standard | (cd ../.. && tar -c --null -T - --ignore-failed-read 2>/dev/null) | tar -x -m -C "$0"`, again)
	if out, err := clone.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	build := exec.Command("sh", "-c", "make js/dist/strandline.js web-demo/dist/index.html pack && go run ./cmd/release -only linux/386")
	build.Dir = again
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "MAKE") && !strings.HasPrefix(setting, "MFLAGS") {
			build.Env = append(build.Env, setting)
		}
	}
	build.Env = append(build.Env, "GOCACHE="+filepath.Join(tmp, "cache"), "GOAMD64=v2", "TZ=Asia/Tokyo", "LC_ALL=C", "SOURCE_DATE_EPOCH=1")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := listed(t, dir)
	for name, sum := range listed(t, filepath.Join(again, "bin/release")) {
		if want[name] != sum {
			t.Errorf("%s is another: %s, here %s", name, sum, want[name])
		}
	}
}
