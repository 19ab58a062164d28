// The customer's LINE: what their phone shows, and what they can do with it.
import { $, button, day, el, face, get, labelled, post, redraw, tell, time } from "./dom.js";
import { t } from "./words.js";
import { flexNode } from "./flex.js";
import { sign } from "./signs.js";

let refresh = () => {};
let customer = null;
let isMenuOpen = true;

async function act(action, more = {}) {
  const answer = await post("/sandbox/line/action", { action, user_id: customer.user_id, ...more });
  const webhook = answer.webhook;
  if (answer.error) tell(t("refused", answer.error), true);
  else if (webhook && webhook.status !== 200) tell(`webhook: ${webhook.status} ${webhook.reason || ""}`, true);
  else tell("");
  if (answer.link) showSheet(answer.link);
  await refresh();
}

async function actInProduct(body) {
  const answer = await post("/sandbox/customers", { id: customer.id, ...body });
  tell(answer.error ? t("refused", answer.error) : "", Boolean(answer.error));
  await refresh();
}

/** Tap what stands on the phone; a date is asked for first where the program wants one. */
async function tap(kind, choice) {
  if (choice.type !== "datetimepicker") return act(kind, { label: choice.label });
  const field = el("input"), row = el("div", "picker", field);
  field.type = "date";
  labelled(field, t("pickDate"));
  row.append(button("OK", () => field.value && act(kind, { label: choice.label, params: { date: field.value } }), "primary"));
  $("quick").replaceChildren(row);
  field.focus();
}

// --- bubbles --------------------------------------------------------------------------------------------

function bodyOf(bubble) {
  const raw = bubble.raw || {};
  if (bubble.is_unsent) return el("p", "words faint", t("unsent"));
  if (raw.type === "flex") return flexNode(raw.contents, (choice) => tap("tap_button", choice));
  if (raw.type === "sticker") return labelled(el("span", "big", sign("🙂")), t("stickerSent"));
  if (raw.type === "image" && bubble.from === "person") return pictureNode(`/sandbox/line/content?message_id=${encodeURIComponent(bubble.id)}`);
  if (raw.type === "image") return el("p", "words", "▣ ", el("span", "faint", new URL(raw.originalContentUrl).pathname));
  if (raw.type === "location") return el("p", "words", "◎ ", bubble.text || t("location"));
  const words = el("p", "words", bubble.text || bubble.alt_text || `[${bubble.type}]`);
  if (!bubble.buttons?.length) return words;
  return el("div", "flex", words, ...bubble.buttons.map((each) => button(each.label, () => tap("tap_button", each), "tap", `${bubble.id}:${each.label}`)));
}

function pictureNode(source) {
  const picture = el("img", "picture");
  picture.src = source;
  picture.alt = t("picture");
  return picture;
}

function bubbleNode(bubble) {
  const is = (type) => bubble.raw?.type === type;
  const shape = is("flex") ? "card" : is("sticker") || is("image") ? "bare" : "";
  const notes = el("small", "notes", bubble.is_read && bubble.from === "person" ? el("span", "", t("read")) : "", el("span", "", time(bubble.at)));
  const body = el("div", `bubble ${shape}`, bodyOf(bubble));
  const name = bubble.from === "bot" ? el("span", "sender", bubble.sender || t("productPage")) : "";
  const sign = bubble.from === "bot" ? face(bubble.sender || "空", bubble.sender || "sora", bubble.sender ? "" : "brand") : "";
  return el("li", `from-${bubble.from}`, sign, el("div", "stack", name, el("div", "row", body, notes)));
}

function withDays(bubbles) {
  const nodes = [];
  let last = "";
  for (const bubble of bubbles) {
    const on = day(bubble.at);
    if (on !== last) nodes.push(el("li", "day", el("span", "", on)));
    last = on;
    nodes.push(bubbleNode(bubble));
  }
  return nodes;
}

// --- around the chat -------------------------------------------------------------------------------------

function headNodes(phone) {
  const isFriend = Boolean(phone?.is_friend), state = !isFriend ? t("notFriend") : t(phone.has_blocked ? "blocked" : "friend");
  const owner = el("span", "owner", el("strong", "", customer.name),
    el("small", "state", customer.is_linked ? `${state} ・ ${t("linked")}` : state));
  const nodes = [face(customer.name, customer.id), owner];
  if (!phone) return [...nodes, button(t("addFriend"), () => actInProduct({ act: "befriend" }), "primary", "befriend")];
  if (!customer.is_linked) nodes.push(button(t("link"), () => actInProduct({ act: "link" }), "", "link"));
  if (phone.has_blocked) nodes.push(button(t("unblock"), () => act("follow"), "", "follow"));
  else if (!isFriend) nodes.push(button(t("addFriend"), () => act("follow"), "primary", "follow"));
  else nodes.push(button(t("block"), () => act("unfollow"), "", "unfollow"));
  return nodes;
}

function showMenu(phone) {
  const areas = phone?.is_friend && !phone.has_blocked && phone.rich_menu ? phone.rich_menu.areas : [];
  $("menu-toggle").hidden = !areas.length;
  $("menu-toggle").setAttribute("aria-expanded", String(isMenuOpen));
  $("rich-menu").hidden = !isMenuOpen || !areas.length;
  redraw($("rich-menu"), areas, () => areas.map((area, place) =>
    button([el("span", "icon", ICONS[area.action.type] || "✎"), el("span", "", area.action.label || area.action.text)],
      () => act("tap_rich_menu", { area: place }), "", `area:${place}`)));
}
const ICONS = { uri: "↗", message: "✎", postback: "●" };

function showSheet(link) {
  const sheet = $("sheet");
  const target = new URL(link.location || link.url);
  const via = link.location ? new URL(link.url).pathname.replace(/(\/r\/.{6}).*/, "$1…") : "";
  const close = () => { sheet.hidden = true; $("words").focus(); };
  sheet.replaceChildren(
    el("div", "address", el("span", "", sign("🔒"), ` ${target.host}${target.pathname}`), button(t("close"), close, "", "close-sheet")),
    el("div", "site", el("h3", "", t("productPage")), el("p", "", via ? t("openedBy", via) : t("openedPlain")),
      button(t("logIn"), async () => { await actInProduct({ act: "track", event: "login" }); close(); }, "primary", "sheet-login")));
  sheet.hidden = false;
  sheet.querySelector("button").focus();
  sheet.onkeydown = (event) => event.key === "Escape" && close();
}

export async function showPhone(wanted) {
  if (customer && customer.id !== wanted.id) $("sheet").hidden = true;
  customer = wanted;
  const phone = wanted.user_id ? await get(`/sandbox/line/phone?user_id=${encodeURIComponent(wanted.user_id)}`) : null;
  if (customer !== wanted) return;
  const bubbles = phone ? phone.bubbles : [];
  redraw($("phone-head"), [wanted, phone && [phone.is_friend, phone.has_blocked]], () => headNodes(phone));
  const list = $("bubbles");
  const isDrawn = redraw(list, [wanted.id, bubbles, phone?.is_loading], () => [
    ...withDays(bubbles),
    ...(phone ? [] : [el("li", "day", el("span", "", t("notFriend")))]),
    ...(phone?.is_loading ? [el("li", "from-bot", labelled(el("div", "bubble dots", el("i"), el("i"), el("i")), t("typing")))] : []),
  ]);
  const choices = bubbles.length ? bubbles.at(-1).quick_replies : [];
  redraw($("quick"), [wanted.id, bubbles.at(-1)?.id, choices], () => choices.map((choice) =>
    button(choice.label, () => tap("tap_quick_reply", choice), "", choice.label)));
  showMenu(phone);
  if (isDrawn) list.scrollTop = list.scrollHeight;  // once all that lies below it has its place
  for (const id of ["words", "speak", "sticker", "picture"]) $(id).disabled = !phone || phone.has_blocked;
}

/** A small drawn picture, as if taken with the phone. */
function snapshot() {
  const canvas = el("canvas");
  canvas.width = 320;
  canvas.height = 220;
  const brush = canvas.getContext("2d");
  const sky = brush.createLinearGradient(0, 0, 0, 220);
  sky.addColorStop(0, "#bfd9ee");
  sky.addColorStop(1, "#f4efe2");
  brush.fillStyle = sky;
  brush.fillRect(0, 0, 320, 220);
  brush.fillStyle = "#fff";
  brush.fillRect(90, 30, 140, 170);
  brush.fillStyle = "#9aa7b5";
  for (const [at, width] of [[50, 60], [80, 110], [96, 100], [112, 105], [150, 50]]) brush.fillRect(105, at, width, 6);
  return canvas.toDataURL("image/jpeg", 0.8).split(",")[1];
}

export function startPhone(refreshed) {
  refresh = refreshed;
  $("say").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("words").value.trim();
    if (!text || !customer.user_id) return;
    $("words").value = "";
    act("say", { text });
  });
  $("picture").replaceChildren(sign("📷"));
  $("sticker").addEventListener("click", () => act("send_sticker"));
  $("picture").addEventListener("click", () => act("send_image", { image: snapshot() }));
  $("menu-toggle").addEventListener("click", () => { isMenuOpen = !isMenuOpen; refresh(false); });
}
