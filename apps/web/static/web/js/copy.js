// Copy buttons are in the page hidden and appear when they can work; the value stands next to them in any case.
const line = document.getElementById("status-line");

function reveal(root) {
  for (const button of root.querySelectorAll("button[data-copy][hidden]")) button.hidden = false;
}

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  button.setAttribute("data-copied", "");
  if (line) line.textContent = "Copied";
  setTimeout(() => button.removeAttribute("data-copied"), 1600);
}

if (navigator.clipboard) {
  reveal(document);
  document.addEventListener("htmx:afterSwap", (event) => reveal(event.detail.target));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-copy]");
    if (button) copy(button);
  });
}

// Print buttons, likewise hidden without JavaScript.
for (const button of document.querySelectorAll("button[data-print][hidden]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
