import assert from "node:assert/strict";
import test from "node:test";
import { Users } from "./users.js";

class Thing {
  end!: () => void;
  readonly closed = new Promise<void>((resolve) => (this.end = resolve));
  close = async () => {};
}

const turn = () => new Promise((r) => setTimeout(r));

function world() {
  const users = new Users<Thing>();
  let made = 0;
  const make = async () => {
    made++;
    const it = new Thing();
    users.made("a", it);
    return it;
  };
  return { users, open: () => users.open("a", make, (it) => it), n: () => made };
}

test("it is made once, and ends when all have let go", async () => {
  const { users, open, n } = world();
  const [one, two] = await Promise.all([open(), open()]);
  assert.equal(one, two);
  assert.deepEqual([n(), users.letGo("a", one), users.letGo("a", one)], [1, false, true]);
});

test("one that ends is made anew when it has: mount, unmount, mount", async () => {
  const { users, open, n } = world();
  const one = await open();
  assert.equal(users.letGo("a", one), true);
  let two: Thing | undefined;
  const again = open().then((it) => (two = it));
  await turn();
  assert.deepEqual([two, n()], [undefined, 1]);
  users.forget("a", one);
  one.end();
  await again;
  assert(one !== two);
  assert.deepEqual([n(), users.letGo("a", one), users.letGo("a", two!)], [2, true, true]);
});

test("who is refused has not opened it, and one that cannot be made is made anew", async () => {
  const { users, open } = world();
  const one = await open();
  let ended = 0;
  one.close = async () => void (users.letGo("a", one) && ended++);
  const refuse = () => users.open("a", async () => one, () => { throw new Error("no"); });
  await assert.rejects(refuse());
  assert.equal(ended, 0);
  const refused = refuse();
  await one.close(); // beside it
  await assert.rejects(refused);
  assert.equal(ended, 1);
  const other = new Users<Thing>();
  await assert.rejects(other.open("a", () => Promise.reject(new Error("not now")), (it) => it));
  const it = new Thing();
  assert.equal(await other.open("a", async () => it, (it) => it), it);
});
