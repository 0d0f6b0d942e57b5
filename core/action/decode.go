package action

import (
	"errors"
	"strconv"
)

// DecodeAction reads one action from any JSON text. Canonical text, which is what stores and servers hold, is read in
// one pass and without a copy: the action's strings point into text.
//
// A text that is broken as JSON, or that is no valid action, gives a malformed *Error with a JSON pointer; an op or
// guard of a kind that this version does not know gives an upgrade *Error.
func DecodeAction(text string) (*Action, error) {
	a := new(Action)
	return a, DecodeInto(a, text, nil)
}

func DecodeInto(a *Action, text string, slab *Slab) error {
	c := Cursor{b: text, slab: slab}
	err := c.action(a)
	if err == nil && c.i == len(text) {
		a.Raw = text
		return nil
	}
	canon, cerr := Canonical(text, MaxDepth)
	if cerr != nil {
		return cerr
	}
	if err == nil || canon != text {
		*a = Action{}
		c = Cursor{b: canon}
		err = c.action(a)
		a.Raw = canon
	}
	if err == errForm {
		err = Malformed("", "has not the form of an action")
	}
	return err
}

// DecodeOps reads the ops of an action whose other members the caller knows: text[from:] is an array of ops in canonical form, or false is
// given and a is as it was.
func DecodeOps(a *Action, text string, from int, slab *Slab) bool {
	c := Cursor{b: text, i: from, slab: slab}
	if c.ops(a) == nil && c.i == len(text) {
		return true
	}
	a.Ops = nil
	return false
}

// DecodeOp reads one op of canonical text.
func DecodeOp(canon string) (op Op, err error) {
	c := Cursor{b: canon}
	err = c.op(&op)
	return op, err
}

var errForm = errors.New("not of the form") // replaced by an error with a place before it leaves this file

func (c *Cursor) action(a *Action) error {
	if !c.Take('{') {
		return Malformed("", "an action is an object")
	}
	const (
		hasBase = 1 << iota
		hasClient
		hasID
		hasOps
		hasSeq
	)
	seen := 0
	var last string
	for n := 0; ; n++ {
		key, more, err := c.Key(n == 0, &last)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		switch key {
		case "at":
			var ok bool
			if a.At, ok = c.Str(); !ok {
				err = Malformed("", "is no string")
			}
		case "atomic":
			a.Atomic = true
			err = c.yes()
		case "base":
			seen |= hasBase
			a.Base, err = c.Integer()
		case "client":
			seen |= hasClient
			a.Client, err = c.UUID()
		case "for":
			err = c.maker(&a.For)
		case "id":
			seen |= hasID
			a.ID, err = c.UUID()
		case "if":
			err = c.guards(a)
		case "meta":
			var ok bool
			if a.Meta, ok = c.Raw(MaxDepth - 1); !ok {
				return errForm
			}
			if len(a.Meta) > MaxMeta {
				err = Fail(CodeTooLarge, "", "is over 4 KiB")
			}
		case "ops":
			seen |= hasOps
			err = c.ops(a)
		case "seq":
			seen |= hasSeq
			a.Seq, err = c.Integer()
		default:
			err = Malformed("", "is no part of an action")
		}
		if err != nil {
			return Under(key, err)
		}
	}
	for i, name := range [...]string{"base", "client", "id", "ops", "seq"} {
		if seen&(1<<i) == 0 {
			return Malformed("/"+name, "is missing")
		}
	}
	if (a.Seq == 0) != (a.Client == Nil) {
		return Malformed("/seq", "counts from 1, and is 0 for the server alone")
	}
	return nil
}

func (c *Cursor) ops(a *Action) error {
	if !c.Take('[') {
		return Malformed("", "is no array")
	}
	ops := c.slab.opsFor()
	for {
		more, err := c.element(len(ops) == 0)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if len(ops) == MaxOps {
			return Fail(CodeTooLarge, "", "an action has at most 1,000 ops")
		}
		ops = append(ops, Op{})
		if err := c.op(&ops[len(ops)-1]); err != nil {
			return Under(strconv.Itoa(len(ops)-1), err)
		}
	}
	if len(ops) == 0 {
		return Malformed("", "an action has at least one op")
	}
	a.Ops = c.slab.keepOps(ops)
	return nil
}

// Sorted, "op" comes after "fields", "inc", "lock" and "object": the parts are read first and checked against the kind after.
func (c *Cursor) op(o *Op) error {
	if !c.Take('{') {
		return Malformed("", "an op is an object")
	}
	const (
		hasFields = 1 << iota
		hasLock
		hasObject
		hasOp
		hasType
		hasParts
	)
	changes := c.slab.changesFor()
	start := len(changes)
	seen, name, looked := 0, "", false
	var last string
	for n := 0; ; n++ {
		key, more, err := c.Key(n == 0, &last)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		switch key {
		case "fields":
			seen |= hasFields
			changes, err = c.part(changes, PartSet)
		case "inc":
			seen |= hasParts
			changes, err = c.part(changes, PartInc)
		case "lock":
			seen |= hasLock
			o.Lock = true
			err = c.yes()
		case "object":
			seen |= hasObject
			o.Object, err = c.UUID()
		case "op":
			seen |= hasOp
			var ok bool
			if name, ok = c.Str(); !ok {
				err = Malformed("", "is no string")
			}
		case "set":
			seen |= hasParts
			changes, err = c.part(changes, PartSet)
		case "type":
			seen |= hasType
			var ok bool
			if o.Type, ok = c.Str(); !ok {
				err = Malformed("", "is no string")
			} else {
				err = CheckName(o.Type)
			}
		case "union":
			seen |= hasParts
			changes, err = c.part(changes, PartUnion)
		case "unset":
			seen |= hasParts
			changes, err = c.unset(changes)
		case "without":
			seen |= hasParts
			changes, err = c.part(changes, PartWithout)
		default:
			// The op may be one that only newer code knows; which it is, its name says.
			if _, ok := c.Raw(MaxDepth - 3); !ok {
				return errForm
			}
			err = nil
			if name == "" && !looked { // once: an op of many unknown members must not be read many times over
				name, looked = opNameAhead(c.b[c.i:]), true
			}
			if known(name) {
				err = Malformed("", "is no part of "+name)
			}
		}
		if err != nil {
			return Under(key, err)
		}
	}
	if seen&hasOp == 0 {
		return Malformed("/op", "is missing")
	}
	if !known(name) {
		return Fail(CodeUpgrade, "/op", "is an op that this version does not know")
	}
	if seen&hasObject == 0 {
		return Malformed("/object", "is missing")
	}
	var allowed int
	switch name {
	case "create":
		o.Kind, allowed = Create, hasFields|hasLock|hasType
		if seen&hasFields == 0 {
			return Malformed("/fields", "is missing")
		}
		if seen&hasType == 0 {
			return Malformed("/type", "is missing")
		}
	case "update":
		o.Kind, allowed = Update, hasParts
	case "remove":
		o.Kind = Remove
	case "unlock":
		o.Kind = Unlock
	}
	if seen&^(allowed|hasObject|hasOp) != 0 {
		return Malformed("", "has a part that "+name+" does not take")
	}
	mine := changes[start:]
	if o.Kind == Update {
		if err := orderParts(mine); err != nil {
			return err
		}
	}
	o.Changes = c.slab.keepChanges(changes, start)
	return nil
}

func known(op string) bool {
	return op == "create" || op == "update" || op == "remove" || op == "unlock"
}

// opNameAhead finds the name of an op in the rest of its canonical members.
func opNameAhead(rest string) string {
	c := Cursor{b: rest}
	for c.Take(',') {
		key, ok := c.Str()
		if !ok || !c.Take(':') {
			return ""
		}
		if key == "op" {
			name, _ := c.Str()
			return name
		}
		if _, ok := c.Raw(MaxDepth); !ok {
			return ""
		}
	}
	return ""
}

// orderParts puts the changes into the order of application and refuses a key that stands in two parts.
func orderParts(cs []Change) error {
	if len(cs) > 32 {
		ordered := make([]Change, 0, len(cs))
		for part := PartSet; part <= PartWithout; part++ {
			for _, ch := range cs {
				if ch.Part == part {
					ordered = append(ordered, ch)
				}
			}
		}
		copy(cs, ordered)
		seen := make(map[string]bool, len(cs))
		for _, ch := range cs {
			if seen[ch.Key] {
				return Under(ch.Key, Malformed("", "stands in more than one part"))
			}
			seen[ch.Key] = true
		}
		return nil
	}
	for i := 1; i < len(cs); i++ { // few, and nearly in order: inc comes before set in the text
		for j := i; j > 0 && cs[j].Part < cs[j-1].Part; j-- {
			cs[j], cs[j-1] = cs[j-1], cs[j]
		}
	}
	for i := range cs {
		for j := range i {
			if cs[i].Key == cs[j].Key {
				return Under(cs[i].Key, Malformed("", "stands in more than one part"))
			}
		}
	}
	return nil
}

// part reads an object of changes: fields, set, inc, union or without.
func (c *Cursor) part(changes []Change, part Part) ([]Change, error) {
	if !c.Take('{') {
		return changes, Malformed("", "is no object")
	}
	var last string
	for n := 0; ; n++ {
		key, more, err := c.Key(n == 0, &last)
		if err != nil || !more {
			return changes, err
		}
		if err := CheckKey(key); err != nil {
			return changes, Under(key, err)
		}
		ch := Change{Part: part, Key: key}
		switch part {
		case PartInc:
			end, _ := numberEnd(c.b, c.i)
			if end < 0 {
				return changes, Under(key, Malformed("", "is no number"))
			}
		case PartUnion, PartWithout:
			if c.peek() != '[' {
				return changes, Under(key, Malformed("", "is no array"))
			}
		}
		var ok bool
		if ch.Value, ok = c.Raw(MaxDepth - 4); !ok {
			return changes, errForm
		}
		if (part == PartUnion || part == PartWithout) && CountElements(ch.Value) > MaxValues {
			return changes, Under(key, Fail(CodeTooLarge, "", "has over 1,000 values"))
		}
		changes = append(changes, ch)
	}
}

func (c *Cursor) unset(changes []Change) ([]Change, error) {
	if !c.Take('[') {
		return changes, Malformed("", "is no array")
	}
	for n := 0; ; n++ {
		more, err := c.element(n == 0)
		if err != nil || !more {
			return changes, err
		}
		key, ok := c.Str()
		if !ok {
			return changes, Under(strconv.Itoa(n), Malformed("", "is no string"))
		}
		if err := CheckKey(key); err != nil {
			return changes, Under(strconv.Itoa(n), err)
		}
		changes = append(changes, Change{Part: PartUnset, Key: key})
	}
}
