// Everything about the node that is selected.

import { ageOf, element, nodeLink, plural, visible } from "./elements.js";
import { ancestors, nameOf } from "./model.js";

const MAX_CHILDREN = 100;

export function showDetails(section, model, path) {
  const view = model.get(path);
  if (!view) {
    const text = path === null ? "" : `There is no node ${path}, or not any more.`;
    section.replaceChildren(element("p", { className: "empty" }, visible(text)));
    return;
  }
  const parts = [breadcrumb(path)];
  if (view.type) {
    parts.push(element("p", { className: "type" }, visible(view.type)));
  }
  if (view.fault) {
    parts.push(element("p", { className: "fault" }, `This node cannot be read: ${view.fault}.`));
  }
  if (view.owner) {
    parts.push(ephemeral(view));
  }
  parts.push(properties(view), children(model, path), facts(view));
  section.replaceChildren(...parts.filter(Boolean));
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
