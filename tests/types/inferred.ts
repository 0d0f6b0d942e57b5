// A schema that is inferred from validators, of the three libraries that people use most.
import { type as ark } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import { date, open, type Stream } from "strandline";

const db = await open({ name: "x" });

const zod = await db.stream("z", { schema: { todo: z.object({ title: z.string(), done: z.boolean(), tags: z.array(z.string()).optional() }), note: z.object({ text: z.string() }) } });
const valibot = await db.stream("v", { schema: { todo: v.object({ title: v.string(), done: v.boolean(), tags: v.optional(v.array(v.string())) }), note: v.object({ text: v.string() }) } });
const arktype = await db.stream("a", { schema: { todo: ark({ title: "string", done: "boolean", "tags?": "string[]" }), note: ark({ text: "string" }) } });

interface App { todo: { title: string; done: boolean; tags?: string[] }; note: { text: string } }
for (const s of [zod, valibot, arktype]) use(s as Stream<App>);
zod satisfies Stream<App>;

function use(s: Stream<App>): void {
  s.create("todo", { title: "a", done: false });
  // @ts-expect-error a wrong field
  s.create("todo", { title: 1, done: false });
}
zod.query({ type: "todo" })[0]!.title satisfies string;
valibot.query({ type: "todo" })[0]!.tags satisfies readonly string[] | undefined;
arktype.query({ type: "note" })[0]!.text satisfies string;
// @ts-expect-error no such type
zod.query({ type: "nope" });
// @ts-expect-error no such key
valibot.query({ type: "note", where: { title: "x" } });
// @ts-expect-error a wrong value
arktype.create("todo", { title: "a", done: "yes" });

const dated = await db.stream("d", { schema: { event: { shape: z.object({ at: z.date() }), codecs: { at: date } } }, conflictFree: true });
dated.query({ type: "event", where: { at: { lt: new Date() } } })[0]!.at.getTime() satisfies number;
// @ts-expect-error a field that is not JSON takes a codec
await db.stream("d", { schema: { event: z.object({ at: z.date() }) } });
