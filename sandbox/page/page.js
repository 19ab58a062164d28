// The page only shows what reached the stand-ins, and acts as people would: every tap goes through the
// program's real doors.
import { $, both, button, el, get, keepOptions, moment, post, redraw, tell } from "./dom.js";
import { showPhone, startPhone } from "./phone.js";
import { showSlack, startSlack } from "./slack.js";

const STATES = { shadow: "試運転 shadow", live: "稼働 live", paused: "停止 paused" };
const SIGNS = { send: "送", escalate: "人", wait: "待", drop: "見送", not_due: "—" };
let people = [];

const chosen = () => people.find((each) => each.id === $("person").value) || people[0];

async function showCustomers() {
  const known = await get("/sandbox/customers");
  people = known.people;
  keepOptions($("person"), people.map((each) => [each.id, `${each.name}(${each.company})${each.user_id ? " ・LINE" : ""}`]));
  redraw($("deeds"), known.deeds, () => known.deeds.map((deed) =>
    button(both(deed.ja, deed.en), () => acted({ act: "track", id: chosen().id, event: deed.event }, deed.event), "", deed.event)));
  $("doer").textContent = chosen().name;
  await showPhone(chosen());
}

async function acted(body, what) {
  const said = await post("/sandbox/customers", body);
  tell(said.error || `${what} ✓`, Boolean(said.error));
  if (said.id) {
    await showCustomers();
    $("person").value = said.id;
  }
  await refresh();
}

async function showRules() {
  const { rules } = await get("/sandbox/rules");
  redraw($("rules"), rules, () => rules.map((rule) => {
    const select = el("select", rule.state);
    keepOptions(select, Object.entries(STATES));
    if (!STATES[rule.state]) select.prepend(new Option(rule.state, rule.state));
    select.value = rule.state;
    select.dataset.key = rule.rule_id;
    select.setAttribute("aria-label", `${rule.name} ${rule.rule_id}`);
    select.addEventListener("change", async () => {
      const said = await post("/sandbox/rules", { rule_id: rule.rule_id, state: select.value });
      tell(said.error || `${rule.rule_id}: ${select.value}`, Boolean(said.error));
      await refresh();
    });
    const counts = el("span", "context", ...both(`該当${rule.matched} 送信${rule.sent}`, "matched, sent"));
    return el("li", "", select, el("span", "rule", rule.name, " ", el("code", "", rule.rule_id)), counts);
  }));
}

const unfolded = new Set();

function decisionNode(decision, group) {
  const key = `${group}:${decision.rule_id}:${group === "before" ? decision.at : ""}`;
  const head = el("summary", "", el("span", `sign ${decision.kind}${decision.is_shadow ? " shadow" : ""}`, SIGNS[decision.kind] || "?"),
    el("span", "", ...(group === "before" ? [el("time", "", moment(decision.at)), " "] : []), el("strong", "", decision.title),
      el("span", "verdict", ` ${decision.verdict}`)));
  head.dataset.key = key;
  const node = el("details", "decision", head, el("pre", "", decision.lines.join("\n")));
  node.open = unfolded.has(key);
  node.addEventListener("toggle", () => (node.open ? unfolded.add(key) : unfolded.delete(key)));
  return node;
}

function foldedRest(label, key, decisions, group) {
  const rest = el("details", "rest", el("summary", "", ...label), ...decisions.map((each) => decisionNode(each, group)));
  rest.open = unfolded.has(key);
  rest.addEventListener("toggle", (event) => event.target === rest && (rest.open ? unfolded.add(key) : unfolded.delete(key)));
  return rest;
}

async function showWhy() {
  const customer = chosen(), language = $("language").value;
  const why = await get(`/sandbox/why?customer=${encodeURIComponent(customer.id)}&language=${language}`);
  if (customer !== chosen() && customer.id !== chosen().id) return;
  $("why-of").textContent = customer.name;
  const still = why.error || [why.now.map(({ at, ...rest }) => rest), why.before, why.messages];
  redraw($("why"), [customer.id, language, still], () => {
    if (why.error) return [el("p", "context", why.error)];
    const due = why.now.filter((each) => each.kind !== "not_due"), rest = why.now.filter((each) => each.kind === "not_due");
    return [
      el("h3", "", ...both("いま決めるとしたら", "if decided now")),
      ...due.map((each) => decisionNode(each, "now")),
      foldedRest(both(`いまは対象外の規則 ${rest.length}件`, "rules not due"), "now:rest", rest, "now"),
      el("h3", "", ...both("これまでの判断", "decided before")),
      ...(why.before.length ? why.before.slice(0, 4).map((each) => decisionNode(each, "before")) : [el("p", "context", "—")]),
      ...(why.before.length > 4 ? [foldedRest(both(`ほか ${why.before.length - 4}件`, "more"), "before:rest", why.before.slice(4), "before")] : []),
      el("h3", "", ...both("メッセージ", "messages")),
      el("pre", "", why.messages.join("\n")),
    ];
  });
}

async function showClock() {
  const { now } = await get("/sandbox/clock");
  $("now").textContent = new Date(now).toLocaleString("ja-JP", { timeZone: "Asia/Tokyo", dateStyle: "full", timeStyle: "short" });
  $("now").dateTime = now;
}

async function turn(seconds) {
  const buttons = document.querySelectorAll("[data-turn]");
  for (const each of buttons) each.disabled = true;
  tell("時間を進めています… / time passes…");
  const said = await post("/sandbox/clock", { seconds }).catch((error) => ({ error: String(error) }));
  for (const each of buttons) each.disabled = false;
  tell(said.error || "", Boolean(said.error));
  await refresh();
}

let isBusy = false, isWanted = false;
async function refresh() {
  isWanted = true;
  while (isWanted && !isBusy) {
    isBusy = true;
    isWanted = false;
    try {
      await showCustomers();
      await Promise.all([showSlack(), showClock(), showRules(), showWhy()]);
      document.body.classList.remove("gone");
    } catch (error) {
      document.body.classList.add("gone");
    } finally {
      isBusy = false;
    }
  }
}

startPhone(refresh);
startSlack(refresh);
$("person").addEventListener("change", refresh);
$("language").addEventListener("change", refresh);
$("newcomer").addEventListener("click", () => acted({ act: "newcomer" }, "signup"));
for (const node of document.querySelectorAll("[data-turn]")) {
  node.addEventListener("click", async () => { await turn(Number(node.dataset.turn)); node.focus(); });
}
refresh();
setInterval(() => document.hidden || refresh(), 1500);
