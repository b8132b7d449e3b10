// Regions marked data-live ask again by themselves: every 3 s for a minute, then every minute, not while the page is
// hidden. The region's own hx-get and hx-trigger="live" do the work; status 286 or a region without data-live ends it.
const QUICK = 3000;
const SLOW = 60000;
const started = new Map();

function tick() {
  const now = Date.now();
  for (const region of document.querySelectorAll("[data-live]")) {
    const known = started.get(region.id) ?? { since: now, last: now };
    started.set(region.id, known);
    const pause = now - known.since < 60000 ? QUICK : SLOW;
    if (document.hidden || now - known.last < pause) continue;
    known.last = now;
    window.htmx?.trigger(region, "live");
  }
}

setInterval(tick, 1000);

// Keep the keyboard where it was: after a swap the element with the same id gets the focus back.
let focused = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  const target = event.detail.target;
  focused = target.contains(document.activeElement) ? document.activeElement.id : null;
});
document.addEventListener("htmx:afterSettle", () => {
  if (focused) document.getElementById(focused)?.focus();
  focused = null;
});

// One polite line tells what a swap changed: the server names it in data-announce.
document.addEventListener("htmx:afterSwap", (event) => {
  const words = event.detail.elt?.closest?.("[data-announce]")?.dataset.announce;
  const line = document.getElementById("status-line");
  if (words && line) line.textContent = words;
});

// A fragment that fails says so inside its own box, with a way to try again.
document.addEventListener("htmx:responseError", (event) => {
  const box = event.detail.elt.closest("[data-fragment]");
  const failed = box?.querySelector("template[data-failed]");
  if (failed) {
    box.removeAttribute("aria-busy");
    box.replaceChildren(failed.content.cloneNode(true), failed);
    window.htmx.process(box);
  }
});
