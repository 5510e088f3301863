// The page: opens the package beside it, shows its form, and answers on this device.

import * as ort from "./onnxruntime/ort.js";
import { buildFields, fillExample, readRow } from "./form.js";
import { METRICS } from "./metrics.js";
import { load } from "./runtime/model.js";
import { chooseLanguage, say } from "./words.js";

// More labels than this are summed up in one line.
const MOST_SHOWN = 10;
const MOST_FIGURES = 2;

const $ = (id) => document.getElementById(id);
let language = chooseLanguage();
let model = null;
let shown = null;

start();

async function start() {
  translate();
  $("language").addEventListener("click", switchLanguage);
  $("row").addEventListener("submit", ask);
  $("row").addEventListener("reset", clear);
  $("example").addEventListener("click", () => fillExample($("row"), model.manifest.inputs));
  try {
    ort.env.wasm.wasmPaths = { wasm: new URL("./onnxruntime/ort.wasm", import.meta.url).href };
    ort.env.logLevel = "fatal";
    const progress = (bytes) => ($("status").textContent = say(language, "loading", { size: (bytes / 2 ** 20).toFixed(1) }));
    progress(0);
    model = await load(new URL("./package/", import.meta.url), { ort, onProgress: progress });
  } catch (error) {
    $("status").textContent = "";
    $("problem").textContent = `${say(language, "broken")}\n${error.message}`;
    document.body.dataset.state = "broken";
    return;
  }
  $("status").textContent = "";
  $("row").hidden = false;
  showPackage();
  document.body.dataset.state = "ready";
  // For programs and tests: the same model that the form asks.
  globalThis.headway = model;
}

function switchLanguage() {
  language = language === "zh" ? "en" : "zh";
  const typed = model && readTyped();
  translate();
  if (!model) return;
  showPackage();
  restore(typed);
  if (shown) showAnswer(...shown);
}

function translate() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  $("language").textContent = say(language, "switch");
  $("language").title = say(language, "switch_title");
  $("language").lang = language === "zh" ? "en" : "zh-CN";
  for (const id of ["ask", "example", "clear", "private"]) $(id).textContent = say(language, id);
  $("answer-title").textContent = say(language, "answer");
}

function showPackage() {
  const { name, task, target, labels, inputs, metrics, winner } = model.manifest;
  $("name").textContent = document.title = name;
  const figures = Object.entries(metrics).filter(([, value]) => value !== null).slice(0, MOST_FIGURES);
  const told = figures.map(([metric, value]) => `${METRICS[metric]?.[language] ?? metric} ${Number(value).toPrecision(3)}`);
  const about = [say(language, `about_${task}`, { target, count: labels.length })];
  if (told.length) about.push(say(language, "tested", { metrics: told.join(language === "zh" ? "，" : ", ") }));
  $("about").textContent = about.join(language === "zh" ? "" : " ");
  $("about").title = winner;
  $("fields").replaceChildren(...buildFields(inputs, language));
  $("example").hidden = !inputs.some(({ example, modality }) => modality !== "image" && (example ?? null) !== null);
}

function readTyped() {
  return Array.from($("fields").querySelectorAll("input, textarea, select"));
}

// Keep what was typed when the fields are built again.
function restore(typed) {
  for (const old of typed) {
    const control = $(old.id);
    if (old.type === "file") {
      control.files = old.files;
      control.dispatchEvent(new Event("change"));
    } else control.value = old.value;
  }
}

async function ask(event) {
  event.preventDefault();
  clearProblem();
  const row = readRow($("row"), model.manifest.inputs);
  if (Object.values(row).every((cell) => cell === null || cell === "")) {
    $("answer").hidden = true;
    $("problem").textContent = say(language, "nothing");
    readTyped()[0].focus();
    return;
  }
  $("ask").disabled = true;
  try {
    const began = performance.now();
    const [answer] = await model.predict([row]);
    shown = [answer, performance.now() - began];
    showAnswer(...shown);
  } catch (error) {
    $("answer").hidden = true;
    showProblem(error);
  } finally {
    $("ask").disabled = false;
  }
}

function showAnswer({ prediction, confidence, probabilities }, took) {
  $("prediction").textContent = typeof prediction === "number" ? Number(prediction.toPrecision(6)) : String(prediction);
  $("confidence").textContent = confidence === undefined ? "" : say(language, "confidence", { share: percent(confidence) });
  $("took").textContent = say(language, "took", { time: took < 10 ? took.toFixed(1) : took.toFixed(0) });
  const sorted = [...(probabilities ?? [])].sort(([, a], [, b]) => b - a);
  const lines = sorted.slice(0, MOST_SHOWN).map(([label, p]) => bar(label, p, label === prediction));
  const rest = sorted.slice(MOST_SHOWN);
  if (rest.length) {
    const share = percent(rest.reduce((sum, [, p]) => sum + p, 0));
    const line = document.createElement("li");
    line.textContent = say(language, "more", { count: rest.length, share });
    lines.push(line);
  }
  $("probabilities").replaceChildren(...lines);
  $("answer").hidden = false;
}

function bar(label, probability, chosen) {
  const line = document.createElement("li");
  const [name, share, track, filled] = ["label", "share", "track", "bar"].map((part) =>
    Object.assign(document.createElement(part === "track" || part === "bar" ? "div" : "span"), { className: part }),
  );
  name.textContent = String(label);
  share.textContent = percent(probability);
  filled.style.width = `${(100 * probability).toFixed(2)}%`;
  track.append(filled);
  line.classList.toggle("chosen", chosen);
  line.append(name, share, track);
  return line;
}

function percent(share) {
  return `${(100 * share).toFixed(share > 0.9995 || share < 0.0005 ? 2 : 1)}%`;
}

function showProblem(error) {
  const at = model.manifest.inputs.findIndex(({ name }) => name === error.column);
  if (at < 0) {
    $("problem").textContent = error.message;
    return;
  }
  const expected = say(language, `expect_${error.kind}`);
  $("problem").textContent = say(language, "problem", { column: error.column, expected });
  const control = $(`input-${at}`);
  control.setAttribute("aria-invalid", "true");
  control.focus();
}

function clearProblem() {
  $("problem").textContent = "";
  for (const control of readTyped()) control.removeAttribute("aria-invalid");
}

function clear() {
  clearProblem();
  shown = null;
  $("answer").hidden = true;
  // The fields are emptied after this event; pictures shown beside them follow.
  setTimeout(() => readTyped().forEach((control) => control.dispatchEvent(new Event("change"))));
}
