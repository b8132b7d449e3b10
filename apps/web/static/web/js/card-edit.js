// The editor of a card: what one writes is kept on the server while one writes, previews follow, and leaving with
// words that are kept nowhere asks first. Without this file the form is a plain form with a button for drafts.
const PAUSE = 1500;
const form = document.querySelector("[data-card-form]");
const state = form.querySelector("[data-draft-state]");
const others = form.querySelector("[data-draft-others]");
const fields = [...form.querySelectorAll("textarea[data-block]")];
let kept = written();
let waiting = null, sending = false;

function written() {
  return JSON.stringify(fields.map((field) => field.value));
}

function say(words, bad = false) {
  state.textContent = words;
  state.toggleAttribute("data-bad", bad);
}

async function freshToken() {
  const answer = await fetch(form.dataset.draft, { redirect: "manual" });
  if (!answer.ok) throw new Error("signed out");
  const { token } = await answer.json();
  for (const input of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) input.value = token;
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
}

const post = () => fetch(form.dataset.draft, { method: "POST", body: new FormData(form), redirect: "manual" });

// "kept", "refused" (the form will say why) or "lost" (nobody is there to keep it).
async function keep() {
  clearTimeout(waiting);
  const text = written();
  if (text === kept) return "kept";
  try {
    let answer = await post();
    if (answer.status === 403) {
      await freshToken();
      answer = await post();
    }
    if (answer.type === "opaqueredirect") throw new Error("signed out");
    if (!answer.ok) {
      say(answer.status === 422 ? "Draft not saved: a text is too long or holds characters that can not be kept." : "Draft not saved: the server refused it. Your text is here.", true);
      return "refused";
    }
    const told = await answer.json();
    kept = text;
    say(told.saved);
    others.textContent = told.others;
    return text === written() ? "kept" : keep();
  } catch (error) {
    say(error.message === "signed out"
      ? "Draft not saved: your session has ended. Your text is still here: sign in in another tab, then go on."
      : "Draft not saved: the server can not be reached. Your text is still here.", true);
    return "lost";
  }
}

function later() {
  clearTimeout(waiting);
  waiting = setTimeout(keep, PAUSE);
}

for (const field of fields) field.addEventListener("input", later);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter;
  if (button?.value !== "discard" && (await keep()) === "lost") return state.scrollIntoView({ block: "center" });
  sending = true;
  const act = Object.assign(document.createElement("input"), { type: "hidden", name: "do", value: button?.value ?? "save" });
  form.append(act);
  form.submit(); // what the button said goes as a field: a form that is being told of its submission takes no second one
});

window.addEventListener("beforeunload", (event) => {
  if (!sending && written() !== kept) event.preventDefault();
});

form.addEventListener("keep", keep); // asked for by card-keys.js
