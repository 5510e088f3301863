// The pre-tokenizers of a tokenizer.json, as functions from text to pieces.

import { Unread } from "./tokenizer.js";

export function readPreTokenizer(json) {
  if (json === null || json === undefined) return (text) => [text];
  const read = READERS[json.type];
  if (read === undefined) throw new Unread(`pre-tokenizer ${json.type}`);
  return read(json);
}

// Rust's \w; JavaScript's knows ASCII only.
const WORDS = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;
const ASCII_PUNCTUATION = "!-\\/:-@\\[-`\\{-~";
const BERT = new RegExp(`[${ASCII_PUNCTUATION}\\p{P}]|[^${ASCII_PUNCTUATION}\\p{P}\\p{White_Space}]+`, "gu");
// GPT-2's pattern.
const PIECES = /'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

const READERS = {
  Sequence: (json) => {
    const steps = json.pretokenizers.map(readPreTokenizer);
    return (text) => steps.reduce((pieces, step) => pieces.flatMap(step), [text]);
  },
  Whitespace: () => (text) => text.match(WORDS) ?? [],
  WhitespaceSplit: () => (text) => text.match(/\P{White_Space}+/gu) ?? [],
  BertPreTokenizer: () => (text) => text.match(BERT) ?? [],
  Metaspace: (json) => {
    const mark = json.replacement;
    const scheme = json.prepend_scheme ?? (json.add_prefix_space === false ? "never" : "always");
    if (scheme === "first") throw new Unread("Metaspace with the prepend scheme first");
    const pieces = new RegExp(`${mark}?[^${mark}]+|${mark}`, "gu");
    return (text) => {
      let value = text.replaceAll(" ", mark);
      if (scheme === "always" && !value.startsWith(mark)) value = mark + value;
      return json.split === false ? [value] : (value.match(pieces) ?? []);
    };
  },
  ByteLevel: (json) => (text) => {
    const value = json.add_prefix_space && !text.startsWith(" ") ? ` ${text}` : text;
    const pieces = json.use_regex === false ? [value] : (value.match(PIECES) ?? []);
    return pieces.map(asBytes);
  },
};

const ENCODER = new TextEncoder();
const LETTERS = byteLetters();

function asBytes(piece) {
  return Array.from(ENCODER.encode(piece), (byte) => LETTERS[byte]).join("");
}

// GPT-2 writes each byte as a visible character.
function byteLetters() {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const visible = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCodePoint(visible ? byte : next++);
  });
}
