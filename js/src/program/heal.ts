// WebKit never opens a database again whose file is damaged. It can be deleted, and made anew.

const done = <T>(r: IDBRequest<T>) => new Promise<T>((resolve, reject) => {
  r.onsuccess = () => resolve(r.result);
  r.onerror = () => reject(r.error);
});

/** Whether an open has failed for that, as far as its message tells. */
export const damaged = (e: unknown): boolean => /unable to open database file/i.test(String((e as Error | null)?.message));

/** Deletes a database that cannot be opened for that. Where no other one can be opened either, it is not this one's file, and nothing is done. */
export async function heal(name: string): Promise<boolean> {
  const probe = `${name}/probe`;
  try {
    (await done(indexedDB.open(probe))).close();
    await done(indexedDB.deleteDatabase(probe));
    await done(indexedDB.deleteDatabase(name));
    return true;
  } catch {
    return false;
  }
}
