// Rows out of what is stored beside a local log: exact as of its last record, or not at all. core/rows/shown.go says what the texts hold.
import type { Row } from "../values/row.js";
import { Table } from "../rows/table.js";

/** What a stream shows as of a record. */
export interface Early {
  readonly lsn: number;
  readonly client: string;
  readonly conflictFree: boolean;
  readonly head: number;
  readonly unsent: number;
  readonly refused: number;
  readonly table: Table;
  /** The objects that pending actions name. */
  readonly pending: Set<string>;
}

/** What lacks: nothing that could be said, what is shown at a record, or the rows of a page. */
export type Lack = 0 | 1 | 2;

/** What is stored of a stream: which records, what is shown at which of them, and the rows of pages. */
export interface Stored {
  readonly log: readonly number[];
  readonly at: readonly number[];
  readonly texts: readonly string[];
  readonly rows: ReadonlyMap<string, string>;
}

interface Shown {
  head: number;
  unsent: number;
  refused: number;
  client?: string;
  conflictFree?: boolean;
  pages?: string[];
  rows?: Row[];
  gone?: string[];
  ownRows?: Row[];
  ownGone?: string[];
  done?: string[];
}

const slice = 8; // milliseconds of a task
const piece = 500; // rows that are put in between two looks at the clock

export async function assemble({ log, at, texts, rows }: Stored, breathe: () => Promise<void> = task): Promise<Early | Lack> {
  if (log.length === 0) return 0; // there is no stream of that name
  const first = log[0]!;
  if (log.length !== at.length || !log.every((lsn, i) => lsn === first + i && at[i] === lsn)) return 1;
  const table = new Table(null), pending = new Set<string>();
  let client = "", conflictFree = false, last!: Shown;
  let began = Date.now();
  const pause = async () => {
    if (Date.now() - began < slice) return;
    await breathe();
    began = Date.now();
  };
  for (const [i, text] of texts.entries()) {
    const shown = parsed<Shown>(text);
    if (!shown) return 1;
    if (i === 0 && first > 0) {
      if (!Array.isArray(shown.pages)) return 1;
      for (const name of shown.pages) {
        const page = parsed<Row[]>(rows.get(name));
        if (!page) return 2;
        table.put(page, []);
        await pause();
      }
    }
    await take(shown);
    client = shown.client ?? client;
    conflictFree = shown.conflictFree ?? conflictFree;
    last = shown;
  }
  const { head, unsent, refused } = last;
  if (!client || ![head, unsent, refused].every(Number.isSafeInteger)) return 1;
  return { lsn: log[log.length - 1]!, client, conflictFree, head, unsent, refused, table, pending };

  async function take({ rows = [], gone = [], ownRows = [], ownGone = [], done = [] }: Shown): Promise<void> {
    table.put([], gone);
    table.put([], ownGone);
    for (const list of [rows, ownRows]) {
      for (let i = 0; i < list.length; i += piece) {
        table.put(list.length > piece ? list.slice(i, i + piece) : list, []);
        await pause();
      }
    }
    for (const row of rows) pending.delete(row.id);
    for (const id of [...gone, ...done]) pending.delete(id);
    for (const row of ownRows) pending.add(row.id);
    for (const id of ownGone) pending.add(id);
  }
}

/** Changed bytes are no JSON, mostly; what is JSON all the same, the program finds when it compares. */
function parsed<T>(text: unknown): T | null {
  try {
    const value = typeof text === "string" ? (JSON.parse(text) as T) : null;
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

function task(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
