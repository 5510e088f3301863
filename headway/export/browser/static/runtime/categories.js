// Category cells as strings of one spelling.

import { canonical } from "./cells.js";

export function encodeCategories(feed, rows) {
  const data = rows.flatMap((cells, row) => feed.columns.map((name) => canonical(cells[name], row, name)));
  return { [feed.name]: { type: "string", data, dims: [rows.length, feed.columns.length] } };
}
