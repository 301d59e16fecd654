// The picture of the system, made of the shapes that Graphviz has drawn; or a list of its services.

import { Canvas } from "./canvas.js";
import { addressOf, element, plural, shape, visible } from "./elements.js";
import { keepingFocus } from "./focus.js";
import { ancestors, nameOf } from "./model.js";
import { Table } from "./table.js";

const PADDING = 3; // between a label and its box, in units of the picture

const COLUMNS = [
  { key: "service", title: "Service" }, { key: "type", title: "Type" },
  { key: "providers", title: "Providers" }, { key: "links", title: "Links to" },
  { key: "broken", title: "Broken links" },
];

export class Diagram {
  constructor(place) {
    this.place = place;
    this.canvas = new Canvas();
    this.crumbs = element("p", { className: "crumbs" });
    this.tools = element("div", { className: "tools" });
    this.body = element("div", { className: "body" });
    this.list = new Table("Services", "service");
    place.replaceChildren(element("div", { className: "bar" }, this.crumbs, this.tools), this.body);
    this.top = "/";
    this.drawn = null;
    this.isBusy = false;
    this.isStale = false;
    this.timer = null;
  }

  // Show the part of the picture at and below a node.
  show(top) {
    if (top !== this.top) {
      this.top = top;
      this.drawn = null;
    }
    this.refresh();
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
    const { top } = this;
    try {
      const answer = await fetch(`diagram.json?top=${encodeURIComponent(top)}`);
      const text = await answer.text();
      if (top !== this.top) {
        this.isStale = true; // somebody has gone elsewhere meanwhile
        return;
      }
      const { due, ...told } = answer.ok ? JSON.parse(text) : { due: 0, note: text };
      this.comeBack(due);
      keepingFocus(this.place, () => this.tell(told));
    } catch {
      this.drawn = null; // the server is gone, which the status tells
    }
  }

  // The server rests between pictures of large trees.
  comeBack(due) {
    clearTimeout(this.timer);
    if (due > 0) {
      this.timer = setTimeout(() => this.place.hidden || this.refresh(), due * 1000);
    }
  }

  tell(told) {
    const text = JSON.stringify(told);
    if (text !== this.drawn) {
      const isOther = this.drawn === null;
      this.drawn = text;
      this.crumbs.replaceChildren(...crumbs(this.top));
      if (told.services) {
        this.showList(told);
      } else if (told.groups?.length) {
        this.showPicture(told, isOther);
      } else {
        const note = told.note ?? "Nothing to draw: no node has providers, a type or links.";
        this.tools.replaceChildren();
        this.body.replaceChildren(element("p", { className: "empty" }, note));
      }
    }
    fitLabels(this.body);
  }

  showPicture(told, isOther) {
    const save = element("a", { download: "diagram.svg" }, "Save as SVG");
    save.href = `diagram.svg?top=${encodeURIComponent(this.top)}`;
    this.tools.replaceChildren(...this.canvas.buttons(), save);
    if (!this.body.contains(this.canvas.pane)) {
      this.body.replaceChildren(this.canvas.pane);
    }
    const [x, y, width, height] = told.box.split(" ").map(Number);
    this.canvas.show(picture(told), { x, y, width, height }, isOther);
  }

  showList({ services, count }) {
    const more = count > services.length ? `, the first ${services.length.toLocaleString("en")} here` : "";
    this.tools.replaceChildren();
    this.list.show({ columns: COLUMNS, rows: services.map(row), more: 0 });
    this.body.replaceChildren(element("p", { className: "empty" },
      `Too many for a picture: ${plural(count, "service")}${more}.`), this.list.element);
  }
}

// Boxes have room for the widest usual font; what is wider still is narrowed. Only what is in sight
// has a width.
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

function addressOfPart(top) {
  return top === "/" ? "#diagram" : addressOf(top, "#diagram");
}

// The parts that this one is a part of.
function crumbs(top) {
  if (top === "/") {
    return [];
  }
  const links = ancestors(top).flatMap((path) => [
    element("a", { href: addressOfPart(path) }, path === "/" ? "all" : visible(nameOf(path))),
    " / ",
  ]);
  return [...links, element("b", {}, visible(nameOf(top)))];
}

function row({ path, type, providers, links, more, broken }) {
  const cells = new Map([["service", { text: path, path }]]);
  if (type !== null) {
    cells.set("type", { text: type });
  }
  if (providers !== null) {
    cells.set("providers", { text: String(providers), isOdd: providers === 0 });
  }
  if (links.length) {
    cells.set("links", { text: links[0], links, more });
  }
  if (broken) {
    cells.set("broken", { text: String(broken), isOdd: true });
  }
  return { path, cells };
}

function picture({ transform, groups }) {
  const all = shape("g", { transform });
  for (const group of groups) {
    const parts = group.shapes.map(([name, attributes, text]) => shape(name, attributes, text));
    const made = shape("g", { class: group.kind });
    made.append(shape("title", {}, group.tooltip || ""), ...parts);
    if (group.kind === "node" && group.path.startsWith("/")) {
      const href = group.opens ? addressOfPart(group.path) : addressOf(group.path);
      const link = shape("a", { href });
      link.append(made);
      all.append(link);
    } else {
      all.append(made);
    }
  }
  const svg = shape("svg", { role: "group", "aria-label": "Diagram of the system" });
  svg.append(all);
  return svg;
}
