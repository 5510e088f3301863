// Pillow's bilinear resize (Resample.c of Pillow, 8 bits a channel), to the same pixels.
//
// The filter widens when it shrinks, so that every source pixel counts; weights are rounded to 22 bits as Pillow does,
// rows first, then columns, each rounded to 8 bits.

const PRECISION = 22;

// `image`: {width, height, channels, data: Uint8Array}, pixels row by row, channels last.
export function resize(image, width, height) {
  let out = image;
  if (width !== image.width) out = horizontal(out, width);
  if (height !== image.height) out = vertical(out, height);
  return out;
}

function horizontal({ width, height, channels, data }, wanted) {
  const out = new Uint8Array(wanted * height * channels);
  weights(width, wanted).forEach(({ first, shares }, x) => {
    for (let y = 0; y < height; y += 1) {
      for (let c = 0; c < channels; c += 1) {
        out[(y * wanted + x) * channels + c] = sum(data, (y * width + first) * channels + c, channels, shares);
      }
    }
  });
  return { width: wanted, height, channels, data: out };
}

function vertical({ width, height, channels, data }, wanted) {
  const line = width * channels;
  const out = new Uint8Array(line * wanted);
  weights(height, wanted).forEach(({ first, shares }, y) => {
    for (let x = 0; x < line; x += 1) out[y * line + x] = sum(data, first * line + x, line, shares);
  });
  return { width, height: wanted, channels, data: out };
}

function sum(data, start, step, shares) {
  let total = 1 << (PRECISION - 1);
  for (let i = 0; i < shares.length; i += 1) total += data[start + i * step] * shares[i];
  return Math.min(255, Math.max(0, total >> PRECISION));
}

// For each wanted pixel the first source pixel that counts and the share of each from there on.
function weights(size, wanted) {
  const scale = size / wanted;
  const support = Math.max(scale, 1);
  return Array.from({ length: wanted }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(size, Math.trunc(centre + support + 0.5));
    const raw = Array.from({ length: last - first }, (_, x) => triangle((x + first - centre + 0.5) / support));
    const total = raw.reduce((all, share) => all + share, 0);
    const shares = raw.map((share) => Math.trunc((total === 0 ? share : share / total) * (1 << PRECISION) + 0.5));
    return { first, shares };
  });
}

function triangle(x) {
  return Math.max(0, 1 - Math.abs(x));
}
