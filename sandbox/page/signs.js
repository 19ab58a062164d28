// The few picture letters that cards use, drawn by the page itself, so that they look alike on every machine.
import { el, svg } from "./dom.js";

const DRAWN = {
  "🔥": ["#d9480f", "M12 2c1 4 5 6 5 11a5 5 0 0 1-10 0c0-2 1-3 2-4 0 2 1 3 2 3 1-3-1-6 1-10z"],
  "✅": ["#12805c", "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm-1.5 14L6 11.5l1.6-1.6 2.9 2.9 5.9-5.9L18 8.5z"],
  "⚠": ["#b45309", "M12 2 1 21h22zm-1 7h2v6h-2zm0 8h2v2h-2z"],
  "🚨": ["#b4232c", "M12 2a6 6 0 0 0-6 6v6H4v4h16v-4h-2V8a6 6 0 0 0-6-6zm-2 18h4v2h-4z"],
  "🚫": ["#b4232c", "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zM5 12c0-1.5.5-3 1.3-4.2L16.2 17.7A7 7 0 0 1 5 12zm12.7 4.2L7.8 6.3A7 7 0 0 1 17.7 16.2z"],
  "📎": ["#56626e", "M16 6v10a4 4 0 0 1-8 0V6a2.5 2.5 0 0 1 5 0v9h-1.5V6a1 1 0 0 0-2 0v10a2.5 2.5 0 0 0 5 0V6z"],
  "🤖": ["#1c6a50", "M11 2h2v3h5a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2h5zM8 9v3h2V9zm6 0v3h2V9zm-6 5v2h8v-2z"],
  "🙋": ["#19558e", "M12 2a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM4 21c0-5 3-9 8-9s8 4 8 9z"],
  "💬": ["#19558e", "M4 3h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2h-8l-5 5v-5H4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z"],
  "📨": ["#19558e", "M2 5h20v14H2zm2 2v.5l8 5.5 8-5.5V7z"],
  "📤": ["#12805c", "M12 2l6 6h-4v7h-4V8H6zM3 16h3v3h12v-3h3v6H3z"],
  "💤": ["#5b4a9c", "M4 4h9v2.5L7.5 13H13v2.5H3.5V13L9 6.5H4zm11 8h6v2l-3.5 4H21v2h-6.5v-2l3.5-4h-3z"],
  "🎉": ["#b7791f", "M12 2l2.9 6.6 7.1.7-5.4 4.7 1.6 7L12 17.3 5.8 21l1.6-7L2 9.3l7.1-.7z"],
  "👁": ["#56626e", "M12 5c5 0 9 4 10 7-1 3-5 7-10 7S3 15 2 12c1-3 5-7 10-7zm0 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8z"],
  "📷": ["#47545a", "M9 4h6l1.5 3H21a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1h4.5zm3 5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9z"],
  "🙂": ["#e0a100", "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zM8 8h2v3H8zm6 0h2v3h-2zm-6.5 6h9a4.5 4.5 0 0 1-9 0z"],
  "🔒": ["#56626e", "M7 10V7a5 5 0 0 1 10 0v3h2v11H5V10zm2.5 0h5V7a2.5 2.5 0 0 0-5 0z"],
};
const KNOWN = new RegExp(`(${Object.keys(DRAWN).join("|")})\\uFE0F?`, "u");

export function sign(letter, className = "drawn") {
  const [colour, path] = DRAWN[letter];
  const node = svg("svg", { viewBox: "0 0 24 24", class: className, "aria-hidden": "true" }, svg("path", { d: path, fill: colour, "fill-rule": "evenodd" }));
  return el("span", "drawn-ground", node);
}

/** The text in pieces: picture letters drawn, everything else as it is. */
export const withSigns = (text) => String(text).split(KNOWN).filter(Boolean).map((piece) => (DRAWN[piece] ? sign(piece) : piece));
