// Text cells as token ids.

import { PackageError } from "./errors.js";
import { text, wellFormed } from "./cells.js";
import { pad } from "./padding.js";
import { openTokenizer } from "./tokens/tokenizer.js";

// One tokenizer for each file, read once.
export class Tokenizers {
  #files;
  #open = new Map();

  constructor(files) {
    this.#files = files;
  }

  get(name) {
    if (!this.#open.has(name)) {
      const content = this.#files.get(name);
      if (content === undefined) throw new PackageError("a tokenizer is missing", { expected: `the file ${name}` });
      this.#open.set(name, openTokenizer(JSON.parse(new TextDecoder().decode(content)), name));
    }
    return this.#open.get(name);
  }
}

export function encodeTokens(feed, rows, tokenizers) {
  const tokenizer = tokenizers.get(feed.tokenizer);
  const [name] = feed.columns;
  const lines = rows.map((cells, row) =>
    tokenizer.encode(wellFormed(feed.prefix + text(cells[name], row, name)), feed.max_length),
  );
  const ids = pad(lines.map((line) => line.map(BigInt)), { type: "int64", array: BigInt64Array, fill: BigInt(feed.pad_id) });
  const mask = pad(lines.map((line) => line.map(() => 1n)), { type: "int64", array: BigInt64Array, fill: 0n });
  return { [`${feed.name}.ids`]: ids, [`${feed.name}.mask`]: mask };
}
