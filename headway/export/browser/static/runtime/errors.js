// The errors a reader can put right, with the same parts as in Python: what, where, expected, got.

export class HeadwayError extends Error {
  constructor(what, { where = "", expected = "", got = "" } = {}) {
    const details = [["expected", expected], ["got", got]].filter(([, text]) => text).map(([key, text]) => `${key}: ${text}`);
    super([where ? `${where}: ${what}` : what, ...details].join("; "));
    Object.assign(this, { what, where, expected, got });
  }
}

// A package that cannot be opened here: changed, unknown, or with an operator or a tokenizer that is not read.
export class PackageError extends HeadwayError {}

// Rows that do not fit the package.
export class InputError extends HeadwayError {}

const EXPECTED = {
  text: "text, a number, a truth value or a date",
  number: 'a number such as 12.5 or "1,250", or an empty cell',
  date: 'a date such as "2024-03-05", "2024-03-05 14:30" or "2024年3月5日", or an empty cell',
  image: "a PNG, JPEG, BMP, GIF or WebP image",
};

// One cell that is not of its `kind`; `row` counts from 0.
export class BadCellError extends InputError {
  constructor(row, column, kind, value) {
    super("a cell cannot be read", {
      where: `row ${row + 1}, column "${column}"`,
      expected: EXPECTED[kind],
      got: shown(value),
    });
    Object.assign(this, { row, column, kind });
  }
}

function shown(value) {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length <= 80 ? text : text.slice(0, 77) + "...";
}
