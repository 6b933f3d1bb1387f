"use strict";
// Search, verdicts and sorting of the board. Without scripts all rows are simply there.
const table = document.querySelector("#submissions table");
const rows = [...table.tBodies[0].rows];
const filters = document.querySelector(".filters");
const search = filters.querySelector(".search");
const boxes = [...filters.querySelectorAll("[data-verdict]")];
const status = filters.querySelector(".shown");
const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

function filter() {
  const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.dataset.verdict));
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    row.hidden = !(wanted.has(row.dataset.verdict) && words.every((word) => texts.get(row).includes(word)));
    shown += !row.hidden;
  }
  status.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} submissions shown`;
}

filters.hidden = false;
search.addEventListener("input", filter);
for (const box of boxes) box.addEventListener("change", filter);
filter();

function key(row, column) {
  const cell = row.cells[column];
  const text = cell.dataset.sort ?? cell.textContent.trim();
  const number = parseFloat(text);
  return { text, number: text !== "" && !Number.isNaN(number) ? number : null };
}

function compare(a, b, up) {
  if ((a.text === "") !== (b.text === "")) return a.text === "" ? 1 : -1; // what is empty stands last
  const order = a.number !== null && b.number !== null ? a.number - b.number : a.text.localeCompare(b.text);
  return up ? order : -order;
}

for (const one of document.querySelectorAll("table.sortable")) {
  const heads = [...one.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const keyed = [...one.tBodies[0].rows].map((row) => [key(row, column), row]);
      keyed.sort((a, b) => compare(a[0], b[0], up));
      one.tBodies[0].append(...keyed.map(([, row]) => row));
    });
  });
}
