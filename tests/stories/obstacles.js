// What stands in the way of a keyboard, a screen reader or weak eyes: names, references, focus order, contrast.
() => {
  const found = [], shown = (node) => node.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const named = (node) => (node.getAttribute("aria-label") || [...(node.labels || [])].map((each) => each.textContent).join("")
    || document.getElementById(node.getAttribute("aria-labelledby"))?.textContent || (node.tagName === "BUTTON" ? node.textContent : "")).trim();
  for (const node of document.querySelectorAll("button, input, select, textarea, [role=button], [role=tab], [role=dialog], section")) {
    if (shown(node) && !named(node)) found.push(`no name: ${node.outerHTML.slice(0, 90)}`);
  }
  for (const node of document.querySelectorAll("img")) if (!node.alt) found.push(`no alt: ${node.src}`);
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push(`twice: #${id}`);
  for (const name of ["aria-controls", "aria-labelledby", "aria-describedby", "for"]) {
    for (const node of document.querySelectorAll(`[${name}]`)) {
      if (shown(node) && !document.getElementById(node.getAttribute(name))) found.push(`${name} leads nowhere: ${node.outerHTML.slice(0, 90)}`);
    }
  }
  if (document.querySelectorAll("h1").length !== 1 || document.querySelectorAll("main").length !== 1) found.push("landmarks");
  for (const node of document.querySelectorAll("[tabindex]")) if (Number(node.getAttribute("tabindex")) > 0) found.push("focus order");
  const colour = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((each) => each / 255).map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
    .reduce((sum, each, place) => sum + each * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const [r, g, b, a = 1] = colour(getComputedStyle(each).backgroundColor);
      if (a > 0.6) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !shown(node) || node.closest("[aria-hidden=true], :disabled, option, svg")) continue;
    const [a, b] = [light(colour(getComputedStyle(node).color)), light(ground(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`contrast ${ratio.toFixed(2)}: ${walker.currentNode.data.trim().slice(0, 30)} (${node.className})`);
  }
  return [...new Set(found)];
}
