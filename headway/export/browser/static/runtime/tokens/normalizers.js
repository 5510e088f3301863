// The normalizers of a tokenizer.json, as functions from text to text.

import { readCharsmap } from "./charsmap.js";
import { Unread } from "./tokenizer.js";

export function readNormalizer(json) {
  if (json === null || json === undefined) return (text) => text;
  const read = READERS[json.type];
  if (read === undefined) throw new Unread(`normalizer ${json.type}`);
  return read(json);
}

const READERS = {
  Sequence: (json) => {
    const steps = json.normalizers.map(readNormalizer);
    return (text) => steps.reduce((value, step) => step(value), text);
  },
  NFC: () => (text) => text.normalize("NFC"),
  NFD: () => (text) => text.normalize("NFD"),
  NFKC: () => (text) => text.normalize("NFKC"),
  NFKD: () => (text) => text.normalize("NFKD"),
  Lowercase: () => lower,
  Prepend: (json) => (text) => (text === "" ? text : json.prepend + text),
  Strip: (json) => (text) => {
    const left = json.strip_left ? text.replace(/^\p{White_Space}+/u, "") : text;
    return json.strip_right ? left.replace(/\p{White_Space}+$/u, "") : left;
  },
  StripAccents: () => stripMarks,
  Replace: (json) => {
    const { Regex: source, String: plain } = json.pattern;
    if (source === undefined) return (text) => text.replaceAll(plain, () => json.content);
    const pattern = new RegExp(source, "gu");
    return (text) => text.replace(pattern, () => json.content);
  },
  BertNormalizer: (json) => {
    const strips = json.strip_accents ?? json.lowercase;
    return (text) => {
      let value = json.clean_text ? clean(text) : text;
      if (json.handle_chinese_chars) value = value.replace(CHINESE, " $& ");
      if (strips) value = stripMarks(value.normalize("NFD"));
      return json.lowercase ? lower(value) : value;
    };
  },
  Precompiled: (json) => readCharsmap(json.precompiled_charsmap),
};

const CHINESE = new RegExp(
  "[\\u{4E00}-\\u{9FFF}\\u{3400}-\\u{4DBF}\\u{20000}-\\u{2A6DF}\\u{2A700}-\\u{2B73F}\\u{2B740}-\\u{2B81F}" +
    "\\u{2B920}-\\u{2CEAF}\\u{F900}-\\u{FAFF}\\u{2F800}-\\u{2FA1F}]",
  "gu",
);

// Letter by letter: JavaScript would lower a final sigma by its position.
function lower(text) {
  return Array.from(text, (character) => character.toLowerCase()).join("");
}

function stripMarks(text) {
  return text.replace(/\p{Mn}/gu, "");
}

function clean(text) {
  const kept = text.replace(/(?![\t\n\r])[\0\u{FFFD}\p{Cc}\p{Cf}\p{Cn}\p{Co}]/gu, "");
  return kept.replace(/\p{White_Space}/gu, " ");
}
