//go:build !js

package memstore

import (
	"maps"
	"slices"
	"strconv"
)

// Damage changes what is stored of a stream: f is given each record, page and manifest by its name, and gives what stands there from now on.
func (d *Database) Damage(stream string, f func(name string, b []byte) []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.logs[stream]
	if l == nil {
		return
	}
	for i := range l.records {
		l.records[i] = f("record "+strconv.Itoa(int(l.first)+i), slices.Clone(l.records[i]))
	}
	for _, name := range slices.Sorted(maps.Keys(l.pages)) {
		l.pages[name] = f("page "+name, slices.Clone(l.pages[name]))
	}
	if l.manifest != nil {
		l.manifest = f("manifest", slices.Clone(l.manifest))
	}
	if l.spare != nil {
		l.spare = f("spare", slices.Clone(l.spare))
	}
}
