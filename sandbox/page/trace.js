// Why something was sent to the chosen customer, and why not: each decision, its conditions and gates.
import { $, el, get, moment, redraw } from "./dom.js";
import { speaks, t } from "./words.js";

const unfolded = new Map();
let asked = 0;

function lineNode(line) {
  const depth = line.search(/\S/), words = line.trim(), mark = words[0];
  const node = mark === "✓" || mark === "✗"
    ? el("li", mark === "✓" ? "holds" : "fails", el("b", "", mark), " ", words.slice(1).trim())
    : el("li", /^(次の機会|next chance)/.test(words) ? "chance" : "", words);
  node.classList.add(`deep${Math.min(4, Math.floor(depth / 2))}`);
  return node;
}

function decisionNode(decision, group, isOpen = false) {
  const key = `${group}:${decision.rule_id}:${group === "before" ? decision.at : ""}`;
  const head = el("summary", "",
    el("span", `sign ${decision.kind}${decision.is_shadow ? " shadow" : ""}`, t(decision.is_shadow && decision.kind !== "not_due" ? "shadow_" : `${decision.kind}_`)),
    el("span", "what", el("strong", "", decision.title.replace(/\s*\(.*/, "")), el("span", "verdict", decision.verdict.replace(/^→\s*/, ""))),
    group === "before" ? el("time", "", moment(decision.at)) : "");
  head.dataset.key = key;
  const node = el("details", "decision", head, el("ul", "lines", ...decision.lines.map(lineNode)));
  return keptOpen(node, key, isOpen);
}

function keptOpen(node, key, isOpen) {
  node.open = unfolded.get(key) ?? isOpen;
  node.addEventListener("toggle", (event) => event.target === node && unfolded.set(key, node.open));
  return node;
}

function rest(label, key, decisions, group) {
  return keptOpen(el("details", "rest", el("summary", "", label), ...decisions.map((each) => decisionNode(each, group))), key, false);
}

export async function showWhy(customer) {
  const mine = asked += 1;
  const why = await get(`/sandbox/why?customer=${encodeURIComponent(customer.id)}&language=${speaks()}`);
  if (mine !== asked) return;
  $("why-of").textContent = customer.name;
  const still = why.error || [why.now.map(({ at, ...others }) => others), why.before, why.messages];
  redraw($("why"), [customer.id, still], () => why.error ? [el("p", "context", why.error)] : nodes(why));
}

function nodes(why) {
  const due = why.now.filter((each) => each.kind !== "not_due"), others = why.now.filter((each) => each.kind === "not_due");
  const live = due.filter((each) => !each.is_shadow);
  const telling = why.before.find((each) => !each.is_shadow && each.kind !== "not_due");
  return [
    el("div", "", el("h3", "", t("ifNow")), ...due.map((each) => decisionNode(each, "now", each === live[0])),
      ...(others.length ? [rest(t("notDue", others.length), "now:rest", others, "now")] : [])),
    el("div", "", el("h3", "", t("before")),
      ...(why.before.length ? why.before.slice(0, 4).map((each) => decisionNode(each, "before", each === telling && !live.length)) : [el("p", "context", "—")]),
      ...(why.before.length > 4 ? [rest(t("more", why.before.length - 4), "before:rest", why.before.slice(4), "before")] : []),
      el("h3", "", t("messages")), el("ul", "lines", ...why.messages.map((line) => el("li", `deep${Math.min(4, Math.floor(line.search(/\S/) / 2))}`, line.trim())))),
  ];
}
