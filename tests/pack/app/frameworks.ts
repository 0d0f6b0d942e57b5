// What the bindings' types say: schemas go through, and mistakes are errors.
import { open } from "strandline";
import * as angular from "strandline/angular";
import * as solid from "strandline/solid";
import * as svelte from "strandline/svelte";
import * as vue from "strandline/vue";

type Schema = { todo: { title: string; done?: boolean } };
const options = { name: "x" };
{
  const { it: db } = vue.useDatabase(open, options);
  const { it: todos } = vue.useStream<Schema>(db, "a");
  const title: string | undefined = vue.useQuery(todos, () => ({ type: "todo" as const, where: { done: false } })).value[0]?.title;
  // @ts-expect-error no such field
  vue.useQuery(todos, { where: { titel: "x" } });
  void title;
}
{
  const { it: db } = solid.useDatabase(open, options);
  const { it: todos } = solid.useStream<Schema>(db, "a");
  const title: string | undefined = solid.useQuery(todos, { type: "todo", where: { done: false } })()[0]?.title;
  // @ts-expect-error no such field
  solid.useQuery(todos, { where: { titel: "x" } });
  void title;
}
{
  const db = svelte.useDatabase(open, options);
  const todos = svelte.useStream<Schema>(() => db.it, "a");
  const title: string | undefined = svelte.useQuery(() => todos.it, { type: "todo", where: { done: false } }).current[0]?.title;
  // @ts-expect-error no such field
  svelte.useQuery(() => todos.it, { where: { titel: "x" } });
  void title;
}
{
  const db = angular.injectDatabase(open, options);
  const todos = angular.injectStream<Schema>(db.it, "a");
  const title: string | undefined = angular.injectQuery(todos.it, { type: "todo", where: { done: false } })()[0]?.title;
  // @ts-expect-error no such field
  angular.injectQuery(todos.it, { where: { titel: "x" } });
  void title;
}
