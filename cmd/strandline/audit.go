package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"time"
)

// auditFile lies in the data directory: a line for each act of an operator's. It has no names of principals and streams, but hashes: what was erased
// does not stand there.
const auditFile = "audit.jsonl"

type act struct {
	At    string `json:"at"`
	Act   string `json:"act"`
	About string `json:"about,omitempty"`
	User  string `json:"user,omitempty"`
	Error string `json:"error,omitempty"`
}

// userName is whose process this is.
func userName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}

// audit notes an act of a user's, and whether it failed.
func audit(dir, what, about, user string, failed error) {
	a := act{At: time.Now().UTC().Format(time.RFC3339), Act: what, About: about, User: user}
	if failed != nil {
		a.Error = failed.Error()
	}
	line, err := json.Marshal(a)
	if err != nil {
		slog.Error("an act could not be noted", "act", what, "error", err)
		return
	}
	f, err := os.OpenFile(filepath.Join(dir, auditFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err == nil {
		_, err = f.Write(append(line, '\n'))
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) { // there is no directory: nothing was done
		slog.Error("an act could not be noted", "act", what, "error", err)
	}
}

// hashOf names what the audit log does not.
func hashOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:8])
}
