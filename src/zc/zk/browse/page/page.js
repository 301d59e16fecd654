// The page: what the server tells goes into the model, and from there to what is in sight.

import { showDetails } from "./details.js";
import { Diagram } from "./diagram.js";
import { plural } from "./elements.js";
import { Model, parentOf } from "./model.js";
import { Outline } from "./outline.js";
import { showResults } from "./search.js";

const SEARCH_MILLISECONDS = 150;
const DIAGRAM_MILLISECONDS = 400;

const find = (id) => document.getElementById(id);
const model = new Model();
const outline = new Outline(find("outline"), model);
const diagram = new Diagram(find("diagram-view"));
let selected = null;
let isRevealed = false;
let changed = new Set();
let limit = Infinity;

// Events

// The key is for the page alone: no other site can take the places of its readers.
const key = document.querySelector("meta[name=key]").content;
const events = new EventSource(`events?key=${encodeURIComponent(key)}`);

events.addEventListener("open", () => {
  // It tells everything anew.
  isRevealed = false;
  model.clear();
  outline.clear();
});

events.addEventListener("status", (event) => {
  const status = JSON.parse(event.data);
  limit = status.limit;
  document.title = `${status.connection} · ZooKeeper`;
  if (status.connected) {
    tellStatus("good", status.connection);
  } else {
    tellStatus("bad", `${status.connection} does not answer. The page shows what was there last.`);
  }
});

events.addEventListener("nodes", (event) => {
  const batch = JSON.parse(event.data);
  model.apply(batch);
  if (!changed.size) {
    requestAnimationFrame(showChanges);
  }
  batch.forEach(([path]) => changed.add(path));
});

events.addEventListener("error", () => {
  tellStatus("bad", "zookeeper_browse does not run any more. The page shows what was there last.");
});

function tellStatus(kind, text) {
  find("status").className = kind;
  find("status").textContent = text;
}

function showChanges() {
  const paths = changed;
  changed = new Set();
  outline.update(paths);
  if (!isRevealed && model.get(selected)) {
    isRevealed = outline.reveal(selected);
  }
  if ([...paths].some((path) => path === selected || parentOf(path) === selected)) {
    showDetails(find("details"), model, selected);
  }
  const isFull = model.views.size >= limit;
  find("notice").hidden = !isFull;
  find("notice").textContent = `The tree is larger than what is shown, ${plural(limit, "node")}:`
    + " start zookeeper_browse with a path behind the port, or with a higher --limit.";
  searchSoon();
  drawSoon();
}

// Selection

function select() {
  const path = decodeURIComponent(location.hash.slice(1)) || "/";
  selected = path;
  showView("tree");
  isRevealed = outline.reveal(path);
  showDetails(find("details"), model, path);
}

addEventListener("hashchange", select);

// Views

function showView(name) {
  for (const each of ["tree", "diagram"]) {
    find(`${each}-view`).hidden = each !== name;
    find(`tab-${each}`).setAttribute("aria-selected", String(each === name));
  }
  if (name === "diagram") {
    diagram.refresh();
  }
}

find("tab-tree").addEventListener("click", () => showView("tree"));
find("tab-diagram").addEventListener("click", () => showView("diagram"));

const drawSoon = later(DIAGRAM_MILLISECONDS, () => {
  if (!find("diagram-view").hidden) {
    diagram.refresh();
  }
});

// Search

const search = find("search");
let searched = "";

const searchSoon = later(SEARCH_MILLISECONDS, () => {
  const text = search.value.trim();
  const isNew = text !== searched;
  searched = text;
  find("results").hidden = !text;
  find("outline").hidden = Boolean(text);
  if (text) {
    showView("tree");
    showResults(find("results"), model, text);
  }
  if (text && isNew) {
    find("left").scrollTop = 0;
  } else if (isNew) {
    outline.reveal(selected);
  }
});

search.addEventListener("input", searchSoon);

addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "Escape" && search.value) {
    search.value = "";
    searchSoon();
  }
});

// A function that has `action` done once, some time after the first of many calls.
function later(milliseconds, action) {
  let timer = null;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      action();
    }, milliseconds);
  };
}

select();
