// What is wrong, for people: a summary in a line, and the findings.

import { element, nodeLink, plural, visible } from "./elements.js";
import { childOf, nameOf, PROVIDERS } from "./model.js";

const MAX_SHOWN = 100; // findings of a kind, and providers in one

const KINDS = [
  ["empty", "Services without providers", "service without providers",
    "services without providers"],
  ["broken", "Links that lead nowhere", "node with links that lead nowhere",
    "nodes with links that lead nowhere"],
  ["odd", "Odd ones out by version", "service of several versions", "services of several versions"],
  ["unreadable", "Nodes that cannot be read", "node that cannot be read",
    "nodes that cannot be read"],
];

// How much there is, and how much of it is wrong.
export function summary(health) {
  const { findings } = health;
  const list = element("ul", { className: "summary" },
    tile("", health.services.size, "service", "services"),
    tile("", health.providers, "provider", "providers"));
  for (const [kind, , one, many] of KINDS) {
    if (findings[kind].length) {
      list.append(tile("bad", findings[kind].length, one, many));
    }
  }
  if (!health.count) {
    list.append(element("li", { className: "good" }, "Nothing wrong"));
  }
  return list;
}

function tile(className, count, one, many) {
  const number = element("b", {}, count.toLocaleString("en"));
  const text = ` ${count === 1 ? one : many}`;
  const content = className
    ? element("a", { href: "#health" }, number, text) : element("span", {}, number, text);
  return element("li", { className }, content);
}

export function showHealth(place, health) {
  const { findings } = health;
  const sections = KINDS.filter(([kind]) => findings[kind].length).map(([kind, title]) => {
    const found = findings[kind];
    const items = found.slice(0, MAX_SHOWN).map((each) => element("li", {}, ...ITEMS[kind](each)));
    if (found.length > MAX_SHOWN) {
      items.push(element("li", { className: "empty" },
        `and ${(found.length - MAX_SHOWN).toLocaleString("en")} more`));
    }
    return element("section", { className: `findings is-${kind}` },
      element("h3", {}, title, element("span", { className: "pill dead" },
        found.length.toLocaleString("en"))),
      element("ul", {}, ...items));
  });
  place.replaceChildren(element("h2", {}, "Health"), summary(health), ...sections);
}

const ITEMS = {
  empty: (path) => [nodeLink(path)],
  unreadable: ({ path, what }) => [nodeLink(path), fault(what)],
  broken: ({ path, what }) => [nodeLink(path), element("ul", {}, ...what.map((each) =>
    element("li", {}, element("code", {}, visible(`${each.name} ${each.link} `)),
      element("span", { className: "broken path" }, visible(each.value)), fault(each.fault))))],
  odd: ({ path, what }) => [nodeLink(childOf(path, PROVIDERS), path), remark(what),
    element("ul", {}, ...what.odd.slice(0, what.usual === null ? 0 : MAX_SHOWN).map((each) =>
      element("li", {}, nodeLink(each.path, nameOf(each.path)),
        element("code", { className: "version" }, visible(each.version)))))],
};

function fault(text) {
  return element("span", { className: "fault" }, visible(text));
}

function remark({ usual, counts }) {
  const text = counts.map(({ version, count }) => `${plural(count, "provider")} of ${version}`);
  const shown = text.slice(0, 5).join(", ") + (text.length > 5 ? ", …" : "");
  return element("span", { className: "remark" },
    visible(usual === null ? `no usual version: ${shown}` : shown));
}
