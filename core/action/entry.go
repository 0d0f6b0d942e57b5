package action

// Entry is one action in a stream's log, with what the server says of it.
type Entry struct {
	Stored int64  // server time, Unix milliseconds; 0 when not told
	By     string // the subject of the principal that wrote it
	Action Action
}

// Rejection is a refused action: by the server's verdict, or because it depends on one (Because).
type Rejection struct {
	ID      UUID
	Code    string
	Message string
	Because UUID
}

func (j *Rejection) Err() error { return Fail(j.Code, "", j.Message) }
