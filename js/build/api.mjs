// Prints the API reference, docs/API.md, out of the types: each declaration with the comment before it. make docs writes it; make lint fails
// where it is not the types' any more.
import { readFileSync } from "node:fs";
import ts from "typescript";

const sections = [
  ["strandline", "../types/strandline.d.ts", "For five minutes with it, see the [README](../README.md). "],
  ["strandline/sw", "../types/sw.d.ts", ""],
  ["strandline/inspector", "../types/inspector.d.ts", ""],
  ["strandline/react", "../types/react.d.ts", ""],
];
const out = ["# API reference", "", "Generated from the types by `make docs`.", ""];

/** The comment right before a node as running text. */
function comment(node, source) {
  const range = ts.getLeadingCommentRanges(source.text, node.getFullStart())?.at(-1);
  const text = range && source.text.slice(range.pos, range.end);
  if (!text?.startsWith("/**")) return "";
  return text.slice(3, -2).split("\n").map((line) => line.trim().replace(/^\* ?/, "")).join(" ").trim();
}

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
    const said = comment(node, source);
    out.push(`### ${node.name.text}`, "");
    if (said) out.push(said, "");
    if (!ts.isInterfaceDeclaration(node)) {
      out.push(...block(code(node, source)));
      continue;
    }
    out.push(...block(code(node, source)));
    for (const member of node.members) {
      const said = comment(member, source);
      out.push(`- \`${member.getText(source).replace(/;$/, "").replace(/\s+/g, " ")}\`${said ? `<br>${said}` : ""}`);
    }
    out.push("");
  }
}
process.stdout.write(out.join("\n").trimEnd() + "\n");
