// The inspector's panel: its parts, and how they look.

const style = `
:host { color-scheme: light dark; display: block; font: 13px/1.45 system-ui, sans-serif; color: CanvasText; background: Canvas; container-type: inline-size; }
.grid { display: grid; gap: 0.75rem; padding: 0.75rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
.wide { grid-column: 1 / -1; }
h2 { margin: 0 0 0.25rem; font-size: 1em; }
p { margin: 0.25rem 0; }
section { min-width: 0; }
.scroll { max-height: 18rem; overflow: auto; border: 1px solid color-mix(in srgb, CanvasText 25%, Canvas); border-radius: 0.375rem; }
table { width: 100%; border-collapse: collapse; font: 12px/1.4 ui-monospace, monospace; }
th, td { padding: 0.15rem 0.5rem; text-align: start; vertical-align: top; white-space: nowrap; }
td { min-width: 4rem; max-width: 24rem; white-space: normal; overflow-wrap: anywhere; }
td:last-child { min-width: 12rem; max-width: none; }
th { position: sticky; top: 0; background: Canvas; font-weight: 600; }
tbody tr:nth-child(odd) { background: color-mix(in srgb, CanvasText 5%, Canvas); }
td button { color: inherit; background: none; border: 0; padding: 0; text-decoration: underline; }
button, input { font: inherit; }
button { cursor: pointer; text-align: start; }
button[aria-pressed="true"] { font-weight: 700; }
.tools { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; }
.tools input { flex: 1 1 12rem; min-width: 0; font-family: ui-monospace, monospace; }
:focus-visible { outline: 2px solid Highlight; }
[data-part="why"] { font-size: 1.1em; }
[data-part="problem"]:empty { display: none; }
@container (max-width: 30rem) {
  thead { display: none; }
  tr { display: block; padding: 0.35rem 0; }
  td, td:last-child { display: grid; min-width: 0; max-width: none; grid-template-columns: 6.5rem 1fr; white-space: normal; overflow-wrap: anywhere; }
  td::before { content: attr(data-title); opacity: 0.75; }
  td:empty { display: none; }
}`;

/** Builds the panel, and gives its parts by name. */
export function panel(root: ShadowRoot): (part: string) => HTMLElement {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [sheet];
  const main = document.createElement("div");
  main.className = "grid";
  const parts = new Map<string, HTMLElement>();
  const add = (name: string, title: string, wide: boolean) => {
    const section = document.createElement("section"), part = document.createElement("div");
    section.className = wide ? "wide" : "";
    part.dataset.part = name;
    parts.set(name, part);
    if (title) section.append(Object.assign(document.createElement("h2"), { textContent: title }));
    section.append(part);
    main.append(section);
  };
  add("about", "Strandline inspector", true);
  add("why", "", true);
  add("problem", "", true);
  parts.get("problem")!.setAttribute("role", "alert");
  add("tools", "", true);
  parts.get("tools")!.className = "tools";
  add("bundle", "", true);
  add("streams", "Streams", true);
  add("pending", "Pending", true);
  add("rejected", "Refused", true);
  add("conflicts", "Conflicts", true);
  add("ask", "Rows", true);
  parts.get("ask")!.className = "tools";
  add("rows", "", true);
  add("local", "Local log", false);
  add("log", "Log on the server", false);
  add("wakeups", "Wake-ups, and why", true);
  add("health", "What the browser gives", true);
  root.append(main);
  return (name) => parts.get(name)!;
}
