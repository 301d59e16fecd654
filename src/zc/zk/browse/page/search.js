// What is found, in place of the tree.

import { element, nodeLink, plural, visible } from "./elements.js";

const MAX_SHOWN = 200;

export function showResults(place, model, text) {
  const rows = [];
  let count = 0;
  for (const { path, property } of model.search(text)) {
    count += 1;
    if (count <= MAX_SHOWN) {
      rows.push(result(path, property, text));
    }
  }
  const more = count > MAX_SHOWN ? `, the first ${MAX_SHOWN} of them here` : "";
  place.replaceChildren(
    element("p", { className: "empty" }, `${plural(count, "node")} found${more}`),
    element("ul", {}, ...rows));
}

function result(path, property, text) {
  const link = nodeLink(path, "");
  link.append(...marked(path, text));
  const line = property && `${property.name} ${property.link ?? "="} ${property.value}`;
  return element("li", {}, link,
    line ? element("code", {}, ...marked(line.slice(0, 300), text)) : "");
}

// The text with what was looked for marked in it.
function marked(line, text) {
  const place = line.toLowerCase().indexOf(text.toLowerCase());
  if (place < 0) {
    return [visible(line)];
  }
  const end = place + text.length;
  const [before, found, after] = [line.slice(0, place), line.slice(place, end), line.slice(end)];
  return [visible(before), element("mark", {}, visible(found)), visible(after)];
}
