// Forms marked data-choose act on the chosen rows: tell how many are chosen and what that allows. The server checks
// the number again; without JavaScript the button is simply always there.
function update(form) {
  const boxes = form.querySelectorAll("input[type=checkbox][data-row]:checked");
  const least = Number(form.dataset.choose || 1);
  for (const words of form.querySelectorAll("[data-chosen]")) {
    words.textContent = boxes.length ? `${boxes.length} chosen` : "None chosen";
  }
  for (const button of form.querySelectorAll("button[data-needs-rows]")) {
    button.setAttribute("aria-disabled", String(boxes.length < least));
  }
}

for (const form of document.querySelectorAll("form[data-choose]")) {
  update(form);
  form.addEventListener("change", () => update(form));
}

// "Only differences" of a comparison: on from the start, and only here, so that without this file every row is shown.
function onlyDifferences(box) {
  for (const row of document.querySelectorAll(`#${box.dataset.onlyDifferences} [data-same]`)) row.hidden = box.checked;
}

for (const box of document.querySelectorAll("input[data-only-differences]")) {
  box.closest("label").hidden = false;
  box.checked = true;
  onlyDifferences(box);
  box.addEventListener("change", () => onlyDifferences(box));
}

// A filter form sends itself when a choice changes; its button stays for everyone else.
for (const form of document.querySelectorAll("form[data-auto]")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select, input[type=checkbox]")) form.requestSubmit();
  });
}

// A form is sent once: the second press of its button does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
  event.submitter?.setAttribute("aria-busy", "true");
});

window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
});
