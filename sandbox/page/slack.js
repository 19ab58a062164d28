// The company's Slack: channels, cards, threads, Home and slash commands, as one member sees them.
import { $, button, el, face, get, keepOptions, labelled, moment, post, redraw, tell } from "./dom.js";
import { t } from "./words.js";
import { blockNode, know, marked } from "./blocks.js";
import { showModal } from "./modal.js";
import { sign } from "./signs.js";

let refresh = () => {};
let channel = "", thread = null, wantedStaff = "";
const seen = {}, folded = new Set();

async function act(action, more = {}) {
  const answer = await post("/sandbox/slack/action", { do: action, user_id: $("staff").value, ...more });
  const wrong = answer.error || (answer.is_good === false ? `Slack: ${answer.status}` : "");
  tell(wrong ? t("refused", wrong) : "", Boolean(wrong));
  await refresh();
  return wrong;
}

// --- posts -------------------------------------------------------------------------------------------------

function fileNode(file) {
  if (!String(file.mimetype).startsWith("image/")) return el("div", "file", `▤ ${file.name}`);
  const picture = el("img", "picture");
  picture.src = `/sandbox/file?id=${encodeURIComponent(file.id)}`;
  picture.alt = file.title || file.name;
  return picture;
}

function postNode(message, where, isReply = false) {
  const who = el("div", "who", el("strong", "", message.name), message.is_bot ? el("span", "badge", t("app")) : "", el("time", "", moment(message.ts * 1000)));
  const body = el("div", "said", who);
  if (message.is_ephemeral) body.prepend(el("div", "only", sign("👁"), " ", t("onlyYou")));
  if (message.blocks?.length) body.append(...message.blocks.map((block) => blockNode(block, { act, channel: where, ts: message.ts })));
  else body.append(el("div", "block", ...marked(message.text || "")));
  if (message.is_edited) body.append(el("small", "context", `(${t("edited")})`));
  body.append(...(message.files || []).map(fileNode));
  if (message.reactions?.length) body.append(el("div", "reactions", ...message.reactions.map((each) => el("span", "", `:${each.name}: ${each.count ?? each.users?.length ?? ""}`))));
  if (!isReply && !message.is_ephemeral) body.append(...threadNodes(message, where));
  return el(isReply ? "div" : "li", `post${message.is_ephemeral ? " private" : ""}${isReply ? " reply" : ""}`,
    face(message.is_bot ? "寄" : message.name, message.is_bot ? "bot" : message.user, message.is_bot ? "square bot" : "square"), body);
}

function threadNodes(message, where) {
  const nodes = [];
  if (message.replies?.length) {
    const replies = el("details", "replies", el("summary", "", t("replies", message.replies.length)), ...message.replies.map((reply) => postNode(reply, where, true)));
    replies.open = !folded.has(message.ts);
    replies.addEventListener("toggle", () => (replies.open ? folded.delete(message.ts) : folded.add(message.ts)));
    nodes.push(replies);
  }
  return [...nodes, button(t("reply"), () => writeIn(message.ts), "quiet", `${message.ts}:thread`)];
}

function writeIn(ts) {
  thread = ts;
  $("thread").hidden = !ts;
  if (ts) $("line").focus();
}

// --- channels and home ----------------------------------------------------------------------------------------

async function showHome(staff, list) {
  const { view } = await get(`/sandbox/slack/home?user=${encodeURIComponent(staff)}`);
  if (channel !== "home") return;
  list.dataset.room = "home";
  redraw(list, ["home", staff, view], () => view
    ? [el("li", "post home", el("div", "said", ...view.blocks.map((block) => blockNode(block, { act, view_id: view.id }))))]
    : [el("li", "context", t("empty"))]);
}

async function showRoom(staff, names) {
  const list = $("posts"), wanted = channel;
  if (channel === "home") return showHome(staff, list);
  const isAtHead = Math.abs(list.scrollTop - Number(list.dataset.put ?? -9)) < 4;
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  const room = await get(`/sandbox/slack/channel?id=${encodeURIComponent(channel)}&user=${encodeURIComponent(staff)}`);
  if (channel !== wanted) return;
  const isDrawn = redraw(list, [room, staff, names], () => room.messages.length
    ? room.messages.map((message) => postNode(message, wanted))
    : [el("li", "context empty", t("empty"))]);
  const latest = room.messages.at(-1)?.ts || "", isNew = list.dataset.room !== wanted || list.dataset.latest !== latest;
  if (isDrawn && list.lastElementChild && (isNew || isAtHead)) {  // a card is read from its head
    list.scrollTop = list.lastElementChild.offsetTop;
    list.dataset.put = list.scrollTop;
  } else if (isDrawn && isAtEnd) {
    list.scrollTop = list.scrollHeight;
  }
  list.dataset.room = wanted;
  list.dataset.latest = latest;
}

export async function showSlack() {
  const [{ members }, { channels }] = await Promise.all([get("/sandbox/slack/members"), get("/sandbox/slack/channels")]);
  const names = Object.fromEntries(members.map((each) => [each.id, each.real_name]));
  know(names);
  keepOptions($("staff"), members.filter((each) => !each.is_bot).map((each) => [each.id, each.real_name]));
  if (wantedStaff) $("staff").value = wantedStaff;
  wantedStaff = "";
  const rooms = channels.filter((each) => each.kind === "public" || each.kind === "private");
  channel ||= rooms[0].id;
  const open = rooms.find((each) => each.id === channel);
  if (open) seen[channel] = open.latest;
  const tabs = [...rooms.map((each) => [each.id, `# ${each.name}`, each.latest !== (seen[each.id] ?? null)]), ["home", `⌂ ${t("home")}`, false]];
  $("room-name").textContent = tabs.find(([id]) => id === channel)[1];
  redraw($("rooms"), [tabs, channel], () => tabs.map(([id, label, isNew]) => {
    const tab = button(isNew ? [label, labelled(el("span", "new", "●"), t("unread"))] : label, () => choose(id), "", id);
    tab.setAttribute("aria-pressed", String(id === channel));
    return tab;
  }));
  $("write").hidden = channel === "home";
  await Promise.all([showRoom($("staff").value, names), showModal($("staff").value, act)]);
}

async function choose(id) {
  channel = id;
  writeIn(null);
  if (id === "home") await act("open_home");
  await refresh(false);
}

export function chooseStaff(id) {
  wantedStaff = id;
  if (channel === "home") channel = "";
}

export function startSlack(refreshed) {
  refresh = refreshed;
  $("staff").addEventListener("change", () => (channel === "home" ? choose("home") : refresh(false)));
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
