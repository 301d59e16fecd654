// Everything about the node that is selected.

import { changesList } from "./changes.js";
import { ageOf, element, nodeLink, plural, visible } from "./elements.js";
import { keepingFocus } from "./focus.js";
import { summary } from "./healthview.js";
import { ancestors, childOf, nameOf, parentOf, PROVIDERS } from "./model.js";
import { NAME, providersOf } from "./providers.js";
import { Table } from "./table.js";

const MAX_CHILDREN = 100;
const MAX_CHANGES = 15;

export class Details {
  constructor(section, model, health, changes) {
    this.section = section;
    this.model = model;
    this.health = health;
    this.changes = changes;
    this.path = "/";
    this.table = new Table("Providers", NAME);
  }

  // Whether a change of these nodes may be seen here.
  isAbout(paths) {
    const places = [this.path, childOf(this.path, PROVIDERS)];
    return this.path === "/" || [...paths].some((path) =>
      places.includes(path) || places.includes(parentOf(path)));
  }

  show(path) {
    if (path !== this.path) {
      this.path = path;
      this.table = new Table("Providers", NAME);
      this.section.scrollTop = 0;
    }
    const view = this.model.get(path);
    if (!view) {
      const text = `There is no node ${path}, or not any more.`;
      this.section.replaceChildren(element("p", { className: "empty" }, visible(text)));
      return;
    }
    keepingFocus(this.section, () =>
      this.section.replaceChildren(...this.parts(path, view).filter(Boolean)));
  }

  parts(path, view) {
    const parts = [breadcrumb(path)];
    if (path === "/") {
      parts.push(summary(this.health));
    }
    if (view.type) {
      parts.push(element("p", { className: "type" }, visible(view.type)));
    }
    if (view.fault) {
      parts.push(element("p", { className: "fault" }, `This node cannot be read: ${view.fault}.`));
    }
    if (view.owner) {
      parts.push(ephemeral(view));
    }
    const place = nameOf(path) === PROVIDERS ? path : childOf(path, PROVIDERS);
    const hasTable = this.model.children(place).length > 0;
    const isListed = path === place && hasTable;
    parts.push(
      path === "/" ? this.latest() : "",
      (isListed || path === "/") && !view.properties.length ? "" : properties(view),
      hasTable ? this.providers(place) : "",
      isListed ? "" : children(this.model, path),
      facts(view));
    return parts;
  }

  providers(path) {
    this.table.show(providersOf(this.model, path));
    return this.table.element;
  }

  latest() {
    const all = element("a", { href: "#changes" }, "All changes");
    return element("section", { className: "latest" }, element("h3", {}, "Last changes"),
      changesList(this.changes.latest(MAX_CHANGES)), element("p", {}, all));
  }
}

function breadcrumb(path) {
  const heading = element("h2");
  for (const above of ancestors(path)) {
    heading.append(nodeLink(above, nameOf(above)), above === "/" ? "" : "/");
  }
  heading.append(element("b", {}, visible(nameOf(path))));
  return heading;
}

function ephemeral(view) {
  return element("p", { className: "card" },
    "Ephemeral for ", ageOf(view.created), ". It lasts as long as session ",
    element("code", {}, view.owner), ".");
}

function properties(view) {
  const rows = view.properties.filter((each) => each.name !== "type" || view.type === null);
  if (!rows.length) {
    return element("p", { className: "empty" }, view.fault ? "" : "No properties.");
  }
  return element("table", {}, element("tbody", {}, ...rows.map(property)));
}

function property(each) {
  const cell = element("td");
  if (!each.link) {
    cell.append(element("code", {}, each.value));
  } else if (each.fault) {
    cell.append(element("span", { className: "arrow" }, each.link === "->" ? "→ " : "⇒ "),
      element("span", { className: "broken path" }, visible(each.value)),
      element("span", { className: "fault" }, visible(each.fault)));
  } else {
    cell.append(element("span", { className: "arrow" }, each.link === "->" ? "→ " : "⇒ "),
      nodeLink(each.target, each.value));
    if (each.means) {
      cell.append(element("code", { className: "means" }, each.means));
    }
  }
  const name = element("span", { className: each.is_data ? "data" : "" }, visible(each.name));
  return element("tr", {}, element("th", { scope: "row" }, name), cell);
}

function children(model, path) {
  const paths = model.children(path);
  if (!paths.length) {
    return "";
  }
  const items = paths.slice(0, MAX_CHILDREN).map((each) => {
    const { owner, created } = model.get(each);
    return element("li", {}, nodeLink(each, nameOf(each)),
      owner ? element("span", { className: "since" }, "for ", ageOf(created)) : "");
  });
  if (paths.length > MAX_CHILDREN) {
    items.push(element("li", { className: "empty" },
      `and ${plural(paths.length - MAX_CHILDREN, "more node")}`));
  }
  return element("section", {}, element("h3", {}, "Children"),
    element("ul", { className: "children" }, ...items));
}

function facts(view) {
  if (view.fault || !view.created) {
    return ""; // unreadable, or the root, which has always been there
  }
  const list = element("dl");
  const tell = (name, ...content) => list.append(
    element("dt", {}, name), element("dd", {}, ...content));
  tell("children", plural(view.children, "node"));
  tell("data", plural(view.size, "byte"), `, version ${view.version}`);
  tell("modified", ageOf(view.modified), " ago");
  tell("created", ageOf(view.created), " ago");
  return list;
}
