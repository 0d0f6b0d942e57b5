import "@angular/compiler";
import { Component, createComponent, provideZonelessChangeDetection, type ApplicationRef } from "@angular/core";
import { createApplication } from "@angular/platform-browser";
import { injectDatabase, injectLive, injectQuery, injectRow, injectStream } from "strandline/angular";
import { add, open, options, stream, todos, tooMuch } from "../shared.js";

class List {
  db = injectDatabase(open, options);
  list = injectStream(this.db.it, stream);
  rows = injectQuery(this.list.it, todos);
  first = injectRow(this.list.it, () => this.rows()[0]?.id ?? "");
  status = injectLive(() => this.list.it()?.live.status, null);
  refused = injectLive(() => this.list.it()?.live.rejected, []);
  add() { add(this.list.it(), this.rows().length); }
  bad() { tooMuch(this.list.it()); }
}
Component({
  selector: "app-list",
  template: `
    <h1>{{ db.error() ? db.error()!.code : list.it() ? "open" : "opening" }}</h1>
    <p id="state">{{ status()?.state }}</p>
    <p id="first">{{ first()?.title }}</p>
    <ul>@for (row of rows(); track row.id) {<li>{{ row.title.slice(0, 10) }}</li>}</ul>
    <p id="refused">{{ refused()?.[0]?.code }}</p>
    <button id="add" (click)="add()">add</button>
    <button id="bad" (click)="bad()">too much</button>`,
})(List);

let app: ApplicationRef | null = null;
(window as any).show = async (yes: boolean) => {
  app?.destroy();
  app = null;
  document.getElementById("app")!.replaceChildren();
  if (!yes) return;
  app = await createApplication({ providers: [provideZonelessChangeDetection()] });
  const host = document.getElementById("app")!.appendChild(document.createElement("app-list"));
  app.attachView(createComponent(List, { hostElement: host, environmentInjector: app.injector }).hostView);
};
(window as any).show(true);
