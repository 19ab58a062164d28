// LINE's Flex messages as a phone draws them: boxes, texts, buttons, separators, pictures left blank.
import { button, el } from "./dom.js";

const SIZES = { xxs: 11, xs: 12, sm: 13, md: 14, lg: 16, xl: 18, xxl: 21, "3xl": 24, "4xl": 28, "5xl": 34 };
const COLOUR = /^#[0-9a-f]{6}([0-9a-f]{2})?$/i;

/** `tap` is given `{label, type}` of the action behind what was touched. */
export function flexNode(container, tap) {
  if (container.type === "carousel") return el("div", "flex carousel", ...container.contents.map((each) => bubble(each, tap)));
  return bubble(container, tap);
}

function bubble(node, tap) {
  const parts = ["header", "hero", "body", "footer"].filter((name) => node[name]);
  return el("div", `flex size-${node.size || "mega"}`, ...parts.map((name) => el("div", `flex-${name}`, part(node[name], tap))));
}

function part(node, tap) {
  switch (node.type) {
    case "box": return touchable(box(node, tap), node, tap);
    case "text": return touchable(text(node), node, tap);
    case "button": return pressed(node, tap);
    case "separator": return el("hr", "flex-rule");
    case "image": return touchable(el("div", "flex-picture", "▣"), node, tap);
    case "icon": return el("span", "", "•");
    default: return el("span", "filler");
  }
}

function box(node, tap) {
  const made = el("div", `box ${node.layout}`, ...(node.contents || []).map((each) => part(each, tap)));
  if (COLOUR.test(node.backgroundColor || "")) made.style.backgroundColor = node.backgroundColor;
  return made;
}

function text(node) {
  const made = el("p", `${node.weight === "bold" ? "bold " : ""}${node.wrap ? "wraps" : "cut"}`,
    ...(node.contents?.length ? node.contents.map((span) => text({ ...span, type: "text" })) : [node.text]));
  made.style.fontSize = `${SIZES[node.size] || 14}px`;
  if (COLOUR.test(node.color || "")) made.style.color = node.color;
  if (["center", "end"].includes(node.align)) made.style.textAlign = node.align;
  return made;
}

function pressed(node, tap) {
  const action = node.action;
  return button(action.label || action.uri, () => tap({ label: action.label, type: action.type }), `tap ${node.style || "link"}`, action.label);
}

function touchable(made, node, tap) {
  if (!node.action) return made;
  made.classList.add("touchable");
  made.tabIndex = 0;
  made.setAttribute("role", "button");
  const go = () => tap({ label: node.action.label || made.textContent, type: node.action.type });
  made.addEventListener("click", go);
  made.addEventListener("keydown", (event) => event.key === "Enter" && go());
  return made;
}
