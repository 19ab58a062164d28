// The rules: their states, an editor that checks as one types, and what they achieved.
import { $, button, el, get, keepOptions, post, redraw, tell } from "./dom.js";
import { said, t } from "./words.js";

const STATES = ["shadow", "live", "paused"];
const COUNTS = ["eligible", "held_out", "sent", "accepted", "clicked", "tapped", "replied", "reached", "opted_out"];
const PAUSE = 450;
let refresh = () => {};
let book = "rules", files = {}, open = "", sample = "", draft = null, timer = 0, checks = 0;

export async function showBook() {
  const { rules, sample: own } = await get("/sandbox/rules");
  sample = own;
  redraw($("rules"), rules, () => rules.map(ruleNode));
  if (book === "report") await showReport();
}

function ruleNode(rule) {
  const select = el("select", rule.state);
  keepOptions(select, [...new Set([...STATES, rule.state])].map((each) => [each, STATES.includes(each) ? t(each) : each]));
  select.value = rule.state;
  select.dataset.key = rule.rule_id;
  select.setAttribute("aria-label", t("stateOf", rule.name));
  select.addEventListener("change", () => switched(rule.rule_id, select.value));
  return el("li", "", select, el("span", "rule", el("strong", "", rule.name), el("code", "", rule.rule_id)),
    el("span", "context", t("counts", rule.matched, rule.sent)), button(t("edit"), () => edit(rule.rule_id), "", `edit:${rule.rule_id}`));
}

async function switched(ruleId, state) {
  const answer = await post("/sandbox/rules", { rule_id: ruleId, state });
  tell(answer.error ? said(answer.error) : `${ruleId}: ${t(state)}`, Boolean(answer.error));
  await refresh();
  return !answer.error;
}

async function showReport() {
  const { rules } = await get("/sandbox/report");
  redraw($("report"), rules, () => rules.length ? rules.map((rule) => el("article", "", el("h3", "", rule.name || rule.rule_id),
    el("p", "", said(rule.said)),
    el("dl", "", ...COUNTS.map((name) => el("div", "", el("dt", "", t(name === "held_out" ? "held" : name)), el("dd", "", String(rule[name])))))))
    : [el("p", "context", t("noReport"))]);
}

// --- the editor ------------------------------------------------------------------------------------------------

async function edit(ruleId) {
  const stored = ruleId ? (await get(`/sandbox/rule?id=${encodeURIComponent(ruleId)}`)).files : {};
  files = Object.keys(stored).length ? stored : { "my-rule.yaml": sample };
  open = Object.keys(files).find((path) => !path.includes("/"));
  turnTo("editor");
  build();
  $("yaml").focus();
}

function build() {
  const area = el("textarea", "code");
  Object.assign(area, { id: "yaml", spellcheck: false, rows: 18, value: files[open] });
  area.setAttribute("aria-label", t("editor"));
  area.setAttribute("aria-describedby", "problems");
  const gutter = el("pre", "gutter");
  gutter.setAttribute("aria-hidden", "true");
  const state = el("select");
  keepOptions(state, STATES.map((each) => [each, t(each)]));
  state.value = "live";
  state.id = "as-state";
  const apply = button(t("apply"), () => applied(state.value), "primary", "apply");
  apply.id = "apply";
  const tabs = el("div", "actions");
  tabs.replaceChildren(...Object.keys(files).map(fileTab));
  draft = { area, gutter, apply, tabs };
  area.addEventListener("input", () => { files[open] = area.value; number([]); wait(); });
  area.addEventListener("scroll", () => { gutter.scrollTop = area.scrollTop; });
  const problems = el("div", "");
  problems.id = "problems";
  problems.setAttribute("aria-live", "polite");
  $("editor").replaceChildren(
    el("div", "actions", button(`← ${t("back")}`, () => turnTo("rules"), "quiet", "book-back"), tabs),
    el("div", "code-ground", gutter, area), problems,
    el("div", "actions end", el("label", "", `${t("asState")} `, state), apply));
  number([]);
  check();
}

/** A rule's file is called as the rule is: a new id is a new rule. */
function named() {
  const id = /^id:\s*["']?([a-z0-9][a-z0-9-]*)/m.exec(files[open])?.[1];
  if (!id || open.includes("/") || open === `${id}.yaml`) return;
  files = Object.fromEntries(Object.entries(files).map(([path, text]) => [path === open ? `${id}.yaml` : path, text]));
  open = `${id}.yaml`;
  draft.tabs.replaceChildren(...Object.keys(files).map(fileTab));
}

function fileTab(path) {
  const tab = button(path, () => { open = path; build(); }, "file-tab", `file:${path}`);
  tab.setAttribute("aria-pressed", String(path === open));
  return tab;
}

function number(wrong) {
  const rows = files[open].split("\n").length;
  draft.gutter.replaceChildren(...Array.from({ length: rows }, (_, place) =>
    el("span", wrong.includes(place + 1) ? "bad" : "", `${place + 1}\n`)));
  draft.gutter.scrollTop = draft.area.scrollTop;
}

function wait() {
  clearTimeout(timer);
  draft.apply.disabled = true;
  timer = setTimeout(check, PAUSE);
}

async function check() {
  const mine = checks += 1;
  named();
  const answer = await post("/sandbox/rule", { do: "check", files });
  if (mine === checks && document.contains(draft.area)) showProblems(answer);
}

function showProblems({ problems, notes = [], preview, error }) {
  const found = problems || [{ line: 1, column: 1, path: open, ja: error, en: error }];
  draft.apply.disabled = found.length > 0;
  draft.area.setAttribute("aria-invalid", String(found.length > 0));
  number(found.filter((each) => each.path === open).map((each) => each.line));
  const nodes = found.length ? [el("p", "wrong", t("mistakes", found.length)), el("ul", "found", ...found.map((each) =>
    el("li", "", button(`${each.path === open ? "" : `${each.path} `}${t("at", each.line, each.column)}`, () => goTo(each), "quiet", `p:${each.line}`), " ", said(each))))]
    : [el("p", "right", `✓ ${t("sound")}`)];
  if (preview) nodes.push(...previewNodes(preview));
  nodes.push(...notes.map((note) => el("p", "context", said(note))));
  $("problems").replaceChildren(...nodes);
}

function previewNodes(preview) {
  return [
    el("p", "reach", t("reach", preview.matched, preview.sends, preview.escalations)),
    el("ul", "withheld", ...preview.withheld.map((each) => el("li", "", `${said(each)} ${each.number}`))),
    ...preview.samples.slice(0, 2).map((each) => el("blockquote", each.is_sent ? "goes" : "", el("small", "", each.customer), said(each.said))),
  ];
}

function goTo({ path, line, column }) {
  if (path !== open && files[path] !== undefined) { open = path; build(); }
  const rows = files[open].split("\n"), at = rows.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0) + column - 1;
  draft.area.focus();
  draft.area.setSelectionRange(at, at + 1);
}

async function applied(state) {
  const answer = await post("/sandbox/rule", { do: "apply", files });
  if (answer.error || answer.problems.length) return showProblems(answer);
  if (!await switched(answer.rule_id, state)) return undefined;
  tell(t("applied", answer.rule_id, `${t(answer.outcome)}, ${t(state)}`));
  return refresh();
}

function turnTo(wanted) {
  book = wanted;
  for (const id of ["rules", "editor", "report"]) $(id).hidden = id !== wanted;
  for (const tab of document.querySelectorAll("[data-book]")) tab.setAttribute("aria-pressed", String(tab.dataset.book === wanted));
}

export function startBook(refreshed) {
  refresh = refreshed;
  for (const tab of document.querySelectorAll("[data-book]")) {
    tab.addEventListener("click", () => (tab.dataset.book === "editor" ? edit("") : (turnTo(tab.dataset.book), refresh())));
  }
  turnTo("rules");
}
