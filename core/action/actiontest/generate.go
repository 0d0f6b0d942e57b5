package actiontest

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"github.com/strandline-sync/strandline/core/action"
)

// Generated actions live in a small world, so that they meet.

func genClient(t *rapid.T) action.UUID {
	return action.UUID{15: byte(10 + rapid.IntRange(0, 2).Draw(t, "client"))}
}

func genObject(t *rapid.T) string {
	return action.UUID{0: 0x0b, 15: byte(rapid.IntRange(1, 5).Draw(t, "object"))}.String()
}

var GenKeys = []string{"a", "b", "n", "list", "é", "__proto__"}

func GenValue(t *rapid.T) string {
	return rapid.SampledFrom([]string{"null", "true", `"x"`, `"é\n"`, "0", "1", "2.5", "-3", "[]", "[1,2]", `["x",[1]]`, `{"k":1}`, "1.7e+308"}).Draw(t, "value")
}

func Op(t *rapid.T, server bool) string {
	id := genObject(t)
	if server {
		return fmt.Sprintf(`{"op":"unlock","object":"%s"}`, id)
	}
	switch rapid.IntRange(0, 5).Draw(t, "op") {
	case 0, 1:
		lock := ""
		if rapid.IntRange(0, 3).Draw(t, "lock") == 0 {
			lock = `,"lock":true`
		}
		return fmt.Sprintf(`{"op":"create","object":"%s","type":"t","fields":%s%s}`, id, genFields(t), lock)
	case 2:
		return fmt.Sprintf(`{"op":"remove","object":"%s"}`, id)
	}
	keys := rapid.Permutation(GenKeys).Draw(t, "keys")
	n := rapid.IntRange(0, len(keys)).Draw(t, "n")
	parts := map[string][]string{}
	var unset []string
	for _, key := range keys[:n] {
		quoted := string(action.AppendString(nil, key))
		switch rapid.IntRange(0, 4).Draw(t, "part") {
		case 0:
			parts["set"] = append(parts["set"], quoted+":"+GenValue(t))
		case 1:
			unset = append(unset, quoted)
		case 2:
			parts["inc"] = append(parts["inc"], quoted+":"+rapid.SampledFrom([]string{"1", "-1", "0.1", "1.7e+308"}).Draw(t, "by"))
		case 3:
			parts["union"] = append(parts["union"], quoted+":"+rapid.SampledFrom([]string{"[]", "[1]", "[1,1]", `["x",3]`}).Draw(t, "values"))
		default:
			parts["without"] = append(parts["without"], quoted+":"+rapid.SampledFrom([]string{"[]", "[1]", `["x",2]`}).Draw(t, "values"))
		}
	}
	text := fmt.Sprintf(`{"op":"update","object":"%s"`, id)
	for part, members := range parts {
		text += fmt.Sprintf(`,"%s":{%s}`, part, strings.Join(members, ","))
	}
	if len(unset) > 0 {
		text += fmt.Sprintf(`,"unset":[%s]`, strings.Join(unset, ","))
	}
	return text + "}"
}

func genFields(t *rapid.T) string {
	var members []string
	for _, key := range GenKeys {
		if rapid.Bool().Draw(t, "has") {
			members = append(members, string(action.AppendString(nil, key))+":"+GenValue(t))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func Guard(t *rapid.T) string {
	id := genObject(t)
	switch rapid.IntRange(0, 3).Draw(t, "guard") {
	case 0:
		return fmt.Sprintf(`{"object":"%s","exists":%t}`, id, rapid.Bool().Draw(t, "exists"))
	case 1:
		return fmt.Sprintf(`{"object":"%s","key":"%s","exists":%t}`, id, "a", rapid.Bool().Draw(t, "exists"))
	case 2:
		return fmt.Sprintf(`{"object":"%s","key":"%s","equals":%s}`, id, "n", GenValue(t))
	}
	return fmt.Sprintf(`{"object":"%s","unchanged":true}`, id)
}

// Action draws an action; its text is not canonical.
func Action(t *rapid.T, serial int, head uint64) *action.Action {
	client, seq := genClient(t), rapid.IntRange(1, 40).Draw(t, "seq")
	server := rapid.IntRange(0, 19).Draw(t, "server") == 0
	if server {
		client, seq = action.Nil, 0
	}
	var ops, guards []string
	for range rapid.IntRange(1, 4).Draw(t, "ops") {
		ops = append(ops, Op(t, server))
	}
	for range rapid.IntRange(0, 6).Draw(t, "guards") - 4 {
		guards = append(guards, Guard(t))
	}
	text := fmt.Sprintf(`{"id":"%s","client":"%s","seq":%d,"base":%d,"ops":[%s]`, action.UUID{0: 0xac, 14: byte(serial >> 8), 15: byte(serial)}, client, seq,
		rapid.Uint64Range(0, head).Draw(t, "base"), strings.Join(ops, ","))
	if len(guards) > 0 {
		text += `,"if":[` + strings.Join(guards, ",") + `]`
	}
	if rapid.IntRange(0, 3).Draw(t, "atomic") == 0 {
		text += `,"atomic":true`
	}
	a, err := action.DecodeAction(text + "}")
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return a
}

func GenLog(t *rapid.T) (log []*action.Action) {
	for i := range rapid.IntRange(0, 30).Draw(t, "entries") {
		log = append(log, Action(t, i, uint64(i)))
	}
	return log
}
