// The picture of the system, made of the shapes that Graphviz has drawn.

import { addressOf, element, shape } from "./elements.js";

const PADDING = 3; // between a label and its box, in units of the picture

export class Diagram {
  constructor(place) {
    this.place = place;
    this.drawn = null;
    this.isBusy = false;
    this.isStale = false;
  }

  // Fetch and show the picture as it is now; once more afterwards, if asked to meanwhile.
  async refresh() {
    if (this.isBusy) {
      this.isStale = true;
      return;
    }
    this.isBusy = true;
    do {
      this.isStale = false;
      await this.fetch();
    } while (this.isStale);
    this.isBusy = false;
  }

  async fetch() {
    try {
      const answer = await fetch("diagram.json");
      const text = await answer.text();
      if (text !== this.drawn) {
        this.drawn = text;
        this.place.replaceChildren(...(answer.ok ? picture(JSON.parse(text)) : [note(text)]));
      }
      fitLabels(this.place);
    } catch {
      this.drawn = null; // the server is gone, which the status tells
    }
  }
}

// Graphviz has measured the labels in a font of its machine, and the browser draws them in one of its
// own. Those that are too wide for their box are narrowed. Only what is in sight has a width.
function fitLabels(place) {
  for (const group of place.querySelectorAll("g.node, g.cluster")) {
    const frame = group.querySelector("path, polygon, ellipse");
    const room = frame.getBBox().width - 2 * PADDING;
    for (const label of group.querySelectorAll("text")) {
      if (room > 0 && label.getComputedTextLength() > room) {
        label.setAttribute("textLength", room);
        label.setAttribute("lengthAdjust", "spacingAndGlyphs");
      }
    }
  }
}

function note(text) {
  return element("p", { className: "empty" }, text);
}

function picture({ box, transform, groups }) {
  if (!groups.length) {
    return [note("Nothing to draw: no node has providers, a type or links.")];
  }
  const all = shape("g", { transform });
  for (const group of groups) {
    const parts = group.shapes.map(([name, attributes, text]) => shape(name, attributes, text));
    const made = shape("g", { class: group.kind });
    made.append(shape("title", {}, group.tooltip || ""), ...parts);
    if (group.kind === "node" && group.path.startsWith("/")) {
      const link = shape("a", { href: addressOf(group.path) });
      link.append(made);
      all.append(link);
    } else {
      all.append(made);
    }
  }
  const svg = shape("svg", { viewBox: box, role: "img", "aria-label": "Diagram of the system" });
  const [, , width] = box.split(" ").map(Number);
  svg.style.maxWidth = `${width * 1.6}px`;
  svg.style.minWidth = `${width}px`; // smaller it could not be read
  svg.append(all);
  const download = element("a", { href: "diagram.svg", download: "diagram.svg" }, "Save as SVG");
  return [svg, element("p", { className: "save" }, download)];
}
