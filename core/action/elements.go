package action

// CountElements counts the elements of a canonical array.
func CountElements(array string) int {
	n := 0
	for range Elements(array) {
		n++
	}
	return n
}

// Elements yields the texts of a canonical array's elements.
func Elements(array string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := 1; i < len(array)-1; {
			end := skip(array, i)
			if !yield(array[i:end]) {
				return
			}
			i = end + 1
		}
	}
}

// skip is the end of the value at b[i], which is known to be canonical.
func skip(b string, i int) int {
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		depth := 0
		for ; ; i++ {
			switch b[i] {
			case '"':
				i = skipString(b, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
	}
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' {
		i++
	}
	return i
}

func skipString(b string, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}
