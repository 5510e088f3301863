// Text cells as Unicode code points; see headway/runtime/feeds/characters.py, whose rules these are.

import { foldSpace, text, wellFormed } from "./cells.js";
import { pad } from "./padding.js";

// How much raw text is looked at for each character kept.
const RAW = 8;

export function encodeCharacters(feed, rows) {
  const [name] = feed.columns;
  const lines = rows.map((cells, row) => points(text(cells[name], row, name), feed));
  return { [feed.name]: pad(lines, { type: "int32", array: Int32Array, fill: 0 }) };
}

function points(value, feed) {
  if (!feed.normalise) return cut(value, feed.max_length).map(codePoint);
  return cut(normalise(cut(value, feed.max_length * RAW).join("")), feed.max_length).map(codePoint);
}

// Unicode form NFKC, lower case, white space folded to one blank and stripped.
export function normalise(value) {
  return foldSpace(value.normalize("NFKC").toLowerCase());
}

function cut(value, most) {
  return Array.from(value.length > 2 * most ? value.slice(0, 2 * most) : value).slice(0, most);
}

function codePoint(character) {
  return wellFormed(character).codePointAt(0) || 0xfffd;
}
