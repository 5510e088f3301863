// The models of a tokenizer.json, as functions from one piece of text to token ids.

import { Unread } from "./tokenizer.js";

export function readModel(json) {
  const type = json.type ?? (json.merges ? "BPE" : Array.isArray(json.vocab) ? "Unigram" : "WordPiece");
  const read = READERS[type];
  if (read === undefined) throw new Unread(`model ${type}`);
  return read(json);
}

const READERS = { BPE: readPairs, WordPiece: readWordPieces, Unigram: readUnigram };
const UNKNOWN_PENALTY = 10;

// Byte-pair encoding (Sennrich et al. 2016): the neighbours of lowest rank are merged first, the leftmost of equals.
function readPairs(json) {
  for (const option of ["continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "dropout"]) {
    if (json[option]) throw new Unread(`BPE with ${option}`);
  }
  const ids = new Map(Object.entries(json.vocab));
  const ranks = new Map(json.merges.map((pair, rank) => [Array.isArray(pair) ? pair.join(" ") : pair, rank]));
  const unknown = json.unk_token === null ? undefined : ids.get(json.unk_token);
  return (piece) => {
    if (json.ignore_merges && ids.has(piece)) return [ids.get(piece)];
    const found = merge(Array.from(piece), ranks).map((part) => ids.get(part) ?? unknown);
    const known = found.filter((id) => id !== undefined);
    return json.fuse_unk ? known.filter((id, i) => id !== unknown || known[i - 1] !== unknown) : known;
  };
}

function merge(parts, ranks) {
  const rank = (i) => ranks.get(`${parts[i]} ${parts[i + 1]}`) ?? Infinity;
  const order = parts.slice(1).map((_, i) => rank(i));
  for (;;) {
    let lowest = 0;
    for (let i = 1; i < order.length; i += 1) if (order[i] < order[lowest]) lowest = i;
    if (!(order[lowest] < Infinity)) return parts;
    parts.splice(lowest, 2, parts[lowest] + parts[lowest + 1]);
    order.splice(lowest, 1);
    if (lowest > 0) order[lowest - 1] = rank(lowest - 1);
    if (lowest < order.length) order[lowest] = rank(lowest);
  }
}

// WordPiece (Schuster and Nakajima 2012): the longest known beginning, then the longest known rest.
function readWordPieces(json) {
  const ids = new Map(Object.entries(json.vocab));
  const unknown = [ids.get(json.unk_token)];
  return (piece) => {
    const letters = Array.from(piece);
    if (letters.length > json.max_input_chars_per_word) return unknown;
    const found = [];
    for (let start = 0; start < letters.length; ) {
      let end = letters.length;
      let id;
      for (; end > start; end -= 1) {
        const part = letters.slice(start, end).join("");
        id = ids.get(start > 0 ? json.continuing_subword_prefix + part : part);
        if (id !== undefined) break;
      }
      if (id === undefined) return unknown;
      found.push(id);
      start = end;
    }
    return found;
  };
}

// Unigram language model (Kudo 2018): the split of highest probability, by Viterbi; neighbouring unknowns are one.
function readUnigram(json) {
  if (json.byte_fallback) throw new Unread("Unigram with byte_fallback");
  const ids = new Map(json.vocab.map(([piece], id) => [piece, id]));
  const scores = json.vocab.map(([, score]) => score);
  const least = scores.reduce((low, score) => Math.min(low, score), Infinity) - UNKNOWN_PENALTY;
  const longest = json.vocab.reduce((most, [piece]) => Math.max(most, piece.length), 0);
  return (piece) => {
    const letters = Array.from(piece);
    const best = letters.map(() => undefined);
    best.unshift({ score: 0, start: 0, id: undefined });
    for (let start = 0; start < letters.length; start += 1) {
      const { score: till } = best[start];
      const offer = (end, score, id) => {
        if (best[end] === undefined || score > best[end].score) best[end] = { score, start, id };
      };
      let part = "";
      let alone = false;
      for (let end = start + 1; end <= letters.length && part.length < longest; end += 1) {
        part += letters[end - 1];
        const id = ids.get(part);
        if (id === undefined) continue;
        offer(end, scores[id] + till, id);
        alone ||= end === start + 1;
      }
      if (!alone) offer(start + 1, least + till, json.unk_id);
    }
    const found = [];
    for (let end = letters.length; end > 0; end = best[end].start) found.push(best[end].id);
    found.reverse();
    return found.filter((id, i) => id !== json.unk_id || found[i - 1] !== json.unk_id);
  };
}
