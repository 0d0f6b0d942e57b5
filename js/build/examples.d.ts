// The names that the examples in the types' comments use.
import { open, bigint, bytes, date, increment, union, unviewed, without, unset, NothingToUndoError, UnsentError, type Codec, type DataStream, type Database, type Id, type Json, type KeptRow, type Newer, type Stream } from "strandline";
import { z } from "zod";

declare class Money { readonly cents: number; constructor(cents: number); }
type Todo = { title: string; done: boolean; likes?: number; due?: string; tags?: string[]; photo?: Json; address?: { city: string } };
declare const db: Database;
declare const todos: Stream<{ todo: Todo }>;
declare const stream: typeof todos;
declare const readings: DataStream, photos: DataStream;
declare const id: Id<"todo">, action: string;
declare const server: import("../types/test.js").TestServer;
declare const banner: HTMLElement, badge: HTMLElement, list: HTMLElement, input: HTMLInputElement;
declare const lines: readonly string[], text: string, file: Blob;
declare const session: { token(): Promise<string> };
declare function askToSignIn(): void;
declare function item(row: { readonly title: string }): Node;
