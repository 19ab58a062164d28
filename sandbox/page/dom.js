// Pieces every part of the page is made of. Text is always set as text, never as markup.
export const $ = (id) => document.getElementById(id);

export const get = async (path) => (await fetch(path)).json();

export async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  return answer.json();
}

export function el(tag, className, ...inside) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...inside.filter((each) => each !== undefined && each !== null && each !== ""));
  return node;
}

/** Japanese first, English beside it. */
export function both(ja, en) {
  const beside = el("span", "en", ` ${en}`);
  beside.lang = "en";
  return [ja, beside];
}

export function button(label, act, className = "", key = "") {
  const node = el("button", className, ...(Array.isArray(label) ? label : [label]));
  node.type = "button";
  if (key) node.dataset.key = key;
  node.addEventListener("click", act);
  return node;
}

const shown = new WeakMap();

/** Draw again only when `state` has changed; whoever had the keyboard keeps it. */
export function redraw(parent, state, nodes) {
  const wanted = JSON.stringify(state);
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

const moments = new Intl.DateTimeFormat("ja-JP",
  { timeZone: "Asia/Tokyo", month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" });
export const moment = (at) => moments.format(new Date(at));

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
      el("div", "actions", button(yes, () => answer(true), "primary"), button(no, () => answer(false))));
    dialog.showModal();
  });
}
