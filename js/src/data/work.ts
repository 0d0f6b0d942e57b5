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
  data: "changed" | "wake" | "open" | "close" | "who" | "left";
  name?: string;
  work?: Work;
}
