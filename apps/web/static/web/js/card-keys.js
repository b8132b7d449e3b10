// Keys of the card's editor: keep the draft, save, go to the next block that must be answered.
const form = document.querySelector("[data-card-form]");

function nextGap() {
  const gaps = [...form.querySelectorAll("[data-gap]")].map((link) => document.querySelector(`${link.hash} textarea`));
  const here = gaps.indexOf(document.activeElement);
  gaps[(here + 1) % gaps.length]?.focus();
}

form.querySelector("[data-keys]").hidden = false;
document.addEventListener("keydown", (event) => {
  const control = event.ctrlKey || event.metaKey;
  const act = control && event.key === "s" ? () => form.dispatchEvent(new Event("keep"))
    : control && event.key === "Enter" ? () => form.requestSubmit(form.querySelector("button[value=save]"))
    : event.altKey && event.key === "n" ? nextGap : null;
  if (!act) return;
  event.preventDefault();
  act();
});
