// Cells as a page or a program hands them in: strings, numbers, truth values, dates, null.

import { BadCellError } from "./errors.js";

// What Python's str.strip and str.split take for white space; JavaScript's differs (U+FEFF, U+001C to U+001F, U+0085).
const SPACE = "\\t\\n\\v\\f\\r\\x1c-\\x1f \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const AROUND = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "g");
const RUNS = new RegExp(`[${SPACE}]+`, "g");

export function strip(text) {
  return text.replace(AROUND, "");
}

export function foldSpace(text) {
  return strip(text.replace(RUNS, " "));
}

export function isMissing(value) {
  return value === null || value === undefined || (typeof value === "number" && Number.isNaN(value));
}

// A cell as text: "" where missing, numbers as Python writes them, dates in ISO 8601.
export function text(value, row, name) {
  if (typeof value === "string") return value;
  if (isMissing(value)) return "";
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value === "number") return written(value);
  if (typeof value === "bigint") return String(value);
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString().replace(/\.000Z$|Z$/, "");
  throw new BadCellError(row, name, "text", value);
}

// The one spelling of a category value: no blanks around it, "1" for 1.0, "true" and "false" in lower case.
export function canonical(value, row, name) {
  const spelt = strip(text(value, row, name));
  if (/^[+-]?[0-9]+\.0+$/.test(spelt)) return spelt.slice(0, spelt.indexOf("."));
  return /^(?:True|False|TRUE|FALSE)$/.test(spelt) ? spelt.toLowerCase() : spelt;
}

// Python writes 1e-05 and 1e+16 where JavaScript writes 0.00001 and 10000000000000000; whole numbers are integers here.
function written(number) {
  if (number === Infinity) return "inf";
  if (number === -Infinity) return "-inf";
  if (Number.isInteger(number) && Math.abs(number) < 1e16) return String(number);
  const [digits, power] = number.toExponential().split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 16) return String(number);
  return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

// Lone surrogates, which no text should hold, become "?".
export function wellFormed(value) {
  return value.replace(/\p{Surrogate}/gu, "?");
}
