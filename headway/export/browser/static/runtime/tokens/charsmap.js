// The precompiled character map of SentencePiece: a double array (Darts) of byte strings, each with its replacement.

export function readCharsmap(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const size = view.getUint32(0, true);
  const units = new Uint32Array(size / 4).map((_, i) => view.getUint32(4 + 4 * i, true));
  const texts = bytes.subarray(4 + size);
  const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
  return (text) => {
    let out = "";
    for (const { segment } of segmenter.segment(text)) out += mapped(segment, units, texts);
    return out;
  };
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

// A grapheme of at most five bytes is looked up whole, then (or else) each of its characters.
function mapped(grapheme, units, texts) {
  const bytes = ENCODER.encode(grapheme);
  const whole = bytes.length < 6 ? replacement(bytes, units, texts) : undefined;
  if (whole !== undefined) return whole;
  return Array.from(grapheme, (character) => replacement(ENCODER.encode(character), units, texts) ?? character).join("");
}

// What stands for the shortest prefix of `bytes` in the map, undefined where none is in it.
function replacement(bytes, units, texts) {
  let node = offset(units[0]);
  for (const byte of bytes) {
    node ^= byte;
    const unit = units[node];
    if (unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) return undefined;
    node ^= offset(unit);
    if ((unit >>> 8) & 1) {
      const start = units[node] & 0x7fffffff;
      return DECODER.decode(texts.subarray(start, texts.indexOf(0, start)));
    }
  }
  return undefined;
}

function offset(unit) {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
