// The guided story: one button does the next step for the visitor, one sentence says what came of it.
import { $, el, get, post, redraw, tell } from "./dom.js";
import { said, t } from "./words.js";

let now = null, page = null, isBusy = false;

function draw() {
  if (!now) return;
  redraw($("story-dots"), [now.at, now.of], () => Array.from({ length: now.of }, (_, place) =>
    el("span", place < now.at ? "dot done" : place === now.at ? "dot here" : "dot")));
  redraw($("story-said"), [now.said, now.at, now.does], () => [
    el("span", "count", t("step", now.at, now.of)), " ", said(now.said), ...(now.does ? [] : [" ", el("strong", "", t("free"))])]);
  const next = $("story-next");
  next.hidden = !now.does;
  next.disabled = isBusy;
  redraw(next, [now.does, isBusy], () => isBusy ? [t("wait")] : now.does ? [el("strong", "", t("next")), el("span", "", said(now.does))] : []);
}

export async function showStory() {
  if (!isBusy) now = await get("/sandbox/story");
  draw();
}

async function goOn() {
  isBusy = true;
  draw();
  const field = document.querySelector("#modal textarea");
  const told = await post("/sandbox/story", { at: now.at, words: field ? field.value : "" }).catch((error) => ({ error: String(error) }));
  isBusy = false;
  if (told.error) {
    tell(t("refused", told.error), true);
  } else {
    now = told;
    tell("");
    page.choose(now.customer);
    page.staff(now.staff);
    page.lookAt(now.pane);
    document.body.dataset.lit = now.pane;
  }
  draw();
  await page.refresh();
  if (now.fill) fill(now.fill);
  $("story-next").focus({ preventScroll: true });
}

/** Type into the modal as soon as it stands there. */
function fill(words, tries = 100) {
  const field = document.querySelector("#modal textarea");
  if (field) field.value = words;
  else if (tries) setTimeout(() => fill(words, tries - 1), 100);
}

export function startStory(given) {
  page = given;
  $("story-next").addEventListener("click", goOn);
}
