// "/" searches, "g" then a letter goes, j and k move through rows, "?" opens help. Off inside fields and, by the
// cookie "shortcuts=off" (account page), altogether. No shortcut signs or promotes.
const places = { h: "/", e: "/experiments/", m: "/models/", r: "/reviews/", c: "/checks/", a: "/audit/" };
const off = document.documentElement.dataset.shortcuts === "off";
let going = false;

const inField = (node) => node.closest("input, textarea, select, [contenteditable], dialog[open]");
const rows = () => [...document.querySelectorAll("[data-rows] tbody tr, [data-rows] > li")];

function move(step) {
  const all = rows();
  if (!all.length) return;
  const here = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[Math.min(Math.max(here + step, 0), all.length - 1)];
  next.querySelector("th a, a, button")?.focus();
}

function choose() {
  document.activeElement.closest("tr")?.querySelector("input[type=checkbox]")?.click();
}

function viewed() {
  document.activeElement.closest("[data-viewable]")?.querySelector("[data-viewed]")?.click();
}

const acts = {
  "/": () => document.getElementById("search")?.focus(),
  "?": () => document.querySelector("[data-help]")?.click(),
  j: () => move(1),
  k: () => move(-1),
  x: choose,
  v: viewed,
  g: () => {
    going = true;
    setTimeout(() => (going = false), 1200);
  },
};

document.addEventListener("keydown", (event) => {
  if (off || event.ctrlKey || event.metaKey || event.altKey || inField(event.target)) return;
  if (going && places[event.key]) {
    going = false;
    event.preventDefault();
    location.assign(places[event.key]);
  } else if (acts[event.key]) {
    event.preventDefault();
    acts[event.key]();
  }
});
