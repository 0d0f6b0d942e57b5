package undo

import "github.com/strandline-sync/strandline/core/action"

const (
	undoesMember = `{"undoes":"`
	groupMember  = `{"group":"`
)

// Meta is that of the action that takes another one back.
func Meta(target action.UUID) string { return undoesMember + target.String() + `"}` }

// Target is what an action takes back, by its meta; Nil for none.
func Target(meta string) action.UUID { return named(meta, undoesMember) }

// GroupMeta is the meta of the actions of a group: those that follow one another are one step.
func GroupMeta(id action.UUID) string { return groupMember + id.String() + `"}` }

// Group is the group of an action, by its meta; Nil for none.
func Group(meta string) action.UUID { return named(meta, groupMember) }

// named is the id that a meta of that form names.
func named(meta, form string) action.UUID {
	n := len(form)
	if len(meta) != n+36+len(`"}`) || meta[:n] != form {
		return action.Nil
	}
	id, _ := action.ParseUUID(meta[n : n+36])
	return id
}
