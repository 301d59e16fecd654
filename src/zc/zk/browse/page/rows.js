// What a row of the tree says beside the name of its node.

import { ageOf, element, nodeLink, plural, visible } from "./elements.js";
import { childOf, PROVIDERS } from "./model.js";

export function badges(model, path) {
  const view = model.get(path);
  const made = [];
  const tell = (className, ...content) => {
    made.push(element("span", { className }, ...content));
  };
  if (view.type) {
    tell("type", visible(view.type));
  }
  const providers = model.get(childOf(path, PROVIDERS));
  if (providers) {
    const count = providers.children;
    tell(count ? "pill alive" : "pill dead", count ? plural(count, "provider") : "no providers");
  }
  if (view.owner) {
    tell("pill ephemeral", "ephemeral, ", ageOf(view.created));
    made.at(-1).title = `session ${view.owner}`;
  }
  if (view.fault) {
    tell("pill dead", view.fault);
  }
  if (view.hidden) {
    tell("pill", `${plural(view.hidden, "node")} not shown`);
  }
  return made;
}

// The symbolic links of a node; null if there are none.
export function linkList(view) {
  const links = view.properties.filter((each) => each.link === "->");
  return links.length ? element("ul", { className: "links" }, ...links.map(linkItem)) : null;
}

function linkItem(property) {
  const target = property.target
    ? nodeLink(property.target, property.value)
    : element("span", { className: "broken path", title: property.fault }, visible(property.value));
  target.tabIndex = -1; // the keys of the tree are for its nodes; the details have the link, too
  const name = element("span", { className: "name" }, visible(property.name));
  return element("li", {}, name, " → ", target);
}
