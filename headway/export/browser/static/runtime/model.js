// A Headway package in the browser: rows in, answers out, with the same feeds and decisions as headway.runtime.
//
//   import { load } from "./runtime/model.js";
//   const model = await load(new URL("package/", location.href), { ort });
//   const [answer] = await model.predict([{ review: "房间很大" }]);
//   answer.prediction, answer.confidence, answer.probabilities

import { encodeCategories } from "./categories.js";
import { encodeCharacters } from "./characters.js";
import { encodeDates } from "./dates.js";
import { decide } from "./decisions.js";
import { InputError, PackageError } from "./errors.js";
import { encodeImages } from "./images.js";
import { encodeNumbers } from "./numbers.js";
import { fetcher, openSession, readPackage } from "./opening.js";
import { encodeTokens, Tokenizers } from "./tokens.js";

const ENCODERS = {
  number: encodeNumbers,
  category: encodeCategories,
  date: encodeDates,
  characters: encodeCharacters,
  tokens: encodeTokens,
  image: encodeImages,
};

// Open the package below the address `base`, or the one that `read(name)` gives the bytes of.
export async function load(base, { ort, onProgress, read } = {}) {
  const { manifest, files } = await readPackage(read ?? fetcher(base, onProgress));
  for (const { kind } of manifest.feeds) {
    if (!(kind in ENCODERS)) throw new PackageError(`the browser runtime does not read the feed ${kind}`);
  }
  const session = await openSession(ort, files.get("model.onnx"));
  files.delete("model.onnx");
  return new Model(manifest, session, ort, new Tokenizers(files));
}

export class Model {
  constructor(manifest, session, ort, tokenizers) {
    Object.assign(this, { manifest, session, ort, tokenizers });
  }

  // One answer for each row: `{prediction, confidence, probabilities: [[label, probability], ...]}`, or `{prediction}`
  // for a regression. Cells may be null or left out; raises `InputError` for one that cannot be read.
  async predict(rows) {
    if (rows.length === 0) return [];
    return this.answer(await this.encode(rows), rows.length);
  }

  // The graph's inputs by name: `{type, data, dims}`.
  async encode(rows) {
    const inputs = {};
    for (const feed of this.manifest.feeds) {
      for (const name of feed.columns) {
        if (!rows.some((row) => name in row)) throw new InputError(`the column "${name}" is missing`);
      }
      Object.assign(inputs, await ENCODERS[feed.kind](feed, rows, this.tokenizers));
    }
    return inputs;
  }

  // The answers to rows that are encoded already.
  async answer(inputs, rows) {
    const tensors = Object.entries(inputs).map(([name, { type, data, dims }]) => [
      name,
      new this.ort.Tensor(type, data, dims),
    ]);
    const outputs = await this.session.run(Object.fromEntries(tensors));
    const [{ data }] = Object.values(outputs);
    const width = data.length / rows;
    return Array.from({ length: rows }, (_, row) => this.#told(Array.from(data.slice(row * width, (row + 1) * width))));
  }

  #told(values) {
    const { task, labels } = this.manifest;
    if (task === "regress") return { prediction: values[0] };
    if (values.length !== labels.length) throw new PackageError("the graph does not answer the manifest's labels");
    const chosen = decide(values, this.manifest);
    const probabilities = labels.map((label, i) => [label, values[i]]);
    return { prediction: labels[chosen], confidence: values[chosen], probabilities };
  }
}
