// Links marked data-dialog fetch their form into the page's one <dialog>. Without this file they are plain links to
// the same form as a page. A refusal (4xx) is swapped in place, so the dialog stays and says why.
const dialog = document.getElementById("dialog");
const body = document.getElementById("dialog-body");
let opener = null;

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-dialog]");
  if (link) opener = link;
  const closer = event.target.closest("[data-dialog-close]");
  if (closer && closer.closest("dialog")) {
    event.preventDefault();
    closer.closest("dialog").close();
  }
});

function focusFirst() {
  const target = body.querySelector("[data-error-summary], [aria-invalid='true'], [data-dialog-heading]");
  if (!target) return;
  if (!target.hasAttribute("tabindex")) target.setAttribute("tabindex", "-1");
  target.focus();
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== body) return;
  const heading = body.querySelector("h1, h2");
  if (heading) {
    heading.id = heading.id || "dialog-heading";
    heading.setAttribute("data-dialog-heading", "");
    dialog.setAttribute("aria-labelledby", heading.id);
  }
  if (!dialog.open) dialog.showModal();
  focusFirst();
});

dialog?.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

dialog?.addEventListener("close", () => {
  body.replaceChildren();
  opener?.focus();
  opener = null;
});
