package engine

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

func webkit(program, profile, url string) (args, env []string, err error) {
	display, err := xvfb()
	if err != nil {
		return nil, nil, err
	}
	args = []string{program, "--javascript-can-open-windows-automatically=true", "--allow-modal-dialogs=false", "--geometry=1000x700", url}
	env = []string{"DISPLAY=" + display, "GDK_BACKEND=x11", "LIBGL_ALWAYS_SOFTWARE=1", "WEBKIT_DISABLE_DMABUF_RENDERER=1",
		"WEBKIT_DISABLE_COMPOSITING_MODE=1", "XDG_DATA_HOME=" + profile + "/data", "XDG_CACHE_HOME=" + profile + "/cache",
		"XDG_CONFIG_HOME=" + profile + "/config", "HOME=" + profile}
	return args, env, nil
}

// screen is an X server of this process, which ends with it.
var screen struct {
	once    sync.Once
	display string
	err     error
	cmd     *exec.Cmd
}

// xvfb starts it once.
func xvfb() (string, error) {
	s := &screen
	s.once.Do(func() {
		r, w, err := os.Pipe()
		if err != nil {
			s.err = err
			return
		}
		s.cmd = exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1280x1024x24", "-nolisten", "tcp")
		s.cmd.ExtraFiles = []*os.File{w}
		s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if s.err = s.cmd.Start(); s.err != nil {
			return
		}
		w.Close()
		line, err := bufio.NewReader(r).ReadString('\n')
		if err != nil {
			s.err = fmt.Errorf("no answer of Xvfb: %w", err)
			return
		}
		s.display = ":" + strings.TrimSpace(line)
	})
	return s.display, s.err
}

// End ends what browsers of this process share.
func End() {
	if screen.cmd != nil && screen.cmd.Process != nil {
		screen.cmd.Process.Kill()
		screen.cmd.Wait()
	}
}
