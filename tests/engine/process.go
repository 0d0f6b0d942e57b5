package engine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Process is a browser that runs.
type Process struct {
	pid  int
	done chan struct{}
}

// Launch starts a browser with a page.
func Launch(name, profile, url string) (*Process, error) {
	if err := os.MkdirAll(profile, 0o755); err != nil {
		return nil, err
	}
	program, err := binary(name)
	if err != nil {
		return nil, err
	}
	var args, env []string
	switch name {
	case Chromium:
		args = []string{program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
			"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-popup-blocking",
			"--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding",
			"--disable-dev-shm-usage", "--password-store=basic", "--user-data-dir=" + profile, url}
	case Firefox:
		args, env, err = firefox(program, profile, url)
	case WebKit:
		args, env, err = webkit(program, profile, url)
	default:
		err = fmt.Errorf("there is no engine %q", name)
	}
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(append(os.Environ(), "NO_AT_BRIDGE=1", "GSETTINGS_BACKEND=memory", "GIO_USE_VFS=local",
		"DBUS_SESSION_BUS_ADDRESS=disabled:"), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	log, err := os.Create(filepath.Join(profile, "browser.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{pid: cmd.Process.Pid, done: make(chan struct{})}
	go func() { cmd.Wait(); close(p.done) }()
	return p, nil
}

// Quit ends it as a user does: what it holds back is written.
func (p *Process) Quit() {
	syscall.Kill(p.pid, syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
	}
	p.Kill()
}

// Kill ends it and all of its processes at once, as kill -9 does.
func (p *Process) Kill() {
	syscall.Kill(-p.pid, syscall.SIGKILL)
	<-p.done
	for i := 0; i < 200 && syscall.Kill(-p.pid, 0) == nil; i++ { // the others of its group have been told, and end
		time.Sleep(10 * time.Millisecond)
	}
}
