package layering

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
)

// rooms are the packages that core is on its way to, with their files; and below is what each may use.
var rooms = map[string]string{
	"action":   "action canon chain codec decode decode_guard elements entry errors key lexer number op sort stamp uuid slab doc",
	"protocol": "request wire problem hint",
	"locallog": "store frame manifest",
	"state":    "state table arena apply merge effect undo version inverse clients checkpoint checkpoint_reader paging page query live look check",
	"replica":  "replica local draft turn rest record read snapshot undoing history conflict conflictfree rejected quick planinstall newclient takeover queue",
	"loop":     "db loop stream commit load reload compact install lead slot status trace pause persisted refuge host transport hints rekey discard",
}

var below = map[string][]string{
	"action": nil, "protocol": {"action"}, "locallog": {"action"}, "state": {"action"},
	"replica": {"action", "protocol", "locallog", "state"},
	"loop":    {"action", "protocol", "locallog", "state", "replica"},
}

// upward is how many uses still point up or aside: it may only fall.
const upward = 0

// Core becomes packages whose arrows point down. Until it has none that point up, they are counted.
func TestUsesPointDown(t *testing.T) {
	roomOf := map[string]string{}
	for room, files := range rooms {
		for _, file := range strings.Fields(files) {
			roomOf[file+".go"] = room
		}
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for path := range sources(t, "core") {
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		if roomOf[filepath.Base(path)] == "" {
			t.Errorf("%s has no room", path)
		}
		files = append(files, f)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	pkg, err := conf.Check("core", fset, files, info)
	if err != nil {
		t.Fatal(err)
	}
	room := func(pos token.Pos) string { return roomOf[filepath.Base(fset.Position(pos).Filename)] }
	var up []string
	look := func(at token.Pos, from string, obj types.Object) {
		if to := room(obj.Pos()); to != from && !slices.Contains(below[from], to) {
			p := fset.Position(at)
			up = append(up, fmt.Sprintf("%s:%d: %s uses %s of %s", filepath.Base(p.Filename), p.Line, from, obj.Name(), to))
		}
	}
	for id, obj := range info.Uses {
		field, isVar := obj.(*types.Var)
		local := isVar && !field.IsField() && obj.Parent() != pkg.Scope()
		if obj.Pkg() == pkg && !local {
			look(id.Pos(), room(id.Pos()), obj)
		}
	}
	for _, f := range files {
		for _, d := range f.Decls {
			if m, ok := d.(*ast.FuncDecl); ok && m.Recv != nil {
				id, _ := ast.Unparen(deref(m.Recv.List[0].Type)).(*ast.Ident)
				if obj := info.Uses[id]; obj != nil && room(obj.Pos()) != room(m.Pos()) {
					up = append(up, fmt.Sprintf("%s: %s is a method of %s, which lives in %s", filepath.Base(fset.Position(m.Pos()).Filename), m.Name.Name,
						obj.Name(), room(obj.Pos())))
				}
			}
		}
	}
	if len(up) != upward {
		sort.Strings(up)
		t.Errorf("%d uses point up or aside, not %d:\n%s", len(up), upward, strings.Join(up, "\n"))
	}
}

func deref(e ast.Expr) ast.Expr {
	if star, ok := e.(*ast.StarExpr); ok {
		return star.X
	}
	return e
}
