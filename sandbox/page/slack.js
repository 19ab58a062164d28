// The company's Slack: channels, cards, threads, modals and slash commands, as one member sees them.
import { $, both, button, confirmed, el, get, keepOptions, moment, post, redraw, tell } from "./dom.js";

let refresh = () => {};
let names = {};
let channel = "";
let thread = null;
const seen = {};

async function act(action, more = {}) {
  const said = await post("/sandbox/slack/action", { do: action, user_id: $("staff").value, ...more });
  const wrong = said.error || (said.is_good === false ? `Slack: ${said.status}` : "");
  tell(wrong, Boolean(wrong));
  await refresh();
  return wrong;
}

// --- Slack's markup, as its client shows it -----------------------------------------------------------

const MARKED = /<!date\^(\d+)\^[^>]*>|<@(\w+)[^>]*>|<#\w+\|([^>]+)>|<https?:\/\/[^|>]+\|([^>]+)>|\*([^*\n]+)\*/g;
const unescaped = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

function marked(text) {
  const nodes = [];
  let end = 0;
  for (const mark of text.matchAll(MARKED)) {
    nodes.push(unescaped(text.slice(end, mark.index)));
    end = mark.index + mark[0].length;
    const [, at, member, room, words, bold] = mark;
    if (at) nodes.push(el("time", "", moment(at * 1000)));
    else if (member) nodes.push(el("span", "mention", `@${names[member] || member}`));
    else if (bold) nodes.push(el("strong", "", unescaped(bold)));
    else nodes.push(unescaped(words || `#${room}`));
  }
  nodes.push(unescaped(text.slice(end)));
  return nodes.filter(Boolean);
}

const textOf = (object) => !object ? [] : object.type === "mrkdwn" ? marked(object.text) : [object.text];
const plain = (object) => (object ? object.text : "");

function richNode(element) {
  if (element.type === "text") {
    const style = element.style || {};
    return style.bold ? el("strong", "", element.text) : element.text;
  }
  if (element.type === "user") return el("span", "mention", `@${names[element.user_id] || element.user_id}`);
  if (element.type === "emoji") return `:${element.name}:`;
  const inside = (element.elements || []).map(richNode);
  if (element.type === "rich_text_quote") return el("blockquote", "", ...inside);
  if (element.elements) return el("div", "", ...inside);
  return element.text || element.url || element.fallback || "";
}

// --- blocks ---------------------------------------------------------------------------------------------

function blockNode(block, where) {
  switch (block.type) {
    case "header": return el("h3", "block", plain(block.text));
    case "divider": return el("hr");
    case "context": return el("div", "block context", ...block.elements.map((each) => el("div", "", ...textOf(each))));
    case "rich_text": return el("div", "block rich", ...block.elements.map(richNode));
    case "section": {
      const node = el("div", "block", ...textOf(block.text));
      if (block.fields) node.append(el("div", "fields", ...block.fields.map((each) => el("div", "", ...textOf(each)))));
      if (block.accessory) node.append(elementNode(block.accessory, block, where));
      return node;
    }
    case "actions": return el("div", "block actions", ...block.elements.map((each) => elementNode(each, block, where)));
    default: return el("div", "block context", `[${block.type}]`);
  }
}

function elementNode(element, block, where) {
  const named = { action_id: element.action_id, block_id: block.block_id };
  const press = (value) => where.view_id
    ? act("press_in_view", { view_id: where.view_id, ...named, ...value })
    : act("press", { channel: where.channel, ts: where.ts, ...named, ...value });
  const key = `${where.ts || where.view_id}:${element.action_id}`;
  if (element.type === "button") {
    const ask = element.confirm;
    return button(plain(element.text), async () => {
      if (!ask || await confirmed({ title: plain(ask.title), text: plain(ask.text), yes: plain(ask.confirm), no: plain(ask.deny) })) press();
    }, element.style || "", key);
  }
  const options = element.options || (element.option_groups || []).flatMap((group) => group.options);
  if (!options.length) return el("span", "context", `[${element.type}]`);
  const select = el("select", "", el("option", "", plain(element.placeholder) || "⋯"), ...options.map((each) => {
    const option = el("option", "", plain(each.text));
    option.value = each.value;
    return option;
  }));
  select.setAttribute("aria-label", plain(element.placeholder) || element.action_id);
  select.dataset.key = key;
  select.addEventListener("change", () => press({ value: select.value }));
  return select;
}

function postNode(message, where, isReply = false) {
  const item = el(isReply ? "div" : "li", "post" + (message.is_ephemeral ? " private" : ""));
  const who = el("div", "who", message.name, el("time", "", moment(message.ts * 1000)));
  if (message.is_ephemeral) who.append(el("span", "context", ...both("あなただけに表示", "only visible to you")));
  item.append(who);
  if (message.blocks?.length) item.append(...message.blocks.map((block) => blockNode(block, { channel: where, ts: message.ts })));
  else item.append(el("div", "block", ...marked(message.text || "")));
  for (const file of message.files || []) item.append(el("div", "context", `[${file.name}]`));
  if (isReply || message.is_ephemeral) return item;
  if (message.replies?.length) {
    const replies = el("details", "replies", el("summary", "", ...both(`返信 ${message.replies.length}件`, "replies")));
    replies.open = !folded.has(message.ts);
    replies.addEventListener("toggle", () => (replies.open ? folded.delete(message.ts) : folded.add(message.ts)));
    replies.append(...message.replies.map((reply) => postNode(reply, where, true)));
    item.append(replies);
  }
  item.append(button(both("スレッドに書く", "reply in thread"), () => writeIn(message.ts), "quiet", `${message.ts}:thread`));
  return item;
}
const folded = new Set();

function writeIn(ts) {
  thread = ts;
  $("thread").hidden = !ts;
  if (ts) $("line").focus();
}

// --- channels, home, modals ------------------------------------------------------------------------------

async function showRoom() {
  const staff = encodeURIComponent($("staff").value), list = $("posts");
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  const wanted = channel;
  if (channel === "home") {
    const { view } = await get(`/sandbox/slack/home?user=${staff}`);
    list.dataset.room = wanted;
    if (channel === wanted) redraw(list, ["home", staff, view], () =>
      view ? [el("li", "post", ...view.blocks.map((block) => blockNode(block, { view_id: view.id })))] : []);
    return;
  }
  const room = await get(`/sandbox/slack/channel?id=${encodeURIComponent(channel)}&user=${staff}`);
  if (channel !== wanted) return;
  const isDrawn = redraw(list, [room, staff, names], () => room.messages.length
    ? room.messages.map((message) => postNode(message, wanted))
    : [el("li", "context", ...both("まだ何もありません", "nothing here yet"))]);
  const isNew = list.dataset.room !== wanted;
  const latest = room.messages.at(-1)?.ts || "";
  list.dataset.room = wanted;
  if (isDrawn && isNew && list.lastElementChild) list.scrollTop = list.lastElementChild.offsetTop - list.offsetTop;
  else if (isDrawn && (isAtEnd || list.dataset.latest !== latest)) list.scrollTop = list.scrollHeight;
  list.dataset.latest = latest;
}

function fieldOf(block, view) {
  const inner = block.element, held = (view.state?.values?.[block.block_id] || {})[inner.action_id] || {};
  if (inner.options) {
    const select = el("select", "", ...inner.options.map((each) => {
      const option = el("option", "", plain(each.text));
      option.value = each.value;
      return option;
    }));
    select.value = (held.selected_option || inner.initial_option || inner.options[0]).value;
    return select;
  }
  const field = el(inner.multiline ? "textarea" : "input");
  if (inner.type === "datepicker") field.type = "date";
  field.value = held.value ?? held.selected_date ?? inner.initial_value ?? inner.initial_date ?? "";
  return field;
}

async function showModal() {
  const { views } = await get(`/sandbox/slack/views?user=${encodeURIComponent($("staff").value)}`);
  const view = views.at(-1), dialog = $("modal");
  const isDrawn = redraw($("modal-form"), view ? [view.id, view.hash, view.errors, view.trouble] : null, () => (view ? modalNodes(view) : []));
  if (!view) return dialog.open && dialog.close();
  if (isDrawn && dialog.open) dialog.close();
  if (!dialog.open) dialog.showModal();
  dialog.oncancel = (event) => { event.preventDefault(); act("close_view", { view_id: view.id }); };
}

function modalNodes(view) {
  const fields = [], wrong = el("p", "wrong", view.trouble || "");
  wrong.setAttribute("role", "alert");
  const nodes = view.blocks.map((block) => {
    if (block.type !== "input") return blockNode(block, { view_id: view.id });
    const field = fieldOf(block, view);
    fields.push([block.element.action_id, field]);
    const label = el("label", "", plain(block.label), field);
    if (block.hint) label.append(el("small", "context", plain(block.hint)));
    const error = (view.errors || {})[block.block_id];
    if (error) label.append(el("p", "wrong", error));
    return label;
  });
  const submit = async () => {
    const filled = fields.filter(([, field]) => field.value !== "").map(([id, field]) => [id, field.value]);
    wrong.textContent = await act("submit", { view_id: view.id, values: Object.fromEntries(filled) });
  };
  $("modal-form").onsubmit = (event) => { event.preventDefault(); submit(); };
  const foot = el("div", "actions");
  if (view.submit) {
    const go = el("button", "primary", plain(view.submit));
    go.type = "submit";
    foot.append(go);
  }
  foot.append(button(view.close ? plain(view.close) : "閉じる", () => act("close_view", { view_id: view.id })));
  return [el("h2", "", plain(view.title)), ...nodes, wrong, foot];
}

export async function showSlack() {
  const [{ members }, { channels }] = await Promise.all([get("/sandbox/slack/members"), get("/sandbox/slack/channels")]);
  names = Object.fromEntries(members.map((each) => [each.id, each.real_name]));
  keepOptions($("staff"), members.filter((each) => !each.is_bot).map((each) => [each.id, each.real_name]));
  const rooms = channels.filter((each) => each.kind === "public" || each.kind === "private");
  channel ||= rooms[0].id;
  const open = rooms.find((each) => each.id === channel);
  if (open) seen[channel] = open.latest;
  const tabs = [...rooms.map((each) => [each.id, `# ${each.name}`, each.latest !== (seen[each.id] ?? null)]), ["home", "ホーム", false]];
  redraw($("rooms"), [tabs, channel], () => tabs.map(([id, label, isNew]) => {
    const tab = button(isNew ? [label, el("span", "new", "●")] : label, () => choose(id), id === channel ? "chosen" : "", id);
    tab.setAttribute("aria-pressed", String(id === channel));
    return tab;
  }));
  $("write").hidden = channel === "home";
  await Promise.all([showRoom(), showModal()]);
}

async function choose(id) {
  channel = id;
  writeIn(null);
  if (id === "home") await act("open_home");
  await refresh();
}

export function startSlack(refreshed) {
  refresh = refreshed;
  $("staff").addEventListener("change", refresh);
  $("no-thread").addEventListener("click", () => writeIn(null));
  $("write").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("line").value.trim();
    if (!text) return;
    $("line").value = "";
    const [word, ...rest] = text.split(/\s+/);
    if (word.startsWith("/")) act("command", { command: word, text: rest.join(" "), channel });
    else act("write", { channel, text, ...(thread ? { thread_ts: thread } : {}) });
  });
}
