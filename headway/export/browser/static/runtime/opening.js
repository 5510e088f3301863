// Fetch the files of a package, prove them by the manifest's sha256, and open the graph.

import { PackageError } from "./errors.js";

const FORMAT_VERSION = 1;
const UNKNOWN = /([\w.]+):([\w.]+)\(-?\d+\) is not a registered|find an implementation for (\w+)|No Op registered for (\w+)/;

// `read(name)` returns the bytes of a file as a promise. Returns `{manifest, files}`, files by name.
export async function readPackage(read) {
  const manifest = JSON.parse(new TextDecoder().decode(await read("manifest.json")));
  if (manifest.format_version !== FORMAT_VERSION) {
    throw new PackageError("the package has an unknown format version", {
      expected: `format_version ${FORMAT_VERSION}`,
      got: String(manifest.format_version),
    });
  }
  const wanted = ["model.onnx", ...manifest.feeds.map((feed) => feed.tokenizer).filter(Boolean)];
  const files = new Map();
  for (const name of new Set(wanted)) files.set(name, await prove(name, await read(name), manifest.files[name]));
  return { manifest, files };
}

// A function that fetches below `base` and tells `onProgress` how many bytes have come.
export function fetcher(base, onProgress = () => {}) {
  let come = 0;
  return async (name) => {
    const address = new URL(name.split("/").map(encodeURIComponent).join("/"), base);
    const response = await fetch(address);
    if (!response.ok) throw new PackageError("a file is missing", { where: name, got: `status ${response.status}` });
    const parts = [];
    const reader = response.body.getReader();
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      parts.push(value);
      onProgress((come += value.length));
    }
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  };
}

// Browsers compute digests only on https and localhost; elsewhere the bytes are taken as they come.
async function prove(name, content, digest) {
  if (globalThis.crypto?.subtle === undefined) return content;
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const found = Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== digest) throw new PackageError("a file was changed", { where: name, expected: digest, got: found });
  return content;
}

// An onnxruntime-web session over the graph; raises `PackageError` that names an operator it does not have.
export async function openSession(ort, graph) {
  try {
    return await ort.InferenceSession.create(graph, { executionProviders: ["wasm"], logSeverityLevel: 4 });
  } catch (error) {
    const message = String(error.message ?? error);
    const found = UNKNOWN.exec(message);
    const [, domain, name, ...others] = found ?? [];
    const operator = name ? `${domain}::${name}` : others.find(Boolean);
    if (!operator) throw new PackageError("the graph cannot be opened here", { got: message.slice(0, 300) });
    throw new PackageError(`onnxruntime-web does not have the operator ${operator}`, {
      expected: "a graph of operators that onnxruntime-web's CPU build has",
      got: operator,
    });
  }
}
