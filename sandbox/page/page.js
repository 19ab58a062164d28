// The page only shows what reached the stand-ins, and acts as people would: every tap goes through the
// program's real doors.
import { $, button, el, face, get, labelled, post, redraw, tell } from "./dom.js";
import { said, speak, t, translate } from "./words.js";
import { showPhone, startPhone } from "./phone.js";
import { chooseStaff, showSlack, startSlack } from "./slack.js";
import { showClock, showSeen, startClock } from "./clock.js";
import { showWhy } from "./trace.js";
import { showBook, startBook } from "./rules.js";
import { showStory, startStory } from "./story.js";

const OFTEN = 1500, SELDOM = 3;
let people = [], chosenId = "", turn = 0;

export const chosen = () => people.find((each) => each.id === chosenId) || people[0];

async function choose(id) {
  chosenId = id;
  await refresh();
}

async function showCustomers() {
  const known = await get("/sandbox/customers");
  people = known.people;
  const of = chosen();
  redraw($("persons"), [people, of.id], () => people.map((each) => personNode(each, of)));
  $("deeds-of").textContent = t("deeds", of.name);
  redraw($("deeds"), [known.deeds, of.id, of.is_quiet], () => [
    ...known.deeds.map((deed) =>
      button(said(deed), () => acted({ act: "track", id: of.id, event: deed.event }, said(deed)), "deed", deed.event)),
    button(t(of.is_quiet ? "comeBack" : "goQuiet"),
      () => acted({ act: "quiet", id: of.id, is_quiet: !of.is_quiet }, t(of.is_quiet ? "comeBack" : "goQuiet")), "deed dashed", "quiet"),
  ]);
  await showPhone(of);
}

function personNode(each, of) {
  const words = el("span", "", el("strong", "", each.name), el("small", "", each.company));
  const signs = el("span", "signs", each.is_quiet ? labelled(el("span", "sign-quiet", "☾"), t("quietNow")) : "",
    each.user_id ? labelled(el("span", "sign-line", "L"), t("onLine")) : "");
  const node = button([face(each.name, each.id), words, signs], () => choose(each.id), "person", each.id);
  node.setAttribute("aria-pressed", String(each.id === of.id));
  return el("li", "", node);
}

async function acted(body, what) {
  const answer = await post("/sandbox/customers", body);
  tell(answer.error ? t("refused", answer.error) : t("done", what), Boolean(answer.error));
  if (answer.id) chosenId = answer.id;
  await refresh();
}

// --- one pane at a time, where the screen is small ----------------------------------------------------

export function lookAt(pane) {
  document.body.dataset.tab = pane;
  for (const tab of document.querySelectorAll("#tabs [role=tab]")) {
    const is = tab.dataset.tab === pane;
    tab.setAttribute("aria-selected", String(is));
    tab.tabIndex = is ? 0 : -1;
  }
}

function startTabs() {
  const tabs = [...document.querySelectorAll("#tabs [role=tab]")];
  for (const [place, tab] of tabs.entries()) {
    tab.addEventListener("click", () => lookAt(tab.dataset.tab));
    tab.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      const other = tabs[(place + by + tabs.length) % tabs.length];
      lookAt(other.dataset.tab);
      other.focus();
    });
  }
  lookAt("phone");
}

// --- looking again and again ---------------------------------------------------------------------------

let isBusy = false, isWanted = false, isWhole = false;

/** Look at everything again; what costs more only when `whole`. */
export async function refresh(whole = true) {
  isWanted = true;
  isWhole ||= whole;
  while (isWanted && !isBusy) {
    isBusy = true;
    isWanted = false;
    const all = isWhole;
    isWhole = false;
    try {
      await showCustomers();
      await Promise.all([showSlack(), showClock(), ...(all ? [showStory(), showWhy(chosen()), showSeen(chosen()), showBook()] : [])]);
      document.body.classList.remove("gone");
    } catch (error) {
      document.body.classList.toggle("gone", error instanceof TypeError && String(error).includes("fetch"));
      if (!document.body.classList.contains("gone")) console.error(error);
    } finally {
      isBusy = false;
    }
  }
}

for (const node of document.querySelectorAll("#languages [data-language]")) {
  node.addEventListener("click", () => { speak(node.dataset.language); refresh(); });
}
$("newcomer").addEventListener("click", async () => {
  await acted({ act: "newcomer" }, "");
  tell(t("signedUp", chosen().name));
});
translate();
startTabs();
startPhone(refresh);
startSlack(refresh);
startClock(refresh);
startBook(refresh);
startStory({ refresh, lookAt, choose: (id) => { chosenId = id; }, staff: chooseStaff });
refresh();
setInterval(() => document.hidden || refresh((turn += 1) % SELDOM === 0), OFTEN);
