import type { StreamStatus } from "../values/states.js";

/** What the loop knows of a stream beside what is stored. */
export interface Work {
  state: StreamStatus["state"];
  reason: StreamStatus["reason"];
  next: StreamStatus["next"];
  lastSynced: number | null;
  failure: { code: string; message: string } | null;
}

/** What contexts tell one another. */
export interface Hint {
  data: "changed" | "wake" | "open" | "close" | "who" | "left" | "acked" | "progress";
  name?: string;
  work?: Work;
  /** The context that opens or closes it. */
  from?: string;
  /** Entries that the server has, and at which index. */
  acked?: readonly (readonly [id: string, index: number])[];
  progress?: { id: string; sent: number; size: number };
}
