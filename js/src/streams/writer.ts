// What is written to a stream: each call makes one action, or few, in the program, at once; where there is none, it waits.
import { edited } from "./edit.js";
import { alone, created, doubtful, existing, imported, joined, op, parts, type Item } from "./many.js";
import type { Place } from "./place.js";
import { Transaction } from "./transaction.js";
import type { Waiting } from "./waiting.js";
import type { Writes } from "./writes.js";
import { returning } from "./returning.js";
import type { Rows } from "../rows/rows.js";
import { until, type Ending } from "../values/ending.js";
import { invalid, NotFoundError } from "../values/errors.js";
import { newID } from "../values/ids.js";
import { createHead, fieldsText, patchText, plain } from "../values/json.js";
import { outside } from "../values/paths.js";
import type { Row } from "../values/row.js";
import type { Shapes } from "../values/shapes.js";
import { bare } from "../values/sight.js";
import type { Conflict, ObjectChange, Rejected, Skipped } from "../values/states.js";
import { begin, refused, type Open, type Write } from "../values/write.js";

// Kinds of write, as wasm/exports.go has them.
const CREATE = 0;
const UPDATE = 1;
const REMOVE = 2;
const CREATE_AS = 3;
const TRANSACT = 4; // an export of its own
const AGAIN = 5; // another

// What is done again, as wasm/history.go has it.
const UNDO = 0;
const REDO = 1;
const RETRY = 2;
const RESTORE = 3;
const ADOPT = 4;

/** What the writer needs of its stream. */
export interface Desk {
  readonly rows: Rows;
  readonly writes: Writes;
  /** While there is no program. */
  readonly waiting: Waiting | null;
  /** Where there is one. Throws where nothing can be written. */
  readonly place: Place;
  /** The head of the log here. */
  readonly head: number;
  rejected(): readonly Rejected[] | null;
  /** An action was made. */
  wrote(): void;
  /** Something may have been left for the program to do. */
  pump(): void;
  /** How it stands has changed: a write waits. */
  statusChanged(): void;
}

/** The id of an object, or an error. */
export function objectID(id: unknown): string {
  if (typeof id !== "string" || id.length !== 36) throw new NotFoundError({ code: "not-found", message: `not-found: ${String(id)} is no object's id` });
  return id;
}

export class Writer {
  readonly #desk: Desk;
  readonly #shapes: Shapes;
  #group = ""; // of what is written: one step of undo; "" for none

  constructor(desk: Desk, shapes: Shapes) {
    this.#desk = desk;
    this.#shapes = shapes;
  }

  create(type: string, fields: object, options: { id?: string } = {}): Write<string | readonly string[]> {
    if (Array.isArray(fields)) return this.#many(() => created(type, fields as object[], options, this.#shapes));
    const id = options?.id;
    return this.#write(id === undefined ? CREATE : CREATE_AS, () => {
      const head = createHead(type, options), kept = this.#shapes.encode(type, fields), text = fieldsText(this.#shapes.add(type, kept, undefined));
      this.#shapes.validate(type, kept);
      return (id ?? "") + head + "\n" + text; // JSON.stringify writes no line break
    });
  }

  import(rows: readonly object[]): Write<readonly string[]> {
    return this.#many(() => imported(rows, this.#shapes));
  }

  /** What is wrong with one of them is told before any is written. */
  #many(read: () => Item[], early?: Item[]): Write<readonly string[]> {
    const { waiting, rows } = this.#desk;
    let first = 0;
    try {
      const place = waiting ? null : this.#desk.place;
      let items = early ?? read();
      for (const [i, item] of items.entries()) this.#shapes.validate(item.type, item.fields, `/${i}`);
      if (!place) {
        const copies = items.map((item) => ({ ...item, fields: JSON.parse(item.text) as object, id: item.id ?? newID() }));
        return this.#wait(() => this.#many(read, copies));
      }
      for (const [i, item] of items.entries()) if (item.given && rows.get(item.id!)) throw existing(i);
      if (items.some((item) => item.id === null)) {
        const fresh = place.newIDs(items.length);
        items = items.map((item, i) => ({ ...item, id: fresh[i]! }));
      }
      const ids = items.map((item) => item.id!), doubts = [...items.keys()].filter((i) => doubtful(items[i]!.fields, items[i]!.text));
      const all = parts(items.map(op));
      // Once the first action is written it is too late for what is wrong in the next one.
      for (const part of all.length > 1 ? all : []) {
        first = part.first;
        if (doubts.some((i) => i >= first && i < first + part.n)) place.check(part.ops);
      }
      const writes = all.map((part) => {
        first = part.first;
        return this.#done<void>(TRANSACT, (place) => {
          place.transact("", part.ops, 0);
          return true;
        });
      });
      return joined(writes, ids, this.#desk.head);
    } catch (e) {
      this.#desk.pump();
      return refused(alone(outside(e, true, first), first));
    }
  }

  update(id: string, patch: object): Write<void> {
    if (this.#desk.waiting && this.#shapes.adds) { // what is added depends on what came before it
      const copy = { ...patch };
      return this.#wait(() => this.update(id, copy), typeof id === "string" ? id : undefined);
    }
    const given = this.#desk.waiting ? { ...patch } : patch; // it may be another when it is looked at again
    return this.#write<void>(UPDATE, () => {
      const kept = this.#encode(id, patch), text = patchText(this.#add(id, kept));
      if (text !== "") this.#validate(id, kept);
      return text === "" ? "" : objectID(id) + text;
    }, () => this.#validate(id, this.#encode(id, given)));
  }

  /** A patch as it is kept: the object says which codecs there are. */
  #encode(id: string, patch: object): object {
    return this.#shapes.coded ? this.#shapes.encode(this.#desk.rows.get(id)?.type, patch) : patch;
  }

  /** A patch with what is added for older builds: the object says whether there is something. */
  #add(id: string, patch: object): object {
    if (!this.#shapes.adds) return patch;
    const row = this.#desk.rows.get(id);
    return this.#shapes.add(row?.type, patch, row);
  }

  edit(id: string, fn: (draft: { [key: string]: unknown }) => void): Write<void> {
    if (this.#desk.waiting) return this.#wait(() => this.edit(id, fn));
    return this.#write<void>(UPDATE, () => {
      const { rows } = this.#desk;
      const row = rows.get(objectID(id));
      if (!row) throw new NotFoundError({ code: "not-found", message: `not-found: no object has the id ${id}` });
      const patch = edited(row, fn, this.#shapes);
      const text = Object.keys(patch).length > 0 ? patchText(this.#add(id, patch)) : "";
      if (text !== "") this.#validate(id, patch);
      return text === "" ? "" : id + text;
    });
  }

  remove(id: string): Write<void> {
    return this.#write<void>(REMOVE, () => objectID(id));
  }

  transact(fn: (tx: Transaction) => void): Write<void> {
    const upon = this.#upon();
    return this.#apply<void>(TRANSACT, (place) => {
      if (typeof fn !== "function") throw invalid("", "transact takes a function");
      const tx = new Transaction({
        rows: this.#desk.rows, shapes: this.#shapes, newID: () => place.newID(), id: objectID,
        preview: (object, ops) => this.#desk.place.preview(object, ops),
      });
      tx.run(fn);
      if (tx.ops.length === 0) return false;
      this.#desk.place.transact(tx.guards.length > 0 ? `[${tx.guards.join(",")}]` : "", `[${tx.ops.join(",")}]`, upon); // fn may have closed it
      return true;
    });
  }

  /** What is written from here on is one step of undo, until that ends, or another one begins. */
  group(): Ending {
    const group = (this.#group = newID());
    return until(() => (this.#group = this.#group === group ? "" : this.#group));
  }

  #within<T>(group: string, write: () => T): T {
    const before = this.#group;
    this.#group = group;
    try {
      return write();
    } finally {
      this.#group = before;
    }
  }

  undo(): Write<Skipped> {
    return this.#again<Skipped>(UNDO, () => "");
  }

  redo(): Write<Skipped> {
    return this.#again<Skipped>(REDO, () => "");
  }

  retry(action: string, patch?: object): Write<void> {
    return this.#again<void>(RETRY, () => {
      const ops = patch === undefined ? [] : this.#desk.rejected()!.find((r) => r.action.id === action)?.action.ops ?? [];
      const typeOf = (op: (typeof ops)[number]) => op.type ?? this.#desk.rows.get(op.object)?.type;
      const type = ops.map(typeOf).find((type) => type !== undefined), shown = this.#shapes.encode(type, patch);
      let kept = shown;
      for (const op of ops) { // a patch is laid over the one create or update
        if (op.op !== "create" && op.op !== "update") continue;
        const made = op.op === "create", row = made ? this.#shapes.sight.see({ ...op.fields, id: op.object, type: op.type! }) : this.#desk.rows.get(op.object);
        if (!row) continue;
        const set = Object.entries(op.set ?? {}).filter(([key]) => Object.hasOwn(row, key) || !this.#shapes.view(row.type)); // what older builds see is not asked about
        this.#shapes.validatePatch(row, { ...Object.fromEntries(set), ...shown });
        kept = this.#shapes.add(row.type, shown!, row);
      }
      return objectID(action) + (kept === undefined ? "" : patchText(kept));
    });
  }

  restore(what: Conflict | ObjectChange): Write<void> {
    if (typeof what === "object" && what !== null && "changed" in what) return this.#bring(what);
    const conflict = what;
    return this.#again<void>(RESTORE, () => {
      plain(conflict, "");
      const { action, object, key, kind, index } = conflict;
      return `${objectID(action)}${objectID(object)}${index} ${kind} ${key}`;
    });
  }

  adopt(text: string): Write<void> {
    return this.#again<void>(ADOPT, () => text);
  }

  /** Makes an object what it was after a change of its history, as it is kept. */
  #bring({ object, row }: ObjectChange): Write<void> {
    return this.#apply<void>(TRANSACT, (place) => {
      const text = place.row(objectID(object)), op = returning(text === undefined ? null : bare(JSON.parse(text) as Row), row, object);
      if (op !== "") place.transact("", `[${op}]`, 0);
      return op !== "";
    });
  }

  /** Looks the object up where somebody is asked: an update does not, else. */
  #validate(id: string, patch: object): void {
    const row = this.#shapes.judges() ? this.#desk.rows.get(id) : undefined;
    if (row) this.#shapes.validatePatch(row, patch);
  }

  /** What was seen counts, not what is there when a write that waits is made. */
  #upon(): number {
    const { waiting } = this.#desk;
    return waiting && waiting.of.head > 0 ? waiting.of.head + 1 : 0;
  }

  /** Makes one action. make gives what crosses the border; an empty text where there is nothing to do. */
  #write<T>(kind: number, make: () => string, again: () => void = () => {}): Write<T> {
    const call = (place: Place, text: string, kind: number, now: number, upon: number) => {
      if (text === "") return false;
      place.write(kind, text, now, upon);
      return true;
    };
    if (!this.#desk.waiting) return this.#apply<T>(kind, (place) => call(place, make(), kind, Date.now(), 0));
    let text: string;
    try {
      text = make();
      if (kind === CREATE) [kind, text] = [CREATE_AS, newID() + text];
    } catch (e) {
      return refused<T>(outside(e, false));
    }
    const now = Date.now(), upon = this.#upon();
    const later = (place: Place) => {
      again(); // what came before it may have changed what it is about
      return call(place, text, kind, now, upon);
    };
    return this.#wait(() => this.#apply<T>(kind, later), text.slice(0, 36) || undefined);
  }

  /** Makes one when there is a program. */
  #wait<T>(make: () => Write<T>, object?: string): Write<T> {
    const group = this.#group;
    const write = this.#desk.waiting!.write(() => this.#within(group, make), object);
    this.#desk.statusChanged();
    return write;
  }

  /** Makes an action of what was. make gives what crosses the border. */
  #again<T>(kind: number, make: () => string): Write<T> {
    return this.#apply<T>(AGAIN, (place) => place.again(kind, make()));
  }

  /** Makes an action by a call of the core, which says false where there is nothing to do. */
  #apply<T>(kind: number, call: (place: Place) => boolean): Write<T> {
    if (this.#desk.waiting) return this.#wait(() => this.#apply<T>(kind, call));
    try {
      return this.#done<T>(kind, call);
    } catch (e) {
      this.#desk.pump(); // one that is refused since the server is out of reach looks whether it is back
      return refused<T>(outside(e, kind === TRANSACT));
    }
  }

  #done<T>(kind: number, call: (place: Place) => boolean): Write<T> {
    const place = this.#desk.place;
    const open = begin<T>();
    place.group(this.#group);
    if (!call(place)) {
      open.resolve(undefined as T);
      open.write.settle(this.#desk.head, null);
      return open.write;
    }
    const r = place.border;
    const ids = kind === AGAIN ? r.text() : r.ascii();
    open.ticket = r.header[4]!;
    open.write.action = ids.slice(0, 36);
    open.write.object = ids.slice(36, 72);
    if (ids.length > 72) open.value = { skipped: JSON.parse(ids.slice(72)) } as T;
    if (kind === CREATE || kind === CREATE_AS) open.value = open.write.object as T;
    this.#desk.writes.add(open as Open<unknown>);
    this.#desk.wrote();
    return open.write;
  }
}
