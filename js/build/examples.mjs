// Compiles the examples in the comments of the types, each as a function of its own; what is wrong with one is told with its place, and ends with 1.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { comment } from "./comments.mjs";

const types = new URL("../types/", import.meta.url);
const given = readFileSync(new URL("examples.d.ts", import.meta.url), "utf8");
const parts = [];
for (const name of readdirSync(types).filter((name) => name.endsWith(".d.ts"))) {
  const source = ts.createSourceFile(name, readFileSync(new URL(name, types), "utf8"), ts.ScriptTarget.ES2022, true);
  const visit = (node) => {
    const { example } = ts.isStatement(node) || ts.isTypeElement(node) ? comment(node, source) : {};
    if (example) parts.push({ name, line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1, example });
    ts.forEachChild(node, visit);
  };
  visit(source);
}

// The guide's, too.
const guide = readFileSync(new URL("../../docs/SCHEMAS.md", import.meta.url), "utf8");
for (const found of guide.matchAll(/^```ts\n([^]*?)^```$/gm)) parts.push({ name: "SCHEMAS.md", line: guide.slice(0, found.index).split("\n").length, example: found[1].trimEnd() });

const path = fileURLToPath(new URL("examples.check.ts", import.meta.url));
const lines = given.split("\n"), places = [];
parts.forEach(({ name, line, example }, i) => {
  const body = example.split("\n");
  const imports = body.filter((text) => text.startsWith("import ") && !/ from "(strandline|zod)"/.test(text)); // they stand before all; these are given
  lines.unshift(...imports);
  places.unshift(...imports.map(() => null));
  while (places.length < lines.length) places.push(null);
  lines.push(`async function _${i}() {`, ...body.filter((text) => !text.startsWith("import ")), "}");
  while (places.length < lines.length) places.push(`${name}:${line}`);
});
const text = lines.join("\n");

const config = ts.readConfigFile(fileURLToPath(new URL("../../tests/types/tsconfig.json", import.meta.url)), ts.sys.readFile).config;
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, fileURLToPath(new URL("../../tests/types", import.meta.url)));
const host = ts.createCompilerHost({ ...options, noUnusedLocals: false, noUnusedParameters: false });
const { getSourceFile, fileExists } = host;
host.fileExists = (file) => file === path || fileExists.call(host, file);
host.getSourceFile = (file, ...rest) => (file === path ? ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true) : getSourceFile.call(host, file, ...rest));
const program = ts.createProgram([path], { ...options, noUnusedLocals: false, noUnusedParameters: false, noEmit: true }, host);
const wrong = ts.getPreEmitDiagnostics(program).map((d) => {
  const place = d.file?.fileName === path ? places[d.file.getLineAndCharacterOfPosition(d.start).line] ?? "the given names" : d.file?.fileName;
  return `${place}: ${ts.flattenDiagnosticMessageText(d.messageText, "\n")}`;
});
if (wrong.length > 0 || parts.length === 0) {
  console.error([...wrong, `${parts.length} examples`].join("\n"));
  process.exit(1);
}
