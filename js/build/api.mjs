// Prints the API reference, docs/API.md, out of the types: each declaration with the comment before it. make docs writes it; make lint fails
// where it is not the types' any more.
import { readFileSync } from "node:fs";
import ts from "typescript";
import { comment } from "./comments.mjs";

const sections = [
  ["strandline", "../types/strandline.d.ts", "For five minutes with it, see the [README](../README.md). "],
  ["Schemas, rows and queries", "../types/schema.d.ts", ""],
  ["strandline/sw", "../types/sw.d.ts", ""],
  ["strandline/inspector", "../types/inspector.d.ts", ""],
  ["strandline/status", "../types/status.d.ts", ""],
  ["strandline/test", "../types/test.d.ts", ""],
  ["strandline/react", "../types/react.d.ts", ""],
  ["strandline/vue", "../types/vue.d.ts", ""],
  ["strandline/svelte", "../types/svelte.d.ts", ""],
  ["strandline/solid", "../types/solid.d.ts", ""],
  ["strandline/angular", "../types/angular.d.ts", ""],
];
const out = ["# API reference", "", "Generated from the types by `make docs`.", ""];


/** A declaration as it stands, without the words that every one has, comments, and members that are told one by one. */
function code(node, source) {
  const text = node.getText(source).replace(/^export (declare )?/, "").replace(/;$/, "");
  if (!ts.isInterfaceDeclaration(node)) return text;
  return text.slice(0, text.indexOf("{")).trim();
}

const block = (text) => ["```ts", text, "```", ""];

for (const [name, path, more] of sections) {
  const source = ts.createSourceFile(path, readFileSync(new URL(path, import.meta.url), "utf8"), ts.ScriptTarget.ES2022, true);
  out.push(`## ${name}`, "");
  const head = ts.getLeadingCommentRanges(source.text, 0)?.filter((r) => source.text.startsWith("//", r.pos)) ?? [];
  if (head.length > 0) out.push(more + head.map((r) => source.text.slice(r.pos + 3, r.end).trim()).join(" "), "");
  for (const node of source.statements) {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isModuleDeclaration(node)) continue;
    const name = node.name?.text ?? node.declarationList.declarations[0].name.text;
    if (!node.modifiers?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword)) continue;
    const { said, example } = comment(node, source);
    out.push(`### ${name}`, "");
    if (said) out.push(said, "");
    out.push(...block(code(node, source)));
    if (example) out.push(...block(example));
    if (!ts.isInterfaceDeclaration(node)) continue;
    for (const member of node.members) {
      const { said, example } = comment(member, source);
      out.push(`- \`${member.getText(source).replace(/;$/, "").replace(/\s+/g, " ")}\`${said ? `<br>${said}` : ""}`);
      if (example) out.push("", ...block(example).slice(0, 3).map((line) => line.replace(/^(?=.)/gm, "  ")), "");
    }
    out.push("");
  }
}
process.stdout.write(out.join("\n").trimEnd() + "\n");
