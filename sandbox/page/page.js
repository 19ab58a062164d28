"use strict";
// The page only shows what reached the stand-ins, and acts as people would: every tap goes through the
// program's real doors. Text is always set as text, never as markup.
const $ = (id) => document.getElementById(id);
const get = async (path) => (await fetch(path)).json();
const post = async (path, body) => {
  $("busy").textContent = "…";
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const said = await answer.json();
  $("busy").textContent = said.error || "";
  await refresh();
  return said;
};
const el = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};
const button = (label, act, className) => {
  const node = el("button", className, label);
  node.type = "button";
  node.addEventListener("click", act);
  return node;
};
const keepOptions = (select, options) => {
  const wanted = JSON.stringify(options);
  if (select.dataset.shown === wanted) return;
  const chosen = select.value;
  select.replaceChildren(...options.map(([value, label]) => { const o = el("option", "", label); o.value = value; return o; }));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
  select.dataset.shown = wanted;
};

const line = (action, more = {}) => post("/sandbox/line/action", { action, user_id: $("person").value, ...more });
const slack = (action, more = {}) => post("/sandbox/slack/action", { do: action, user_id: $("staff").value, ...more });

async function showPhone() {
  const user = $("person").value;
  if (!user) return;
  const phone = await get(`/sandbox/line/phone?user_id=${user}`);
  $("friend").textContent = phone.has_blocked ? "ブロック中" : phone.is_friend ? "友だち" : "未登録";
  const list = $("bubbles"), before = list.childElementCount;
  list.replaceChildren(...phone.bubbles.map((bubble) => {
    const item = el("li", `bubble ${bubble.from}`);
    if (bubble.sender) item.append(el("small", "", bubble.sender.name || bubble.sender));
    item.append(el("span", "", bubble.is_unsent ? "(送信取消)" : bubble.text || bubble.alt_text || `(${bubble.type})`));
    for (const b of bubble.buttons || []) item.append(button(b.label, () => line("tap_button", { label: b.label }), "primary"));
    item.append(el("small", "", new Date(bubble.at).toLocaleString("ja-JP")));
    return item;
  }));
  if (list.childElementCount !== before) list.scrollTop = list.scrollHeight;
  const last = phone.bubbles.filter((b) => b.from === "bot").at(-1);
  const isNewest = last && phone.bubbles.at(-1) === last;
  $("quick").replaceChildren(...((isNewest && last.quick_replies) || []).map((q) => button(q.label, () => line("tap_quick_reply", { label: q.label }))));
}

const plain = (text) => (text ? text.text || "" : "")
  .replace(/<!date\^(\d+)\^[^|>]*(\|[^>]*)?>/g, (_, t) => new Date(t * 1000).toLocaleString("ja-JP"))
  .replace(/<@([A-Z0-9]+)>/g, (_, id) => "@" + (names[id] || id))
  .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
let names = {};

function richText(elements) {
  return (elements || []).map((e) => e.type === "text" ? e.text : e.elements ? richText(e.elements) : e.url || (e.user_id ? "@" + (names[e.user_id] || e.user_id) : e.name || "")).join("");
}

function blockNode(block, where) {
  switch (block.type) {
    case "header": return el("div", "block header", plain(block.text));
    case "divider": return el("hr");
    case "context": return el("div", "block context", block.elements.map(plain).join(" · "));
    case "rich_text": return el("div", "block quote", richText(block.elements));
    case "section": {
      const node = el("div", "block" + (block.fields ? " fields" : ""));
      if (block.text) node.append(el("div", "", plain(block.text)));
      for (const field of block.fields || []) node.append(el("div", "", plain(field)));
      if (block.accessory) node.append(elementNode(block.accessory, block, where));
      return node;
    }
    case "actions": {
      const node = el("div", "block actions");
      node.append(...block.elements.map((e) => elementNode(e, block, where)));
      return node;
    }
    default: return el("div", "block context", `[${block.type}]`);
  }
}

function elementNode(element, block, where) {
  const press = (more = {}) => slack("press", { channel: where.channel, ts: where.ts, action_id: element.action_id, block_id: block.block_id, ...more });
  if (element.type === "button") {
    const act = () => {
      const ask = element.confirm;
      if (!ask || window.confirm(`${plain(ask.title)}\n\n${plain(ask.text)}`)) press();
    };
    return button(plain(element.text), act, element.style || "");
  }
  const options = element.options || (element.option_groups || []).flatMap((g) => g.options);
  if (options) {
    const select = el("select");
    select.append(el("option", "", plain(element.placeholder) || "⋯"));
    for (const option of options) { const o = el("option", "", plain(option.text)); o.value = option.value; select.append(o); }
    select.setAttribute("aria-label", plain(element.placeholder) || element.action_id);
    select.addEventListener("change", () => press({ selected_option: options.find((o) => o.value === select.value) }));
    return select;
  }
  return el("span", "", `[${element.type}]`);
}

function postNode(message, channel) {
  const item = el("li", "post" + (message.is_ephemeral ? " private" : ""));
  item.append(el("div", "who", message.name + (message.is_ephemeral ? "(あなただけに表示)" : "")));
  if (message.blocks && message.blocks.length) for (const block of message.blocks) item.append(blockNode(block, { channel, ts: message.ts }));
  else item.append(el("div", "block", plain({ text: message.text })));
  if (message.replies && message.replies.length) {
    const thread = el("div", "replies");
    thread.append(...message.replies.map((reply) => postNode(reply, channel)));
    item.append(thread);
  }
  return item;
}

let shownPosts = "";
async function showSlack() {
  const channel = $("channel").value;
  if (!channel) return;
  const room = await get(`/sandbox/slack/channel?id=${channel}&user=${$("staff").value}`);
  const state = JSON.stringify(room);
  if (state === shownPosts) return;
  shownPosts = state;
  $("posts").replaceChildren(...room.messages.map((message) => postNode(message, channel)));
}

let openView = "";
async function showModal() {
  const { views } = await get(`/sandbox/slack/views?user=${$("staff").value}`);
  const view = views.at(-1), state = view ? JSON.stringify([view.id, view.hash, view.errors]) : "";
  if (state === openView) return;
  openView = state;
  if (!view) { if ($("modal").open) $("modal").close(); return; }
  const form = $("modal-form"), inputs = [];
  form.replaceChildren(el("h2", "", plain(view.title)));
  for (const block of view.blocks) {
    if (block.type !== "input") { form.append(blockNode(block, {})); continue; }
    const label = el("label", "", plain(block.label)), inner = block.element;
    const options = inner.options;
    const field = el(options ? "select" : inner.multiline ? "textarea" : "input");
    if (options) for (const option of options) { const o = el("option", "", plain(option.text)); o.value = option.value; field.append(o); }
    else field.value = inner.initial_value || "";
    const now = inner.initial_option; if (now) field.value = now.value;
    inputs.push([inner.action_id, field]);
    label.append(field);
    form.append(label);
    const wrong = (view.errors || {})[block.block_id];
    if (wrong) form.append(el("p", "error", wrong));
  }
  form.append(button(view.submit ? plain(view.submit) : "OK", () =>
    slack("submit", { view_id: view.id, values: Object.fromEntries(inputs.map(([id, f]) => [id, f.value])) }), "primary"));
  form.append(button(view.close ? plain(view.close) : "閉じる", () => slack("close_view", { view_id: view.id })));
  if (!$("modal").open) $("modal").showModal();
}

async function refresh() {
  const [{ people }, { members }, { channels }, clock] = await Promise.all([
    get("/sandbox/line/people"), get("/sandbox/slack/members"), get("/sandbox/slack/channels"), get("/sandbox/clock")]);
  names = Object.fromEntries(members.map((m) => [m.id, m.real_name]));
  keepOptions($("person"), people.map((p) => [p.user_id, p.display_name]));
  keepOptions($("staff"), members.filter((m) => !m.is_bot).map((m) => [m.id, m.real_name]));
  keepOptions($("channel"), channels.map((c) => [c.id, c.name]));
  $("now").textContent = new Date(clock.now).toLocaleString("ja-JP", { timeZone: "Asia/Tokyo", dateStyle: "full", timeStyle: "short" });
  await Promise.all([showPhone(), showSlack(), showModal()]);
  const why = await get(`/sandbox/why?user_id=${$("person").value}`);
  $("why").textContent = why.lines.join("\n");
}

$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("words").value.trim();
  if (text) { $("words").value = ""; line("say", { text }); }
});
$("follow").addEventListener("click", () => line("follow"));
$("unfollow").addEventListener("click", () => line("unfollow"));
for (const node of document.querySelectorAll("[data-turn]")) {
  node.addEventListener("click", () => post("/sandbox/clock", { seconds: Number(node.dataset.turn) }));
}
for (const id of ["person", "staff", "channel"]) $(id).addEventListener("change", refresh);
$("modal").addEventListener("cancel", (event) => event.preventDefault());
refresh();
setInterval(refresh, 1500);
