// Package plan is the border of the core: what comes in (Event), and what goes out (Plan, with its notices for apps). Both are
// data: a host that can carry out a plan, field by field, and bring what comes of it is all that a browser, a server or a simulator
// has to be.
//
// It knows nothing of what decides; draft.go is what a step writes its plan with. Begin with Plan.
package plan
