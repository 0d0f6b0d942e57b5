/** An object as apps get it: frozen all through, and the same one for as long as its content is the same. */
export type Row = { readonly id: string; readonly type: string; readonly [key: string]: unknown };
