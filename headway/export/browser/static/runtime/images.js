// Image cells as pixels; see headway/runtime/feeds/images.py.
//
// The browser decodes, everything after that is Pillow's arithmetic: transparency on white, grey by ITU-R 601-2,
// bilinear resize. What is left is the decoders' difference on JPEG, and on what is half transparent, of a grey level
// or two. Chrome, Firefox and Safari read PNG, JPEG, BMP, GIF and WebP; TIFF and PPM are for the Python runtime.

import { BadCellError } from "./errors.js";
import { isMissing } from "./cells.js";
import { resize } from "./resizing.js";

const MAX_PIXELS = 64_000_000;

export async function encodeImages(feed, rows) {
  const channels = feed.mode === "L" ? 1 : 3;
  const size = feed.width * feed.height * channels;
  const data = new Uint8Array(rows.length * size);
  const [name] = feed.columns;
  for (const [row, cells] of rows.entries()) {
    const value = cells[name];
    if (isMissing(value) || value === "") continue;
    try {
      data.set(prepare(await decode(value, feed), feed), row * size);
    } catch (error) {
      throw new BadCellError(row, name, "image", error.message);
    }
  }
  return { [feed.name]: { type: "uint8", data, dims: [rows.length, feed.height, feed.width, channels] } };
}

// From RGBA pixels to what the graph reads: `{width, height, data}` as in ImageData, not premultiplied.
export function prepare(image, feed) {
  const opaque = onWhite(image);
  const plain = feed.mode === "L" ? grey(opaque) : opaque;
  const small = image.jpeg ? shrink(plain, feed) : plain;
  return resize(small, feed.width, feed.height).data;
}

async function decode(value, feed) {
  if (value && value.data && value.width) return value;
  const blob = await asBlob(value);
  const jpeg = await isJpeg(blob);
  const options = { premultiplyAlpha: "none", colorSpaceConversion: "none" };
  const bitmap = await createImageBitmap(blob, options);
  const { width, height } = bitmap;
  if (width * height > MAX_PIXELS) throw new Error(`${width} x ${height} pixels are too many`);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { width, height, jpeg, data: context.getImageData(0, 0, width, height).data };
}

async function asBlob(value) {
  if (value instanceof Blob) return value;
  if (value instanceof Uint8Array || value instanceof ArrayBuffer) return new Blob([value]);
  if (typeof value === "string" && value.startsWith("data:")) return (await fetch(value)).blob();
  throw new Error(typeof value === "string" ? "a path, which a page cannot open" : `an object of type ${typeof value}`);
}

async function isJpeg(blob) {
  const [first, second] = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  return first === 0xff && second === 0xd8;
}

// Pillow's alpha_composite over white (AlphaComposite.c).
function onWhite({ width, height, data }) {
  const out = new Uint8Array(width * height * 3);
  for (let i = 0, o = 0; i < data.length; i += 4) {
    const own = data[i + 3] * 128;
    const white = 255 * (255 * 128 - own);
    for (let c = 0; c < 3; c += 1) {
      const mixed = data[i + c] * own + white + (0x80 << 7);
      out[o++] = data[i + 3] === 255 ? data[i + c] : (((mixed >> 8) + mixed) >> 8) >> 7;
    }
  }
  return { width, height, channels: 3, data: out };
}

// Pillow's convert("L"): ITU-R 601-2 luma in 16-bit fixed point.
function grey({ width, height, data }) {
  const out = new Uint8Array(width * height);
  for (let i = 0, o = 0; o < out.length; i += 3, o += 1) {
    out[o] = (data[i] * 19595 + data[i + 1] * 38470 + data[i + 2] * 7471 + 0x8000) >> 16;
  }
  return { width, height, channels: 1, data: out };
}

// Pillow has large JPEGs decoded at 1/2, 1/4 or 1/8, as long as twice the wanted size is left: means of blocks.
function shrink(image, feed) {
  const least = Math.min(Math.trunc(image.width / (2 * feed.width)), Math.trunc(image.height / (2 * feed.height)));
  const factor = [8, 4, 2].find((each) => least >= each);
  return factor === undefined ? image : blocks(image, factor);
}

function blocks({ width, height, channels, data }, factor) {
  const [wide, high] = [Math.ceil(width / factor), Math.ceil(height / factor)];
  const out = new Uint8Array(wide * high * channels);
  for (let y = 0; y < high; y += 1) {
    for (let x = 0; x < wide; x += 1) {
      const [right, bottom] = [Math.min(width, (x + 1) * factor), Math.min(height, (y + 1) * factor)];
      for (let c = 0; c < channels; c += 1) {
        let total = 0;
        for (let v = y * factor; v < bottom; v += 1) {
          for (let u = x * factor; u < right; u += 1) total += data[(v * width + u) * channels + c];
        }
        const count = (right - x * factor) * (bottom - y * factor);
        out[(y * wide + x) * channels + c] = Math.round(total / count);
      }
    }
  }
  return { width: wide, height: high, channels, data: out };
}
