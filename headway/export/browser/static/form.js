// The form of a package: one field for each of its inputs.

import { say } from "./words.js";

// Up to so many known values a category is a list to choose from; with more it is a text with suggestions.
const MOST_OPTIONS = 30;

export function buildFields(inputs, language) {
  return inputs.map((input, i) => {
    const field = document.createElement("div");
    field.className = "field";
    const label = document.createElement("label");
    label.htmlFor = `input-${i}`;
    label.append(input.name, kind(input, language));
    const control = BUILDERS[input.modality]?.(input, language) ?? line({});
    control.id = `input-${i}`;
    control.name = input.name;
    field.append(label, control);
    if (input.modality === "category" && control.tagName === "INPUT") field.append(suggestions(input, control));
    if (input.modality === "image") field.append(preview(control));
    return field;
  });
}

// The row that the fields hold: text as it was typed, a file for an image, null where nothing was.
export function readRow(form, inputs) {
  return Object.fromEntries(
    inputs.map(({ name, modality }, i) => {
      const control = form.querySelector(`#input-${i}`);
      const value = modality === "image" ? (control.files[0] ?? null) : control.value;
      return [name, value === "" && modality !== "text" ? null : value];
    }),
  );
}

export function fillExample(form, inputs) {
  inputs.forEach(({ modality, example }, i) => {
    const control = form.querySelector(`#input-${i}`);
    if (modality !== "image" && example !== null && example !== undefined) control.value = exampleText(control, example);
  });
}

function exampleText(control, example) {
  if (control.type === "date") return String(example).slice(0, 10);
  return control.type === "datetime-local" ? String(example).replace(" ", "T").slice(0, 19) : String(example);
}

const BUILDERS = {
  text: () => document.createElement("textarea"),
  number: (input) => line({ inputMode: "decimal", placeholder: sample(input) }),
  date: (input) => line({ type: hasTime(input) ? "datetime-local" : "date" }),
  image: () => line({ type: "file", accept: "image/png,image/jpeg,image/bmp,image/gif,image/webp" }),
  category: (input, language) => {
    if (input.categories.length === 0 || input.categories.length > MOST_OPTIONS) return line({ placeholder: sample(input) });
    const choice = document.createElement("select");
    choice.append(new Option(say(language, "empty"), ""), ...input.categories.map((value) => new Option(value, value)));
    return choice;
  },
};

function line(properties) {
  return Object.assign(document.createElement("input"), { type: "text", autocomplete: "off" }, properties);
}

function kind({ modality }, language) {
  const word = document.createElement("span");
  word.className = "kind";
  word.textContent = say(language, modality);
  return word;
}

function sample({ example }) {
  return example === null || example === undefined ? "" : String(example);
}

function hasTime({ example }) {
  return /\d[T ]\d/.test(String(example ?? "")) && !/[T ]00:00(?::00)?/.test(String(example));
}

function suggestions({ categories }, control) {
  const list = document.createElement("datalist");
  list.id = `${control.id}-values`;
  control.setAttribute("list", list.id);
  list.append(...categories.map((value) => new Option(value)));
  return list;
}

function preview(control) {
  const image = document.createElement("img");
  image.className = "preview";
  image.alt = "";
  image.hidden = true;
  const show = () => {
    const [file] = control.files;
    URL.revokeObjectURL(image.src);
    image.hidden = file === undefined;
    if (file) image.src = URL.createObjectURL(file);
  };
  control.addEventListener("change", show);
  return image;
}
