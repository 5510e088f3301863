// Date cells as seconds since 1970-01-01 UTC; see headway/runtime/feeds/dates.py, whose rules these are.

import { BadCellError } from "./errors.js";
import { isMissing, strip } from "./cells.js";

const MISSING = new Set(["", "na", "n/a", "nan", "nat", "null", "none", "?", "-"]);
const S = "[ \\t\\n\\r\\f\\v]*";
const PATTERN = new RegExp(
  `^([0-9]{4})(?:${S}[-/.年]${S}([0-9]{1,2})(?:${S}[-/.月]${S}([0-9]{1,2})${S}日?|${S}月)?|([0-9]{2})([0-9]{2}))` +
    `(?:[T \\t\\n\\r\\f\\v]*([0-9]{1,2})${S}[:时点]${S}(?:([0-9]{1,2})${S}(?:[:分]${S}(?:([0-9]{1,2})` +
    `(?:[.,]([0-9]{1,9}))?${S}秒?)?)?)?)?${S}(Z|UTC|[+-][0-9]{2}:?[0-9]{2})?$`,
  "i",
);

export function encodeDates(feed, rows) {
  const width = feed.columns.length;
  const data = new Float64Array(rows.length * width);
  rows.forEach((cells, row) =>
    feed.columns.forEach((name, column) => {
      data[row * width + column] = seconds(cells[name], row, name);
    }),
  );
  return { [feed.name]: { type: "float64", data, dims: [rows.length, width] } };
}

function seconds(value, row, name) {
  if (isMissing(value)) return NaN;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.getTime() / 1000;
  const spelt = typeof value === "number" && Number.isInteger(value) ? String(value) : value;
  const parsed = typeof spelt === "string" ? parseDate(strip(spelt)) : undefined;
  if (parsed === undefined) throw new BadCellError(row, name, "date", value);
  return parsed;
}

// The point in time that a text spells, NaN where it says "no value", undefined where it is none.
export function parseDate(text) {
  if (MISSING.has(text.toLowerCase())) return NaN;
  const found = PATTERN.exec(text);
  if (found === null) return undefined;
  const [, year, month, day, month2, day2, hour, minute, second, fraction, zone] = found;
  if (month === undefined && month2 === undefined) return undefined;
  const midnight = dayStart(Number(year), Number(month ?? month2), Number(day ?? day2 ?? 1));
  const [h, m, s] = [hour, minute, second].map((part) => Number(part ?? 0));
  const offset = zoneSeconds(zone);
  if (midnight === undefined || h >= 24 || m >= 60 || s >= 61 || offset === undefined) return undefined;
  return midnight - offset + h * 3600 + m * 60 + s + Number(`0.${fraction ?? 0}`);
}

function dayStart(year, month, day) {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exists = year >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists ? date.getTime() / 1000 : undefined;
}

function zoneSeconds(zone) {
  if (zone === undefined || !/^[+-]/.test(zone)) return 0;
  const size = Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(-2)) * 60;
  if (size >= 86400) return undefined;
  return zone[0] === "-" ? -size : size;
}
