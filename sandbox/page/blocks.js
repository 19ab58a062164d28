// Slack's blocks as its client draws them.
import { button, confirmed, el, moment } from "./dom.js";
import { withSigns } from "./signs.js";

let names = {};
export const know = (members) => { names = members; };
export const plain = (object) => (object ? object.text : "");

// --- markup -----------------------------------------------------------------------------------------------

const MARKED = /<!date\^(\d+)\^[^>]*>|<@(\w+)[^>]*>|<#\w+\|([^>]+)>|<(https?:\/\/[^|>]+)(?:\|([^>]+))?>|(?<![\w*])\*([^*\n]+)\*(?![\w*])|`([^`\n]+)`|(?<!\w)~([^~\n]+)~(?!\w)|(?<!\w)_([^_\n]+)_(?!\w)/g;
const unescaped = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

function inline(text) {
  const nodes = [];
  let end = 0;
  for (const mark of text.matchAll(MARKED)) {
    nodes.push(...withSigns(unescaped(text.slice(end, mark.index))));
    end = mark.index + mark[0].length;
    const [, at, member, room, address, words, bold, code, gone, slanted] = mark;
    if (at) nodes.push(el("time", "", moment(at * 1000)));
    else if (member) nodes.push(el("span", "mention", `@${names[member] || member}`));
    else if (room) nodes.push(el("span", "mention", `#${room}`));
    else if (bold) nodes.push(el("strong", "", ...inline(bold)));
    else if (code) nodes.push(el("code", "", unescaped(code)));
    else if (gone) nodes.push(el("s", "", unescaped(gone)));
    else if (slanted) nodes.push(el("em", "", ...inline(slanted)));
    else nodes.push(el("span", "anchor", unescaped(words || address)));
  }
  nodes.push(...withSigns(unescaped(text.slice(end))));
  return nodes.filter(Boolean);
}

/** Slack's markup as nodes; lines that begin with ">" are quotes. */
export function marked(text) {
  const nodes = [];
  let quote = null;
  for (const [place, row] of text.split("\n").entries()) {
    const quoted = /^(?:>|&gt;)\s?(.*)$/.exec(row);
    if (quoted) {
      if (!quote) nodes.push(quote = el("blockquote"));
      else quote.append("\n");
      quote.append(...inline(quoted[1]));
      continue;
    }
    if (place && !quote) nodes.push("\n");
    quote = null;
    nodes.push(...inline(row));
  }
  return nodes;
}

const textOf = (object) => !object ? [] : object.type === "mrkdwn" ? marked(object.text) : withSigns(object.text);

function richNode(element) {
  if (element.type === "text") {
    const style = element.style || {};
    const tag = style.code ? "code" : style.bold ? "strong" : style.italic ? "em" : style.strike ? "s" : "span";
    return el(tag, "", ...withSigns(element.text));
  }
  if (element.type === "user") return el("span", "mention", `@${names[element.user_id] || element.user_id}`);
  if (element.type === "emoji") return `:${element.name}:`;
  if (element.type === "date") return el("time", "", moment(element.timestamp * 1000));
  const inside = (element.elements || []).map(richNode);
  if (element.type === "rich_text_quote") return el("blockquote", "", ...inside);
  if (element.type === "rich_text_preformatted") return el("pre", "", ...inside);
  if (element.type === "rich_text_list") return el(element.style === "ordered" ? "ol" : "ul", "plain", ...inside.map((each) => el("li", "", each)));
  if (element.elements) return el("div", "", ...inside);
  return element.text || element.url || element.fallback || "";
}

// --- blocks ------------------------------------------------------------------------------------------------

/** `where` is `{act, channel, ts}` of a message or `{act, view_id}` of a modal or Home tab. */
export function blockNode(block, where) {
  switch (block.type) {
    case "header": return el("h3", "block", ...withSigns(plain(block.text)));
    case "divider": return el("hr");
    case "context": return el("div", "block context", ...block.elements.map((each) => el("span", "", ...(each.type === "image" ? ["▣"] : textOf(each)))));
    case "rich_text": return el("div", "block rich", ...block.elements.map(richNode));
    case "markdown": return el("div", "block", block.text);
    case "image": return imageNode(block);
    case "section": {
      const node = el("div", "block section", el("div", "", ...textOf(block.text)));
      if (block.fields) node.append(el("div", "fields", ...block.fields.map((each) => el("div", "", ...textOf(each)))));
      if (block.accessory) node.append(elementNode(block.accessory, block, where));
      return node;
    }
    case "actions": return el("div", "block actions", ...block.elements.map((each) => elementNode(each, block, where)));
    default: return el("div", "block context", plain(block.title) || `[${block.type}]`);
  }
}

function imageNode(block) {
  const id = block.slack_file?.id;
  if (!id) return el("div", "block context", `▣ ${block.alt_text}`);
  const picture = el("img", "picture");
  picture.src = `/sandbox/file?id=${encodeURIComponent(id)}`;
  picture.alt = block.alt_text || "";
  return el("div", "block", picture);
}

export function elementNode(element, block, where) {
  const named = { action_id: element.action_id, block_id: block.block_id };
  const press = (value) => where.view_id
    ? where.act("press_in_view", { view_id: where.view_id, ...named, ...value })
    : where.act("press", { channel: where.channel, ts: where.ts, ...named, ...value });
  const key = `${where.ts || where.view_id}:${element.action_id}`;
  if (element.type === "button") {
    const ask = element.confirm;
    return button(plain(element.text), async () => {
      if (!ask || await confirmed({ title: plain(ask.title), text: plain(ask.text), yes: plain(ask.confirm), no: plain(ask.deny) })) press();
    }, `block-button ${element.style || ""}`, key);
  }
  const options = element.options || (element.option_groups || []).flatMap((group) => group.options);
  if (!options?.length) return el("span", "context", `[${element.type}]`);
  const select = el("select", element.type, el("option", "", plain(element.placeholder) || "⋯"), ...options.map((each) => {
    const option = el("option", "", plain(each.text));
    option.value = each.value;
    return option;
  }));
  select.setAttribute("aria-label", plain(element.placeholder) || options.map((each) => plain(each.text)).join(", "));
  select.dataset.key = key;
  select.addEventListener("change", () => press({ value: select.value }));
  return select;
}
