package state

import (
	"github.com/strandline-sync/strandline/core/action"
)

// Query asks for objects of the visible state. The zero Query asks for all of them, by id.
type Query struct {
	Type   string // empty for any
	Where  []Condition
	Order  []Order
	Limit  int // -1 for none
	Offset int
}

// Condition asks something of one key. Equality is that of canonical bytes; gt, gte, lt and lte hold between two
// numbers or two strings only; an absent key equals nothing, so that it is "ne" to everything.
type Condition struct {
	Key string
	Op  CondOp
	Arg string // canonical JSON; an array for "in"
}

// CondOp is how a Condition compares.
type CondOp uint8

// The comparisons.
const (
	OpEq CondOp = iota
	OpNe
	OpGt
	OpGte
	OpLt
	OpLte
	OpIn  // equals one of the elements
	OpHas // is an array with this element
)

var condNames = map[string]CondOp{"eq": OpEq, "ne": OpNe, "gt": OpGt, "gte": OpGte, "lt": OpLt, "lte": OpLte, "in": OpIn, "has": OpHas}

// Order sorts by one key: absent, null, false, true, numbers, strings by UTF-16 code units, then the rest. Ties go by id.
type Order struct {
	Key  string
	Desc bool
}

// ParseQuery reads a query in the form of the JavaScript API.
func ParseQuery(text string) (*Query, error) {
	canon, err := action.Canonical(text, action.MaxDepth)
	if err != nil {
		return nil, err
	}
	q := &Query{Limit: -1}
	l := action.NewLexer(canon)
	err = l.Object(func(key string) (err error) {
		switch key {
		case "type":
			q.Type, err = l.Str()
			if err == nil && q.Type == "" {
				err = action.Malformed("", "is empty")
			}
		case "where":
			err = l.Object(func(key string) error { return q.where(l, key) })
		case "orderBy":
			err = q.orderBy(l)
		case "limit":
			q.Limit, err = readCount(l)
		case "offset":
			q.Offset, err = readCount(l)
		default:
			err = action.Malformed("", "is no part of a query")
		}
		return err
	})
	if err != nil {
		e := *action.AsError(err, action.CodeInvalid)
		e.Code = action.CodeInvalid
		return nil, &e
	}
	return q, nil
}

func readCount(l *action.Lexer) (int, error) {
	n, err := l.Uint()
	if err == nil && n > 1<<31-1 {
		err = action.Malformed("", "is too large")
	}
	return int(n), err
}

func (q *Query) where(l *action.Lexer, key string) error {
	if err := action.CheckName(key); err != nil {
		return err
	}
	value, err := l.Raw()
	if err != nil {
		return err
	}
	ops, err := operators(value)
	if err != nil {
		return err
	}
	if len(ops) > 0 {
		for _, op := range ops {
			if op.Op == OpIn && op.Arg[0] != '[' {
				return action.Malformed("/in", "is no array")
			}
			op.Key = key
			q.Where = append(q.Where, op)
		}
		return nil
	}
	q.Where = append(q.Where, Condition{Key: key, Op: OpEq, Arg: value})
	return nil
}

// operators reads an object of comparisons. Any other value is compared as it stands; one that is half of each is an error.
func operators(value string) (ops []Condition, err error) {
	if value[0] != '{' {
		return nil, nil
	}
	other, members := "", 0
	l := action.NewLexer(value)
	err = l.Object(func(key string) error {
		members++
		arg, err := l.Raw()
		if op, ok := condNames[key]; ok {
			ops = append(ops, Condition{Op: op, Arg: arg})
		} else {
			other = key
		}
		return err
	})
	if err == nil && len(ops) > 0 && len(ops) < members {
		err = action.Under(other, action.Malformed("", "is no comparison; an object as a value is compared with eq"))
	}
	return ops, err
}

func (q *Query) orderBy(l *action.Lexer) error {
	one := func() error {
		var o Order
		l.Space()
		if l.Peek() == '"' {
			var err error
			o.Key, err = l.Str()
			q.Order = append(q.Order, o)
			return err
		}
		err := l.Object(func(key string) (err error) {
			var s string
			if s, err = l.Str(); err != nil {
				return err
			}
			switch {
			case key == "key":
				o.Key = s
			case key == "direction" && (s == "asc" || s == "desc"):
				o.Desc = s == "desc"
			default:
				err = action.Malformed("", "is no part of an order")
			}
			return err
		})
		if err == nil && o.Key == "" {
			err = action.Malformed("/key", "is missing")
		}
		q.Order = append(q.Order, o)
		return err
	}
	l.Space()
	if l.Peek() == '[' {
		return l.Array(func(int) error { return one() })
	}
	return one()
}
