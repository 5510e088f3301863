// Answer the rows of rows.json with the page's own modules, in the folder of the page; prints JSON.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";

// Compile WebAssembly once and plainly: a short run does not earn back what optimising 14 MB of it costs.
setFlagsFromString("--liftoff-only");

const here = (name) => pathToFileURL(resolve(name)).href;
const ort = await import(here("onnxruntime/ort.js"));
const { load } = await import(here("runtime/model.js"));

ort.env.wasm.wasmBinary = await readFile("onnxruntime/ort.wasm");
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "fatal";
try {
  const read = async (name) => new Uint8Array(await readFile(resolve("package", name)));
  const model = await load(null, { ort, read });
  const rows = JSON.parse(await readFile("rows.json", "utf8"), (_, value) =>
    value?.pixels ? { ...value, data: Uint8Array.from(Buffer.from(value.pixels, "base64")) } : value,
  );
  const answers = await model.predict(rows);
  const numbers = answers.map(({ prediction, probabilities }) => probabilities?.map(([, p]) => p) ?? [prediction]);
  process.stdout.write(JSON.stringify(numbers));
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
