// Two comforts: copy a code sample, sort a table by a column. The page is complete without them.
"use strict";
for (const button of document.querySelectorAll("button.copy")) {
  button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = button.dataset.done;
    } catch {
      getSelection().selectAllChildren(code);
    }
  });
}
function read(row, column) {
  const text = row.cells[column].textContent.trim();
  const number = parseFloat(text.replace(/,/g, ""));
  if (Number.isNaN(number)) return text;
  return / KB/.test(text) ? number / 1024 : / (min|分钟)/.test(text) ? number * 60 : number;
}
function order(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number") return -1;
  return typeof b === "number" ? 1 : a.localeCompare(b);
}
for (const head of document.querySelectorAll("thead th")) {
  head.dataset.sorts = "";
  head.addEventListener("click", () => {
    const body = head.closest("table").tBodies[0];
    const down = head.dataset.sorts !== "down";
    head.dataset.sorts = down ? "down" : "up";
    const rows = [...body.rows].sort((a, b) => order(read(a, head.cellIndex), read(b, head.cellIndex)));
    body.append(...(down ? rows.reverse() : rows));
  });
}
