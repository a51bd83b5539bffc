/** Runs in the operator's browser: asks each route every five seconds and writes what it tells as names and values. */
export const SCRIPT: string = `"use strict";
const EVERY_MS = 5000;
const form = document.getElementById("sign-in");
const field = document.getElementById("token");
const state = document.getElementById("state");
const parts = document.getElementById("parts");
let token;
let timer;

/** One row for each value, named by where it stands: "tiers.apps.tiers[0].running". */
function rowsOf(value, path) {
  if (value === null || typeof value !== "object") return [[path, String(value)]];
  const entries = Array.isArray(value)
    ? value.map((item, index) => [path + "[" + index + "]", item])
    : Object.entries(value).map(([name, member]) => [path === "" ? name : path + "." + name, member]);
  return entries.length === 0 ? [[path === "" ? "entries" : path, "none"]] : entries.flatMap(([name, member]) => rowsOf(member, name));
}

function show(table, value) {
  const rows = rowsOf(value, "").map(([name, text]) => {
    const row = document.createElement("tr");
    row.append(cell("th", name), cell("td", text));
    return row;
  });
  table.replaceChildren(...rows);
}

/** As text, never as markup. */
function cell(kind, text) {
  const made = document.createElement(kind);
  made.textContent = text;
  return made;
}

async function refresh() {
  clearTimeout(timer);
  for (const table of document.querySelectorAll("table[data-from]")) {
    try {
      const answer = await fetch(table.dataset.from, { headers: { Authorization: "Bearer " + token }, cache: "no-store" });
      // What is not ready says why with 503.
      if (!answer.ok && answer.status !== 503) throw new Error(String(answer.status));
      show(table, await answer.json());
    } catch (error) {
      parts.hidden = true;
      state.textContent = "Not shown: " + (error instanceof Error ? error.message : "failed");
      return;
    }
  }
  parts.hidden = false;
  state.textContent = "As of " + new Date().toLocaleTimeString();
  timer = setTimeout(refresh, EVERY_MS);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  token = field.value.trim();
  field.value = "";
  void refresh();
});
`;
