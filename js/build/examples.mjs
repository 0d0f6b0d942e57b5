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

// Each is a file of its own, which the compiler alone sees: the given names, and the example as a function.
const here = fileURLToPath(new URL(".", import.meta.url)), tests = fileURLToPath(new URL("../../tests/types/", import.meta.url));
const files = new Map(parts.map(({ name, line, example }, i) => {
  const body = example.split("\n"), imported = (text) => text.startsWith("import ");
  const imports = body.filter((text) => imported(text) && !/ from "(strandline|zod)"/.test(text)); // these are given
  const text = [...imports, given, "export async function example() {", ...body.filter((text) => !imported(text)), "}"].join("\n");
  return [`${here}example${i}.check.ts`, { text, place: `${name}:${line}` }];
}));

const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(`${tests}tsconfig.json`, ts.sys.readFile).config, ts.sys, tests);
const asked = { ...options, noUnusedLocals: false, noUnusedParameters: false, noEmit: true };
const host = ts.createCompilerHost(asked), { getSourceFile, fileExists } = host;
host.fileExists = (file) => files.has(file) || fileExists.call(host, file);
host.getSourceFile = (file, ...rest) => (files.has(file) ? ts.createSourceFile(file, files.get(file).text, ts.ScriptTarget.ES2022, true) : getSourceFile.call(host, file, ...rest));
// What the bindings' types name of frameworks stands beside the bindings.
const bindings = fileURLToPath(new URL("../src/bindings/", import.meta.url));
const frameworks = readdirSync(bindings).filter((name) => name.endsWith("-module.d.ts")).map((name) => bindings + name);
const wrong = ts.getPreEmitDiagnostics(ts.createProgram([...files.keys(), ...frameworks], asked, host))
  .map((d) => `${files.get(d.file?.fileName)?.place ?? d.file?.fileName}: ${ts.flattenDiagnosticMessageText(d.messageText, "\n")}`);
if (wrong.length > 0 || parts.length === 0) {
  console.error([...wrong, `${parts.length} examples`].join("\n"));
  process.exit(1);
}
