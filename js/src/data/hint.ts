// What contexts tell one another of data streams. Only hints: what counts is read from the store.

export interface Hint {
  data: "changed" | "here" | "who" | "left" | "acked" | "progress";
  name?: string;
  /** The context that is there. */
  from?: string;
  /** Entries that the server has, and at which index. */
  acked?: readonly (readonly [id: string, index: number])[];
  progress?: { id: string; sent: number; size: number } | null;
}
