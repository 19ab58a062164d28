// The clock, and what happened to the chosen customer as time went by.
import { $, day, el, get, moment, post, redraw, svg, tell, whole } from "./dom.js";
import { said, t } from "./words.js";

const DAY = 86400e3, BACK = 30, AHEAD = 10;
const LANES = ["product", "out", "in", "desk"];
const LANE_OF = { shadow: "out", ahead: "out" };
const HEIGHT = 132, TOP = 12, STEP = 25, LEFT = 76;
let refresh = () => {};

export async function showClock() {
  const { now } = await get("/sandbox/clock");
  $("now").textContent = whole(now);
  $("now").dateTime = now;
}

async function turn(wanted) {
  const buttons = document.querySelectorAll("[data-turn]");
  for (const each of buttons) each.disabled = true;
  tell(t("passing"));
  const body = wanted === "next" ? { to: "next" } : { seconds: Number(wanted) };
  const answer = await post("/sandbox/clock", body).catch((error) => ({ error: String(error) }));
  for (const each of buttons) each.disabled = false;
  if (answer.error) tell(t("refused", answer.error), true);
  else if (wanted === "next") tell(answer.happened ? t("happened", said(answer.happened)) : t("nothingAhead"));
  else tell("");
  await refresh();
}

// --- the time line -------------------------------------------------------------------------------------------

export async function showSeen(customer) {
  const seen = await get(`/sandbox/seen?customer=${encodeURIComponent(customer.id)}`);
  if (seen.error) return;
  $("seen-of").textContent = t("timeline", customer.name);
  const width = Math.max(320, $("strip").clientWidth);
  const hour = seen.now.slice(0, 13);
  redraw($("strip"), [customer.id, hour, seen.past, seen.ahead, width], () => [drawn(seen, width)]);
  redraw($("seen-list"), [customer.id, seen.past, seen.ahead], () => [...seen.ahead.slice().reverse(), ...seen.past.slice().reverse()].slice(0, 60)
    .map((each) => el("li", `lane-${each.lane}`, el("time", "", moment(each.at)), el("span", "lane", t(`lane_${each.lane}`)), el("span", "", said(each)))));
}

function drawn(seen, width) {
  const now = Date.parse(seen.now), start = now - BACK * DAY, end = now + AHEAD * DAY;
  const x = (at) => LEFT + ((at - start) / (end - start)) * (width - LEFT - 14);
  const y = (lane) => TOP + LANES.indexOf(LANE_OF[lane] || lane) * STEP + STEP / 2;
  const parts = LANES.flatMap((lane) => [
    svg("line", { x1: LEFT, x2: width - 8, y1: y(lane), y2: y(lane), class: "rail" }),
    svg("text", { x: LEFT - 12, y: y(lane) + 4, class: "lane-name" }, t(`lane_${lane}`)),
  ]);
  for (let at = Math.ceil((start + 9 * 3600e3) / DAY) * DAY - 9 * 3600e3, number = 0; at < end; at += DAY, number += 1) {
    const isNamed = number % (width < 600 ? 10 : 5) === 0;
    parts.push(svg("line", { x1: x(at), x2: x(at), y1: TOP, y2: TOP + LANES.length * STEP, class: isNamed ? "tick" : "tick minor" }));
    if (isNamed && x(at) < width - 40) parts.push(svg("text", { x: x(at), y: HEIGHT - 6, class: "tick-name" }, day(at)));
  }
  parts.push(svg("line", { x1: x(now), x2: x(now), y1: TOP - 8, y2: TOP + LANES.length * STEP + 4, class: "now" }),
    svg("text", { x: x(now) + 5, y: TOP - 1, class: "now-name" }, t("now")));
  for (const each of [...seen.past, ...seen.ahead]) {
    const at = Date.parse(each.at);
    if (at < start || at > end) continue;
    parts.push(svg("circle", { cx: x(at), cy: y(each.lane), r: each.lane === "product" ? 4 : 6, class: `dot-${each.lane}` },
      svg("title", {}, `${moment(at)} ${said(each)}`)));
  }
  const label = `${$("seen-of").textContent}: ${LANES.map((lane) => `${t(`lane_${lane}`)} ${seen.past.filter((each) => each.lane === lane).length}`).join(", ")}`;
  return svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": label }, ...parts);
}

export function startClock(refreshed) {
  refresh = refreshed;
  for (const node of document.querySelectorAll("[data-turn]")) {
    node.addEventListener("click", async () => { await turn(node.dataset.turn); node.focus({ preventScroll: true }); });
  }
  window.addEventListener("resize", () => refresh());
}
