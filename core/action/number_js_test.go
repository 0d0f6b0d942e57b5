//go:build js && wasm

package action

import (
	"math"
	"math/rand/v2"
	"syscall/js"
	"testing"
)

// Numbers are written as JavaScript writes them, and JavaScript's own texts are canonical here. Batches keep the
// crossings few.
func TestNumbersAgainstJavaScript(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	format := js.Global().Call("Function", "bits", `
		const view = new DataView(new ArrayBuffer(8));
		return JSON.stringify(bits.split(",").map((b) => { view.setBigUint64(0, BigInt("0x" + b)); return String(view.getFloat64(0)); }));`)
	const batches, batch = 100, 2000
	for range batches {
		var bits []byte
		var floats []float64
		for len(floats) < batch {
			b := r.Uint64()
			switch r.IntN(4) { // shapes that apps use: integers, decimals, edges of the exponent form
			case 0:
				b = math.Float64bits(float64(r.Int64N(1<<55)) * math.Pow10(r.IntN(8)-4))
			case 1:
				b = math.Float64bits(math.Nextafter(math.Pow10(r.IntN(60)-30), math.Inf(r.IntN(2)*2-1)))
			}
			f := math.Float64frombits(b)
			if math.IsNaN(f) || math.IsInf(f, 0) {
				continue
			}
			if len(floats) > 0 {
				bits = append(bits, ',')
			}
			for shift := 60; shift >= 0; shift -= 4 {
				bits = append(bits, hexDigits[b>>shift&15])
			}
			floats = append(floats, f)
		}
		l := NewLexer(format.Invoke(string(bits)).String())
		err := l.Array(func(i int) error {
			want, err := l.Str()
			if got := string(AppendNumber(nil, floats[i])); got != want {
				t.Fatalf("%x: %s, JavaScript writes %s", math.Float64bits(floats[i]), got, want)
			}
			if end := canonicalEnd(want, 0, 1); end != len(want) {
				t.Fatalf("JavaScript's %s is not taken as canonical", want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// What JSON.stringify makes, in whatever order of keys, means the same after it was put into canonical form.
func TestCanonicalFormAgainstJavaScript(t *testing.T) {
	check := js.Global().Call("Function", "a", "b", `
		const sort = (v) => Array.isArray(v) ? v.map(sort) : v && typeof v === "object" ? Object.keys(v).sort().map((k) => [k, sort(v[k])]) : v;
		return JSON.stringify(sort(JSON.parse(a))) === JSON.stringify(sort(JSON.parse(b))) && b === (function canon(v) {
			if (Array.isArray(v)) return "[" + v.map(canon).join(",") + "]";
			if (v && typeof v === "object") return "{" + Object.keys(v).sort().map((k) => JSON.stringify(k) + ":" + canon(v[k])).join(",") + "}";
			return JSON.stringify(v);
		})(JSON.parse(a));`)
	make := js.Global().Call("Function", "seed", `
		let s = seed; const rnd = (n) => (s = (s * 1103515245 + 12345) % 2147483648) % n;
		const str = () => Array.from({length: rnd(6)}, () => String.fromCodePoint([rnd(0x80), 0x20ac, 0x1f600 + rnd(50), 0xfb33, 0x2028, 0xe000 + rnd(9)][rnd(6)])).join("");
		const val = (d) => { switch (rnd(d > 4 ? 5 : 7)) { case 0: return null; case 1: return !rnd(2); case 2: return (rnd(1e9) - 5e8) / 10 ** rnd(12); case 3: return rnd(1000) - 500; case 4: return str();
			case 5: return Array.from({length: rnd(5)}, () => val(d + 1)); default: return Object.fromEntries(Array.from({length: rnd(6)}, () => [str(), val(d + 1)])); } };
		return JSON.stringify(val(0));`)
	for seed := range 3000 {
		text := make.Invoke(seed + 1).String()
		canon, err := Canonical(text, MaxDepth)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !check.Invoke(text, canon).Bool() {
			t.Fatalf("%s became %s", text, canon)
		}
	}
}
