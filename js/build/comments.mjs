// The comments of the types.
import ts from "typescript";

/** The comment right before a node: running text, and the code of its example. */
export function comment(node, source) {
  const range = ts.getLeadingCommentRanges(source.text, node.getFullStart())?.at(-1);
  const text = range && source.text.slice(range.pos, range.end);
  if (!text?.startsWith("/**")) return { said: "", example: "" };
  const lines = text.slice(3, -2).split("\n").map((line) => line.trimStart().replace(/^\* ?/, ""));
  const at = lines.indexOf("@example");
  if (at < 0) return { said: lines.map((line) => line.trim()).join(" ").trim(), example: "" };
  return { said: lines.slice(0, at).map((line) => line.trim()).join(" ").trim(), example: lines.slice(at + 1).join("\n").trimEnd() };
}
