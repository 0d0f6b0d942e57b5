package core

import "strconv"

func (c *cursor) guards(a *Action) error {
	if !c.take('[') {
		return malformed("", "is no array")
	}
	for n := 0; ; n++ {
		more, err := c.element(n == 0)
		if err != nil || !more {
			return err
		}
		if n == MaxGuards {
			return fail(CodeTooLarge, "", "an action has at most 100 guards")
		}
		a.Guards = append(a.Guards, Guard{})
		if err := c.guard(&a.Guards[n]); err != nil {
			return under(strconv.Itoa(n), err)
		}
	}
}

func (c *cursor) guard(g *Guard) error {
	if !c.take('{') {
		return malformed("", "a guard is an object")
	}
	const (
		hasEquals = 1 << iota
		hasExists
		hasKey
		hasObject
		hasUnchanged
	)
	seen, unknown := 0, ""
	var last string
	for n := 0; ; n++ {
		key, more, err := c.key(n == 0, &last)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		switch key {
		case "equals":
			seen |= hasEquals
			var ok bool
			if g.Value, ok = c.raw(MaxDepth - 3); !ok {
				return errForm
			}
		case "exists":
			seen |= hasExists
			g.Exists, err = c.boolean()
		case "key":
			seen |= hasKey
			var ok bool
			if g.Key, ok = c.str(); !ok {
				err = malformed("", "is no string")
			} else {
				err = checkKey(g.Key)
			}
		case "object":
			seen |= hasObject
			g.Object, err = c.uuid()
		case "unchanged":
			seen |= hasUnchanged
			err = c.yes()
		default:
			unknown = key
			if _, ok := c.raw(MaxDepth - 3); !ok {
				return errForm
			}
		}
		if err != nil {
			return under(key, err)
		}
	}
	switch {
	case unknown != "":
		return malformed("/"+escapePointer(unknown), "is no part of a guard")
	case seen == hasObject|hasExists:
		g.Kind = GuardObject
	case seen == hasObject|hasExists|hasKey:
		g.Kind = GuardKey
	case seen == hasObject|hasEquals|hasKey:
		g.Kind = GuardEquals
	case seen == hasObject|hasUnchanged:
		g.Kind = GuardUnchanged
	default:
		return malformed("", "is no guard")
	}
	return nil
}
