// The customer's LINE: what their phone shows, and what they can do with it.
import { $, both, button, el, get, moment, post, redraw, tell } from "./dom.js";

let refresh = () => {};
let customer = null;

async function act(action, more = {}) {
  const said = await post("/sandbox/line/action", { action, user_id: customer.user_id, ...more });
  if (said.error) tell(said.error, true);
  else if (said.webhook && said.webhook.status !== 200) tell(`webhook: ${said.webhook.status} ${said.webhook.reason || ""}`, true);
  else if (said.link) tell(`開きました / opened: ${said.link.location || said.link.url}`);
  else tell("");
  await refresh();
}

async function actInProduct(what) {
  const said = await post("/sandbox/customers", { act: what, id: customer.id });
  tell(said.error || "", Boolean(said.error));
  await refresh();
}

function bubbleNode(bubble) {
  const item = el("li", `bubble ${bubble.from}`);
  if (bubble.sender) item.append(el("small", "sender", bubble.sender));
  const words = bubble.is_unsent ? "(送信取消 / unsent)" : bubble.text || bubble.alt_text || `[${bubble.type}]`;
  item.append(el("span", "words", words));
  for (const choice of bubble.buttons || []) {
    item.append(button(choice.label, () => act("tap_button", { label: choice.label }), "tap", `${bubble.id}:${choice.label}`));
  }
  item.append(el("small", "", moment(bubble.at)));
  return item;
}

function headOf(phone) {
  const has = (ja, en) => el("span", "state", ...both(ja, en));
  if (!phone) return [has("LINEではまだ友だちではない", "not on LINE"),
    button(both("友だち追加", "add friend"), () => actInProduct("befriend"), "primary", "befriend")];
  const nodes = [];
  if (phone.has_blocked) nodes.push(has("ブロック中", "blocked"), button(both("ブロック解除", "unblock"), () => act("follow"), "", "follow"));
  else if (!phone.is_friend) nodes.push(has("友だちではない", "no friend"), button(both("友だち追加", "add friend"), () => act("follow"), "primary", "follow"));
  else nodes.push(has("友だち", "friend"), button(both("ブロック", "block"), () => act("unfollow"), "danger", "unfollow"));
  if (!customer.is_linked) nodes.push(button(both("会員連携", "link account"), () => actInProduct("link"), "", "link"));
  return nodes;
}

export async function showPhone(chosen) {
  customer = chosen;
  const phone = customer.user_id ? await get(`/sandbox/line/phone?user_id=${encodeURIComponent(customer.user_id)}`) : null;
  if (customer !== chosen) return;
  const bubbles = phone ? phone.bubbles : [];
  redraw($("phone-head"), [customer, phone && [phone.is_friend, phone.has_blocked]], () => headOf(phone));
  const list = $("bubbles");
  if (redraw(list, [customer.id, bubbles], () => bubbles.map(bubbleNode))) list.scrollTop = list.scrollHeight;
  const choices = bubbles.length ? bubbles.at(-1).quick_replies : [];
  redraw($("quick"), [customer.id, bubbles.at(-1)?.id, choices], () => choices.map((choice) =>
    button(choice.label, () => act("tap_quick_reply", { label: choice.label }), "", choice.label)));
  $("words").disabled = $("speak").disabled = !phone;
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
}
