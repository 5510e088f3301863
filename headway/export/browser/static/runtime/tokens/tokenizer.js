// Read a `tokenizer.json` of the Rust library `tokenizers` and turn text into the same ids.
//
// Components that are not read here raise an error that names them, so that no text is ever split another way.

import { PackageError } from "../errors.js";
import { readModel } from "./models.js";
import { readNormalizer } from "./normalizers.js";
import { readPreTokenizer } from "./splitting.js";

export function openTokenizer(json, file = "tokenizer.json") {
  try {
    const normalize = readNormalizer(json.normalizer);
    const split = readPreTokenizer(json.pre_tokenizer);
    const model = readModel(json.model);
    const frame = readFrame(json.post_processor);
    const raw = matcher(json.added_tokens.filter((token) => !token.normalized));
    const later = matcher(json.added_tokens.filter((token) => token.normalized));
    const ids = (text) => raw(text, (part) => later(normalize(part), (piece) => split(piece).flatMap(model)));
    return {
      encode(text, most) {
        const room = Math.max(0, most - frame.before.length - frame.after.length);
        return [...frame.before, ...ids(text).slice(0, room), ...frame.after];
      },
    };
  } catch (error) {
    if (!(error instanceof Unread)) throw error;
    throw new PackageError("the browser runtime does not read this tokenizer", {
      where: file,
      expected: `no ${error.message}`,
      got: error.message,
    });
  }
}

// A component of a tokenizer.json that is not read here.
export class Unread extends Error {}

// The ids around a single text.
function readFrame(json) {
  if (json === null || json === undefined || json.type === "ByteLevel") return { before: [], after: [] };
  if (json.type === "BertProcessing" || json.type === "RobertaProcessing") {
    return { before: [json.cls[1]], after: [json.sep[1]] };
  }
  if (json.type === "Sequence") {
    return json.processors.map(readFrame).reduce((outer, frame) => ({
      before: [...frame.before, ...outer.before],
      after: [...outer.after, ...frame.after],
    }));
  }
  if (json.type !== "TemplateProcessing") throw new Unread(`post-processor ${json.type}`);
  const place = json.single.findIndex((part) => part.Sequence);
  const side = (parts) => parts.flatMap((part) => json.special_tokens[part.SpecialToken.id].ids);
  return { before: side(json.single.slice(0, place)), after: side(json.single.slice(place + 1)) };
}

// A function that finds added tokens in a text, the longest first, and hands what lies between them on.
function matcher(tokens) {
  if (tokens.length === 0) return (text, rest) => (text === "" ? [] : rest(text));
  const known = new Map(tokens.map((token) => [token.content, token]));
  const longest = [...known.keys()].filter(Boolean).sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longest.map((content) => content.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|"), "gu");
  return (text, rest) => {
    const ids = [];
    let end = 0;
    for (const { 0: content, index } of text.matchAll(pattern)) {
      const token = known.get(content);
      if (index < end || (token.single_word && !standsAlone(text, index, content))) continue;
      let before = text.slice(end, index);
      if (token.lstrip) before = before.replace(/\p{White_Space}+$/u, "");
      if (before !== "") ids.push(...rest(before));
      ids.push(token.id);
      end = index + content.length;
      if (token.rstrip) end += /^\p{White_Space}*/u.exec(text.slice(end))[0].length;
    }
    if (end < text.length) ids.push(...rest(text.slice(end)));
    return ids;
  };
}

const WORD = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]";

function standsAlone(text, index, content) {
  const after = text.slice(index + content.length);
  return !new RegExp(`${WORD}$`, "u").test(text.slice(0, index)) && !new RegExp(`^${WORD}`, "u").test(after);
}
