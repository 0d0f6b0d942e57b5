package action

import "strconv"

func (c *Cursor) guards(a *Action) error {
	if !c.Take('[') {
		return Malformed("", "is no array")
	}
	for n := 0; ; n++ {
		more, err := c.element(n == 0)
		if err != nil || !more {
			return err
		}
		if n == MaxGuards {
			return Fail(CodeTooLarge, "", "an action has at most 100 guards")
		}
		a.Guards = append(a.Guards, Guard{})
		if err := c.guard(&a.Guards[n]); err != nil {
			return Under(strconv.Itoa(n), err)
		}
	}
}

func (c *Cursor) guard(g *Guard) error {
	if !c.Take('{') {
		return Malformed("", "a guard is an object")
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
		key, more, err := c.Key(n == 0, &last)
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
			if g.Value, ok = c.Raw(MaxDepth - 3); !ok {
				return errForm
			}
		case "exists":
			seen |= hasExists
			g.Exists, err = c.boolean()
		case "key":
			seen |= hasKey
			var ok bool
			if g.Key, ok = c.Str(); !ok {
				err = Malformed("", "is no string")
			} else {
				err = CheckKey(g.Key)
			}
		case "object":
			seen |= hasObject
			g.Object, err = c.UUID()
		case "unchanged":
			seen |= hasUnchanged
			err = c.yes()
		default:
			unknown = key
			if _, ok := c.Raw(MaxDepth - 3); !ok {
				return errForm
			}
		}
		if err != nil {
			return Under(key, err)
		}
	}
	switch {
	case unknown != "":
		return Malformed("/"+EscapePointer(unknown), "is no part of a guard")
	case seen == hasObject|hasExists:
		g.Kind = GuardObject
	case seen == hasObject|hasExists|hasKey:
		g.Kind = GuardKey
	case seen == hasObject|hasEquals|hasKey:
		g.Kind = GuardEquals
	case seen == hasObject|hasUnchanged:
		g.Kind = GuardUnchanged
	default:
		return Malformed("", "is no guard")
	}
	return nil
}
