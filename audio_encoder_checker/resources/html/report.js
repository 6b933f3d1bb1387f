"use strict";
// Filters of findings, copy buttons, and everything unfolded on paper. Without scripts all findings are simply there.
const findings = [...document.querySelectorAll(".finding")];
const filters = document.querySelector(".filters");
const boxes = [...filters.querySelectorAll("input")];
const status = filters.querySelector(".shown");

function filter() {
  const wanted = { severity: new Set(), stage: new Set() };
  const known = new Set();
  for (const box of boxes) {
    const kind = box.dataset.severity ? "severity" : "stage";
    if (kind === "stage") known.add(box.dataset.stage);
    if (box.checked) wanted[kind].add(box.dataset[kind]);
  }
  for (const one of findings) {
    const inStage = wanted.stage.has(one.dataset.stage) || !known.has(one.dataset.stage);
    one.hidden = !(wanted.severity.has(one.dataset.severity) && inStage);
  }
  const visible = findings.filter((one) => !one.hidden).length;
  status.textContent = visible === findings.length ? "" : `${visible} of ${findings.length} findings shown`;
}

if (findings.length > 1) {
  filters.hidden = false;
  for (const box of boxes) box.addEventListener("change", filter);
  filter();
}

for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling); // where a page may not write
      button.textContent = "marked";
    }
  });
}

let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const one of folded) one.open = true;
});
addEventListener("afterprint", () => {
  for (const one of folded) one.open = false;
});
