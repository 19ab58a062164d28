// Slack's modals: they lie over the Slack pane alone, so that the story and the clock stay in reach.
import { $, button, el, get, redraw } from "./dom.js";
import { t } from "./words.js";
import { blockNode, plain } from "./blocks.js";

let opener = null;

function fieldOf(block, view) {
  const inner = block.element, held = (view.state?.values?.[block.block_id] || {})[inner.action_id] || {};
  const name = `${block.block_id}:${inner.action_id}`;
  if (inner.type === "radio_buttons" || inner.type === "checkboxes") return choicesOf(inner, held, name);
  if (inner.options) {
    const select = el("select", "", ...inner.options.map((each) => {
      const option = el("option", "", plain(each.text));
      option.value = each.value;
      return option;
    }));
    const chosen = (held.selected_options || inner.initial_options || [held.selected_option || inner.initial_option || inner.options[0]]).filter(Boolean);
    select.multiple = inner.type.startsWith("multi_");
    for (const option of select.options) option.selected = chosen.some((each) => each.value === option.value);
    return { node: select, read: () => (select.multiple ? [...select.selectedOptions].map((each) => each.value) : select.value) };
  }
  const field = el(inner.multiline ? "textarea" : "input");
  const types = { datepicker: "date", timepicker: "time", number_input: "number", email_text_input: "email", url_text_input: "url" };
  if (types[inner.type]) field.type = types[inner.type];
  if (inner.multiline) field.rows = 7;
  if (inner.placeholder) field.placeholder = plain(inner.placeholder);
  field.value = held.value ?? held.selected_date ?? held.selected_time ?? inner.initial_value ?? inner.initial_date ?? inner.initial_time ?? "";
  return { node: field, read: () => field.value };
}

function choicesOf(inner, held, name) {
  const isOne = inner.type === "radio_buttons";
  const before = isOne ? [held.selected_option || inner.initial_option] : held.selected_options || inner.initial_options || [];
  const fields = inner.options.map((each) => {
    const field = el("input");
    Object.assign(field, { type: isOne ? "radio" : "checkbox", name, value: each.value, checked: before.some((one) => one?.value === each.value) });
    return [field, el("label", "choice", field, plain(each.text))];
  });
  const read = () => {
    const chosen = fields.map(([field]) => field).filter((field) => field.checked).map((field) => field.value);
    return isOne ? chosen[0] || "" : chosen;
  };
  return { node: el("div", "choices", ...fields.map(([, label]) => label)), read };
}

function inputNode(block, view, fields) {
  const { node, read } = fieldOf(block, view);
  fields.push([block.element.action_id, read]);
  const isGroup = node.classList.contains("choices");
  const label = el(isGroup ? "fieldset" : "label", "input", el(isGroup ? "legend" : "span", "", plain(block.label)), node);
  if (block.hint) label.append(el("small", "context", plain(block.hint)));
  const error = (view.errors || {})[block.block_id];
  if (error) label.append(el("p", "wrong", error));
  return label;
}

function modalNodes(view, act) {
  const fields = [], wrong = el("p", "wrong", view.trouble || "");
  wrong.setAttribute("role", "alert");
  const nodes = view.blocks.map((block) => block.type === "input" ? inputNode(block, view, fields) : blockNode(block, { act, view_id: view.id }));
  $("modal").onsubmit = async (event) => {
    event.preventDefault();
    const filled = fields.map(([id, read]) => [id, read()]).filter(([, value]) => value.length);
    wrong.textContent = await act("submit", { view_id: view.id, values: Object.fromEntries(filled) });
  };
  const title = el("h2", "", plain(view.title));
  title.id = "modal-title";
  const foot = el("div", "actions end", button(view.close ? plain(view.close) : t("close"), () => act("close_view", { view_id: view.id }), "", "modal-close"));
  if (view.submit) {
    const go = el("button", "primary", plain(view.submit));
    go.type = "submit";
    foot.append(go);
  }
  return [title, el("div", "modal-body", ...nodes, wrong), foot];
}

export async function showModal(staff, act) {
  const { views } = await get(`/sandbox/slack/views?user=${encodeURIComponent(staff)}`);
  const view = views.at(-1), ground = $("modal-ground"), wasOpen = !ground.hidden;
  if (view && !wasOpen) opener = document.activeElement?.dataset?.key;
  ground.hidden = !view;
  const isDrawn = redraw($("modal"), view ? [view.id, view.hash, view.errors, view.trouble] : null, () => (view ? modalNodes(view, act) : []));
  if (!view && wasOpen && opener) [...document.querySelectorAll("#slack [data-key]")].find((node) => node.dataset.key === opener)?.focus();
  if (!view || !isDrawn) return;
  $("modal").onkeydown = (event) => event.key === "Escape" && act("close_view", { view_id: view.id });
  if (document.activeElement?.id !== "story-next") $("modal").querySelector("textarea, input, select, button")?.focus();
}
