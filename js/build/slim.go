package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// slim takes out of a Go program's wasm what only the line numbers of its stack traces need: the tables that lead from a program
// counter to a file and a line, and the names of files, and of functions that are neither ours nor of the runtime. The bytes become zeros, so
// nothing moves; Brotli makes nothing of them. docs/adr/0002-no-line-tables.md has the figures.
//
// The layout is that of Go 1.20 and later (runtime/symtab.go: pcHeader, functab, _func): anything else is an error.
func slim(wasm []byte) error {
	segments, err := dataSegments(wasm)
	if err != nil {
		return err
	}
	top := 0
	for _, s := range segments {
		top = max(top, s.address+s.size)
	}
	memory := make([]byte, top)
	for _, s := range segments {
		copy(memory[s.address:], wasm[s.offset:s.offset+s.size])
	}
	if err := withoutLines(memory); err != nil {
		return err
	}
	for _, s := range segments {
		copy(wasm[s.offset:s.offset+s.size], memory[s.address:])
	}
	return nil
}

// segment is a piece of the initial memory: where it goes, and where it stands in the file.
type segment struct{ address, offset, size int }

var errWasm = errors.New("slim: not the wasm of a Go program")

// reader reads LEB128 numbers; past the end it sets bad.
type reader struct {
	b   []byte
	i   int
	bad bool
}

func (r *reader) byte() byte {
	if r.i >= len(r.b) {
		r.bad = true
		return 0
	}
	r.i++
	return r.b[r.i-1]
}

func (r *reader) uint() (n int) {
	for shift := 0; shift < 63; shift += 7 {
		c := r.byte()
		n |= int(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
	r.bad = true
	return 0
}

// dataSegments finds section 11 of the file; its segments are active ones with a constant address.
func dataSegments(wasm []byte) (out []segment, err error) {
	const header, sectionData, i32Const, end = 8, 11, 0x41, 0x0b
	r := &reader{b: wasm, i: header}
	for r.i < len(wasm) && !r.bad {
		id, size := r.byte(), r.uint()
		next := r.i + size
		if id != sectionData {
			r.i = next
			continue
		}
		for range r.uint() {
			mode, op, address := r.uint(), r.byte(), r.uint()
			if mode != 0 || op != i32Const || r.byte() != end {
				return nil, errWasm
			}
			s := segment{address: address, size: r.uint()}
			s.offset = r.i
			if r.i += s.size; r.bad || r.i > next {
				return nil, errWasm
			}
			out = append(out, s)
		}
		return out, nil
	}
	return nil, errWasm
}

// Offsets in the header of the table of functions, and in a function's entry.
const (
	headerFuncs, headerNames, headerFileNames           = 8, 32, 40
	headerTables, headerEntries                         = 56, 64
	funcFrame, funcFile, funcLine, funcTables, funcUnit = 16, 20, 24, 28, 32
	funcStart, funcDatas, funcFixed                     = 36, 43, 44
)

// Kinds of tables and of data of a function, as internal/abi/symtab.go and runtime/symtabinl.go have them.
const (
	tableStackMap, tableInlined                   = 1, 2
	dataInlined, dataArguments, dataArgumentsLive = 3, 5, 6

	none         = ^uint32(0) // no data
	inlinedSize  = 16         // of one inlined call
	argumentsEnd = 0xff
)

// Words of the runtime's moduledata.
const (
	moduleHeader, moduleNames, moduleData = 0, 1, 40
)

// dataOf finds where the data of functions begins: the runtime's description of the program, which points at the table of functions, tells.
func dataOf(memory []byte, base int) (int, error) {
	le := binary.LittleEndian
	names := uint64(base) + le.Uint64(memory[base+headerNames:])
	for i := 0; i+8*(moduleData+1) <= len(memory); i += 8 {
		if le.Uint64(memory[i+8*moduleHeader:]) == uint64(base) && le.Uint64(memory[i+8*moduleNames:]) == names {
			if data := int(le.Uint64(memory[i+8*moduleData:])); data > 0 && data < len(memory) {
				return data, nil
			}
			break
		}
	}
	return 0, fmt.Errorf("slim: no description of the program in the layout that is known")
}

// tableHighest is the highest value in a table.
func tableHighest(tables []byte, from int) (int, error) {
	r := &reader{b: tables, i: from}
	value, highest := -1, -1
	for first := true; ; first = false {
		change := r.uint()
		if r.bad {
			return 0, errWasm
		}
		if change == 0 && !first {
			return highest, nil
		}
		value += change>>1 ^ -(change & 1)
		highest = max(highest, value)
		r.uint()
	}
}

var tableMagic = []byte{0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8} // version, padding, instruction and pointer size

func withoutLines(memory []byte) error {
	base := -1
	for i := 0; i+72 <= len(memory); i += 8 {
		if string(memory[i:i+8]) == string(tableMagic) {
			if base >= 0 {
				return fmt.Errorf("slim: two tables of functions, at %d and %d", base, i)
			}
			base = i
		}
	}
	if base < 0 {
		return fmt.Errorf("slim: no table of functions in the layout that is known")
	}
	le := binary.LittleEndian
	at := func(offset int) int { return base + int(le.Uint64(memory[base+offset:])) }
	funcs := int(le.Uint64(memory[base+headerFuncs:]))
	fileNames, tables, entries := at(headerFileNames), at(headerTables), at(headerEntries)
	if !(base < fileNames && fileNames < tables && tables < entries && entries+8*funcs < len(memory)) {
		return errWasm
	}
	data, err := dataOf(memory, base)
	if err != nil {
		return err
	}
	dropped, stays := map[uint32]int{}, map[uint32]bool{} // data of functions: offset → size
	needed := make([]bool, entries-tables)                // by tables that stay
	for i := range funcs {
		f := entries + int(le.Uint32(memory[entries+8*i+4:]))
		keep := []uint32{le.Uint32(memory[f+funcFrame:])}
		inlined := 0 // calls
		ntables := int(le.Uint32(memory[f+funcTables:]))
		for j := range ntables {
			field := memory[f+funcFixed+4*j:]
			offset := le.Uint32(field)
			switch {
			case j == tableStackMap:
				keep = append(keep, offset)
				continue
			case j == tableInlined && offset != 0:
				highest, err := tableHighest(memory[tables:entries], int(offset))
				if err != nil {
					return err
				}
				inlined = highest + 1
			}
			le.PutUint32(field, 0)
		}
		for j := range int(memory[f+funcDatas]) {
			field := memory[f+funcFixed+4*(ntables+j):]
			offset := le.Uint32(field)
			if offset == none {
				continue
			}
			switch j {
			case dataInlined:
				dropped[offset] = max(dropped[offset], inlinedSize*inlined)
			case dataArguments:
				dropped[offset] = max(dropped[offset], bytes.IndexByte(memory[data+int(offset):], argumentsEnd)+1)
			case dataArgumentsLive:
			default:
				stays[offset] = true
				continue
			}
			le.PutUint32(field, none)
		}
		for _, offset := range keep {
			if offset == 0 {
				continue
			}
			from := int(offset)
			to, err := tableEnd(memory[tables:entries], from)
			if err != nil {
				return err
			}
			for k := from; k < to; k++ {
				needed[k] = true
			}
		}
		for _, field := range [...]int{funcFile, funcLine, funcUnit, funcStart} { // 0 stands for no table
			le.PutUint32(memory[f+field:], 0)
		}
	}
	for i, stays := range needed {
		if !stays {
			memory[tables+i] = 0
		}
	}
	for offset, size := range dropped {
		if !stays[offset] {
			clear(memory[data+int(offset):][:size])
		}
	}
	clear(memory[fileNames:tables])
	withoutNames(memory[at(headerNames):fileNames])
	return nil
}

// withoutNames takes out the names of functions that are neither ours nor of the runtime, which looks at its own. A stack trace has gaps there.
func withoutNames(names []byte) {
	for len(names) > 0 {
		name, rest, _ := bytes.Cut(names, []byte{0})
		if !bytes.HasPrefix(name, []byte("runtime.")) && !bytes.HasPrefix(name, []byte("internal/runtime/")) && !bytes.HasPrefix(name, []byte("main.")) &&
			!bytes.Contains(name, []byte("strandline")) && !bytes.HasPrefix(name, []byte("panic")) {
			clear(name)
		}
		names = rest
	}
}

// tableEnd finds the end of one table: pairs of numbers up to a value change of 0 that is not the first.
func tableEnd(tables []byte, from int) (int, error) {
	r := &reader{b: tables, i: from}
	for first := true; ; first = false {
		if value := r.uint(); r.bad {
			return 0, errWasm
		} else if value == 0 && !first {
			return r.i, nil
		}
		r.uint()
	}
}
