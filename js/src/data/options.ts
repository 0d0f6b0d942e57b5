// The name and the options of a data stream.

export type Keep = "all" | { entries?: number; bytes?: number };
export type DataStreamOptions = { contentType?: string; keep?: Keep };

/** A content type without parameters, in lower case. */
export const mediaType = (type: string) => type.split(";")[0]!.trim().toLowerCase();

const names = /^[A-Za-z0-9._~:/-]{1,200}$/;

/** Throws what invalid makes where they are none. */
export function checkOptions(invalid: (path: string, message: string) => Error, name: unknown, o: DataStreamOptions): void {
  if (typeof name !== "string" || !names.test(name) || name.split("/").some((part) => part === "" || part === "." || part === "..")) {
    throw invalid("/name", "a stream name has 1 to 200 of A-Z a-z 0-9 . _ - ~ : / and no empty, . or .. segment");
  }
  if (typeof o !== "object" || o === null) throw invalid("", "data takes an object of options");
  for (const key of Object.keys(o)) if (key !== "contentType" && key !== "keep") throw invalid(`/${key}`, "is no option");
  if (o.contentType !== undefined && (typeof o.contentType !== "string" || !/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+\s*(;.*)?$/.test(o.contentType))) throw invalid("/contentType", "is no media type");
  const { keep } = o;
  if (keep === undefined || keep === "all") return;
  if (typeof keep !== "object" || keep === null) throw invalid("/keep", 'is neither "all" nor an object');
  for (const [key, n] of Object.entries(keep)) {
    if (key !== "entries" && key !== "bytes") throw invalid(`/keep/${key}`, "is no option");
    if (!(Number.isInteger(n) && n! > 0)) throw invalid(`/keep/${key}`, "is no number from 1 on");
  }
}
