//go:build !windows

package main

import "syscall"

// What the system says of an address that is taken, and of one that this user may not have.
const errTaken, errForbidden = syscall.EADDRINUSE, syscall.EACCES
