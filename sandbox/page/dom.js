// Pieces every part of the page is made of. Text is always set as text, never as markup.
import { speaks } from "./words.js";

export const $ = (id) => document.getElementById(id);

export const get = async (path) => (await fetch(path)).json();

export async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  return answer.json().catch(() => ({ error: `${answer.status} ${answer.statusText}` }));
}

export function el(tag, className, ...inside) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...inside.filter((each) => each !== undefined && each !== null && each !== ""));
  return node;
}

export function svg(tag, attributes, ...inside) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...inside);
  return node;
}

export function button(label, act, className = "", key = "") {
  const node = el("button", className, ...(Array.isArray(label) ? label : [label]));
  node.type = "button";
  if (key) node.dataset.key = key;
  node.addEventListener("click", act);
  return node;
}

export function labelled(node, label) {
  node.setAttribute("aria-label", label);
  node.title = label;
  return node;
}

const shown = new WeakMap();

/** Draw again only when `state` or the language has changed; whoever had the keyboard keeps it. */
export function redraw(parent, state, nodes) {
  const wanted = JSON.stringify([speaks(), state]);
  if (shown.get(parent) === wanted) return false;
  shown.set(parent, wanted);
  const held = parent.contains(document.activeElement) ? document.activeElement.dataset.key : "";
  parent.replaceChildren(...nodes());
  if (held) [...parent.querySelectorAll("[data-key]")].find((node) => node.dataset.key === held)?.focus();
  return true;
}

export function keepOptions(select, options) {
  const chosen = select.value;
  redraw(select, options, () => options.map(([value, label]) => {
    const option = el("option", "", label);
    option.value = value;
    return option;
  }));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

const forms = (options) => Object.fromEntries(["ja-JP", "en-GB"].map((locale) =>
  [locale.slice(0, 2), new Intl.DateTimeFormat(locale, { timeZone: "Asia/Tokyo", hourCycle: "h23", ...options })]));
const MOMENTS = forms({ month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" });
const TIMES = forms({ hour: "2-digit", minute: "2-digit" });
const DAYS = forms({ month: "numeric", day: "numeric", weekday: "short" });
const WHOLE = forms({ year: "numeric", month: "short", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit" });

export const moment = (at) => MOMENTS[speaks()].format(new Date(at));
export const time = (at) => TIMES[speaks()].format(new Date(at));
export const day = (at) => DAYS[speaks()].format(new Date(at));
export const whole = (at) => WHOLE[speaks()].format(new Date(at));

/** A round sign for a person: the first letter of the name, in a colour that stays theirs. */
export function face(name, seed, className = "") {
  let sum = 0;
  for (const letter of seed) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  const node = el("span", `face tint${sum % 6} ${className}`, [...name][0] || "?");
  node.setAttribute("aria-hidden", "true");
  return node;
}

export function tell(text, isWrong = false) {
  $("told").textContent = text;
  $("told").className = isWrong ? "wrong" : "";
}

/** Ask as Slack's confirm dialog does; resolves to whether it was confirmed. */
export function confirmed({ title, text, yes, no }) {
  const dialog = $("confirm"), form = $("confirm-form");
  return new Promise((resolve) => {
    const answer = (is) => { dialog.close(); resolve(is); };
    dialog.oncancel = () => resolve(false);
    form.replaceChildren(
      el("h2", "", title), el("p", "quote", text),
      el("div", "actions end", button(no, () => answer(false)), button(yes, () => answer(true), "primary")));
    dialog.showModal();
  });
}
