"use strict";
// The page without this script shows everything; with it one can ask, correct, and see the figures move.
const words = JSON.parse(document.body.dataset.words);
const lang = document.body.dataset.lang;
const form = document.getElementById("form");
const answer = document.getElementById("answer");
const live = document.getElementById("live");
const SHOWN = 10, EVERY = 4000;

function say(key, places) {
  return words[key].replace(/\{(\w+)\}/g, (_, name) => places[name]);
}

function make(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

async function read(field) {
  if (field.dataset.modality === "image") {
    const file = field.files[0];
    if (!file) return null;
    const url = await new Promise((done, failed) => {
      const reader = new FileReader();
      reader.onload = () => done(reader.result);
      reader.onerror = () => failed(reader.error);
      reader.readAsDataURL(file);
    });
    return url;
  }
  return field.value === "" && field.dataset.modality !== "text" ? null : field.value;
}

// Refusals come in the language of the page, whatever that of the browser is.
function post(path, body) {
  const headers = {"content-type": "application/json", "accept-language": document.documentElement.lang};
  return fetch(path, {method: "POST", headers, body: JSON.stringify(body)});
}

async function send(path, body) {
  return (await post(path, body)).json();
}

function showError(error) {
  const lines = (error.problems || []).map(problem =>
    make("li", {}, say("expected", problem) + (problem.next ? say("next", problem) : "")));
  const told = lines.length ? make("ul", {}, ...lines) : make("p", {}, error.message);
  answer.replaceChildren(make("p", {class: "wrong", role: "alert"}, words.wrong), told);
}

function showShare(label, share) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [key, value] of [["width", `${100 * share}%`], ["height", "100%"], ["rx", "3"], ["class", "bar"]]) bar.setAttribute(key, value);
  svg.append(bar);
  return make("div", {class: "share"}, make("span", {}, label), svg, make("span", {}, `${(100 * share).toFixed(1)}%`));
}

// Number() takes nothing for 0.
function readNumber(text) {
  const number = text.trim() === "" ? NaN : Number(text);
  return Number.isFinite(number) ? number : null;
}

function showFeedback(told, labels, target) {
  const box = make("div", {class: "feedback"});
  const known = told.predictions[0], said = target === undefined ? known : known.targets[target];
  const id = name => target === undefined ? name : `${name}-${target}`;
  const thank = async right => {
    const truth = target === undefined ? right : {[target]: right};
    const done = await send("/v1/feedback", {request_id: told.request_id, truth, model: told.model});
    if (done.error) return showError(done.error);
    box.replaceChildren(make("p", {role: "status"}, done.kept ? words.kept : words.counted));
  };
  const yes = make("button", {type: "button", class: "plain", id: id("yes")}, words.yes);
  yes.onclick = () => thank(said.prediction);
  const control = labels.length
    ? make("select", {id: id("truth")}, ...labels.map(label => make("option", {value: label}, label)))
    : make("input", {id: id("truth"), type: "text", inputmode: "decimal"});
  const correct = make("button", {type: "button", class: "plain", id: id("correct")}, words.send);
  const refused = make("p", {class: "wrong", role: "alert", id: id("refused")});
  correct.onclick = () => {
    const right = labels.length ? control.value : readNumber(control.value);
    if (right !== null) return thank(right);
    refused.textContent = words.no_number;
    control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-describedby", refused.id);
    control.focus();
  };
  box.append(make("span", {class: "ask-label"}, words.is_right), yes,
    make("div", {class: "field"}, make("label", {for: id("truth")}, words.right_one), control), correct, refused);
  return box;
}

function showTarget(told, first, target) {
  const title = target === undefined ? [] : [make("h3", {}, target)];
  const id = target === undefined ? "said" : `said-${target}`;
  const parts = [...title, make("p", {class: "said", id}, String(first.prediction))];
  let labels = [];
  if (first.probabilities) {
    parts.push(make("p", {class: "made"}, say("sure", {share: `${(100 * first.confidence).toFixed(1)}%`})));
    const shares = Object.entries(first.probabilities).sort((a, b) => b[1] - a[1]);
    labels = shares.map(([label]) => label);
    parts.push(make("h3", {}, words.probabilities), ...shares.slice(0, SHOWN).map(([label, share]) => showShare(label, share)));
    if (shares.length > SHOWN) parts.push(make("p", {class: "made"}, say("more_labels", {count: shares.length - SHOWN})));
  }
  return [...parts, showFeedback(told, labels, target)];
}

function showAnswer(told, milliseconds) {
  const first = told.predictions[0];
  const parts = first.targets
    ? Object.entries(first.targets).flatMap(([target, own]) => showTarget(told, own, target))
    : showTarget(told, first);
  parts.push(make("p", {class: "made"}, say("took", {ms: milliseconds.toFixed(0), id: told.request_id})));
  answer.replaceChildren(...parts);
}

if (form && answer) {
  form.addEventListener("submit", async event => {
    event.preventDefault();
    const button = document.getElementById("ask");
    button.disabled = true;
    button.textContent = words.asking;
    try {
      const row = {};
      for (const field of form.querySelectorAll("[data-modality]")) row[field.name] = await read(field);
      const began = performance.now();
      const told = await send("/v1/predict", {rows: [row], model: form.dataset.model});
      if (told.error) showError(told.error); else showAnswer(told, performance.now() - began);
    } catch {
      showError({message: words.unreached});
    }
    button.disabled = false;
    button.textContent = words.ask;
  });
  form.addEventListener("change", event => {
    const field = event.target;
    if (field.type !== "file") return;
    const preview = field.parentElement.querySelector(".preview");
    preview.hidden = !field.files[0];
    if (field.files[0]) preview.src = URL.createObjectURL(field.files[0]);
  });
}

// Text is shown while it is written: one server-sent event for each piece.
async function write(form, shown) {
  const chats = form.dataset.chats, prompt = document.getElementById("prompt").value;
  const asked = chats ? {messages: [{role: "user", content: prompt}]} : {prompt};
  const response = await post(chats ? "/v1/chat/completions" : "/v1/completions", {
    model: form.dataset.model, max_tokens: Number(form.dataset.tokens), stream: true, ...asked,
  });
  if (!response.ok) {
    shown.textContent = (await response.json()).error.message;
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  shown.textContent = chats ? "" : prompt;
  for (let rest = "";;) {
    const {done, value} = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.slice("data: ".length);
      if (data === "[DONE]") return;
      for (const choice of JSON.parse(data).choices) shown.append(choice.text ?? choice.delta.content ?? "");
    }
  }
}

const writing = document.getElementById("write");
if (writing) {
  writing.addEventListener("submit", async event => {
    event.preventDefault();
    const button = writing.querySelector("button"), shown = document.getElementById("written");
    button.disabled = true;
    try {
      await write(writing, shown);
    } catch {
      shown.textContent = words.unreached;
    }
    button.disabled = false;
  });
}

// A grid of pictures; the first one is drawn as soon as the page is there.
async function draw(form, shown) {
  const wanted = document.getElementById("wanted"), seed = document.getElementById("seed").value.trim();
  const told = await send("/v1/images/generations", {
    model: form.dataset.model, n: Number(form.dataset.count), prompt: wanted ? wanted.value : "",
    ...(seed ? {seed: Number(seed)} : {}),
  });
  if (told.error) {
    shown.textContent = told.error.message;
    return;
  }
  shown.replaceChildren(...told.data.map(each => {
    const picture = new Image();
    picture.src = `data:image/png;base64,${each.b64_json}`;
    picture.width = shown.dataset.width;
    picture.alt = shown.dataset.alt;
    return picture;
  }));
}

const drawing = document.getElementById("draw");
if (drawing) {
  const redraw = async () => {
    const button = drawing.querySelector("button"), shown = document.getElementById("drawn");
    button.disabled = true;
    try {
      await draw(drawing, shown);
    } catch {
      shown.textContent = words.unreached;
    }
    button.disabled = false;
  };
  drawing.addEventListener("submit", event => {
    event.preventDefault();
    redraw();
  });
  redraw();
}

for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
    button.textContent = button.dataset.done;
  });
}

if (live) {
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const response = await fetch(`/live?lang=${lang}`);
      if (response.ok) live.innerHTML = await response.text();
    } catch { /* the service is away for a moment; the next round will tell */ }
  }, EVERY);
}
