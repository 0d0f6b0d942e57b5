package main

import "syscall"

// What the system says of an address that is taken, and of one that this user may not have.
const errTaken, errForbidden = syscall.Errno(10048), syscall.Errno(10013)
