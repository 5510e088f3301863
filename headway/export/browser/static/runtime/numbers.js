// Number cells as float32; see headway/runtime/feeds/numbers.py, whose rules these are.

import { BadCellError } from "./errors.js";
import { isMissing, strip } from "./cells.js";

const MISSING = new Set(["", "na", "n/a", "nan", "null", "none", "?", "-"]);
const THOUSANDS = /^[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?$/;
const CURRENCY = /^([+-]?)[$\u00a3\u20ac\u00a5\uffe5\u20b9\u20a9]\s?(?=[\p{Nd}.])/u;
const DECIMAL = /^[+-]?(?:[0-9]+(?:_[0-9]+)*\.?(?:[0-9]+(?:_[0-9]+)*)?|\.[0-9]+(?:_[0-9]+)*)(?:[eE][+-]?[0-9]+(?:_[0-9]+)*)?$/;
const SPECIAL = /^([+-]?)(inf|infinity|nan)$/i;
const LARGEST = 3.4028234663852886e38;

export function encodeNumbers(feed, rows) {
  const width = feed.columns.length;
  const data = new Float32Array(rows.length * width);
  rows.forEach((cells, row) =>
    feed.columns.forEach((name, column) => {
      data[row * width + column] = clip(number(cells[name], row, name));
    }),
  );
  return { [feed.name]: { type: "float32", data, dims: [rows.length, width] } };
}

function number(value, row, name) {
  if (isMissing(value)) return NaN;
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  if (typeof value === "boolean") return value ? 1 : 0;
  const parsed = typeof value === "string" ? parseNumber(strip(value)) : undefined;
  if (parsed === undefined) throw new BadCellError(row, name, "number", value);
  return parsed;
}

// The number that a text without blanks around it spells, NaN where it says "no value", undefined where it is none.
export function parseNumber(text) {
  if (MISSING.has(text.toLowerCase())) return NaN;
  const bare = text.replace(CURRENCY, "$1");
  const plain = strip(digits(THOUSANDS.test(bare) ? bare.replaceAll(",", "") : bare));
  const special = SPECIAL.exec(plain);
  if (special) return special[2].toLowerCase() === "nan" ? NaN : special[1] === "-" ? -Infinity : Infinity;
  return DECIMAL.test(plain) ? Number(plain.replaceAll("_", "")) : undefined;
}

// Decimal digits of any script as 0 to 9; they stand in runs of ten in Unicode.
function digits(text) {
  return text.replace(/[^\p{ASCII}]/gu, (mark) => {
    if (!/\p{Nd}/u.test(mark)) return mark;
    const code = mark.codePointAt(0);
    let first = code;
    while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1;
    return String((code - first) % 10);
  });
}

function clip(value) {
  return Math.min(LARGEST, Math.max(-LARGEST, value));
}
