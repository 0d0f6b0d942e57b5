// Command release makes what people download, in bin/release: a program for each platform with the browser files inside, the npm package,
// and SHA256SUMS. The same sources give the same bytes on every machine. make release builds before it what the programs hold.
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/strandline-sync/strandline/js"
	"github.com/strandline-sync/strandline/js/build/toolchain"
)

// platforms are those that programs are made for.
var platforms = []string{"linux/amd64", "linux/arm64", "linux/arm", "linux/386", "darwin/amd64", "darwin/arm64", "windows/amd64"}

func main() {
	out := flag.String("out", "bin/release", "the directory to make anew: one of an earlier release, or none")
	only := flag.String("only", strings.Join(platforms, ","), "the platforms")
	flag.Parse()
	if err := release(*out, strings.Split(*only, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func release(out string, wanted []string) error {
	g, err := toolchain.Find(".")
	if err != nil {
		return err
	}
	for _, platform := range wanted {
		if !slices.Contains(platforms, platform) {
			return fmt.Errorf("there is no release for %q; there are %s", platform, strings.Join(platforms, ", "))
		}
	}
	tarball := "strandline-" + js.Version() + ".tgz"
	packed, err := os.ReadFile(filepath.Join("bin", tarball))
	if err != nil {
		return fmt.Errorf("%w; run make pack", err)
	}
	if files, err := os.ReadDir(out); err == nil && len(files) > 0 && !slices.ContainsFunc(files, func(f os.DirEntry) bool { return strings.HasSuffix(f.Name(), ".tgz") }) {
		return fmt.Errorf("%s holds something that is no release: remove it, or name another with -out", out)
	}
	if err := errors.Join(os.RemoveAll(out), os.MkdirAll(out, 0o755), os.WriteFile(filepath.Join(out, tarball), packed, 0o644)); err != nil {
		return err
	}
	for _, platform := range wanted {
		if err := program(g, out, platform); err != nil {
			return fmt.Errorf("%s: %w", platform, err)
		}
	}
	return sums(out)
}

// program makes one that needs nothing else on its machine.
func program(g *toolchain.Go, out, platform string) error {
	goos, goarch, _ := strings.Cut(platform, "/")
	name := filepath.Join(out, "strandline-"+js.Version()+"-"+goos+"-"+goarch)
	if goos == "windows" {
		name += ".exe"
	}
	cmd := g.Command(goos, goarch, "build", "-tags", "bundled", "-trimpath", "-ldflags=-s -w -buildid=", "-o", name, "./cmd/strandline")
	cmd.Env = append(cmd.Env, "GOARM=6") // the first Raspberry Pi's too
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	return os.Chmod(name, 0o755)
}

// sums writes SHA256SUMS, which sha256sum -c reads, and prints it with sizes.
func sums(out string) error {
	files, err := os.ReadDir(out)
	if err != nil {
		return err
	}
	var list strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(out, f.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(b), f.Name())
		fmt.Printf("%9d bytes  %s\n", len(b), f.Name())
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(list.String()), 0o644)
}
