// Words and tables of the inspector, made without any markup in a string, which strict policies forbid.

type Cell = string | number | Node;

/** A row; a title for each cell stands beside it where there is no room for a head. */
export function cells(...values: Cell[]): HTMLTableRowElement {
  const row = document.createElement("tr");
  for (const value of values) {
    const cell = document.createElement("td");
    cell.append(typeof value === "number" ? String(value) : value);
    row.append(cell);
  }
  return row;
}

export function table(titles: readonly string[], rows: HTMLTableRowElement[], all = rows.length): HTMLElement {
  const out = document.createElement("div"), head = document.createElement("thead"), body = document.createElement("tbody"), made = document.createElement("table");
  out.className = "scroll";
  out.tabIndex = 0;
  const top = document.createElement("tr");
  for (const title of titles) top.append(Object.assign(document.createElement("th"), { textContent: title, scope: "col" }));
  head.append(top);
  for (const row of rows) [...row.cells].forEach((cell, i) => (cell.dataset.title = titles[i] ?? ""));
  body.append(...rows);
  made.append(head, body);
  out.append(made);
  if (all > rows.length) out.append(text(`${all} in all`));
  return out;
}

export function button(words: string, click: () => void, label = words): HTMLButtonElement {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: words });
  made.setAttribute("aria-label", label);
  made.addEventListener("click", click);
  return made;
}

export const text = (words: string) => Object.assign(document.createElement("p"), { textContent: words });
export const time = (ms: number | null) => (ms ? new Date(ms).toLocaleTimeString(undefined, { hour12: false }) : "");
export const bytes = (n: number) => (n < 1024 ? `${n} B` : n < 1 << 20 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / (1 << 20)).toFixed(1)} MiB`);

/** How long ago, in words. */
export function age(since: number): string {
  const s = Math.max(0, Math.round((Date.now() - since) / 1000));
  return s < 90 ? `${s} s` : s < 5400 ? `${Math.round(s / 60)} min` : s < 172_800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86_400)} days`;
}
