/** Where this classic script is. currentScript is there only while the script is first run; in a worker that imports scripts, only a stack tells. */
export function scriptURL(): string {
  const script = typeof document === "undefined" ? null : (document.currentScript as HTMLScriptElement | null);
  return script?.src || /\bhttps?:\/\/[^\s)]+?(?=:\d+:\d+)/.exec(new Error().stack ?? "")?.[0] || globalThis.location?.href || "";
}
