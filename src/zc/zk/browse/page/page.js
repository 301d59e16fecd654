// The page: what the server tells goes into the model, and from there to what is in sight.

import { Changes, changesList } from "./changes.js";
import { Details } from "./details.js";
import { Diagram } from "./diagram.js";
import { addressOf, element, plural, refreshAges } from "./elements.js";
import { keepingFocus } from "./focus.js";
import { Health } from "./health.js";
import { showHealth } from "./healthview.js";
import { Model } from "./model.js";
import { Outline } from "./outline.js";
import { Search } from "./search.js";
import { FirstLook } from "./services.js";
import { Stream } from "./stream.js";
import { routeOf, Tabs } from "./tabs.js";
import { TreeKeys } from "./treekeys.js";

const SEARCH_MILLISECONDS = 150;
const SUMMARY_MILLISECONDS = 250;
const DIAGRAM_MILLISECONDS = 400;

const find = (id) => document.getElementById(id);
const model = new Model();
const health = new Health(model);
const changes = new Changes();
const firstLook = new FirstLook();
const touched = () => firstLook.end();
const outline = new Outline(find("outline"), model, touched);
const details = new Details(find("details"), model, health, changes);
const diagram = new Diagram(find("diagram-view"));
const input = find("search");
const search = new Search(find("results"), input, model);
const tabs = new Tabs(find("tabs"), go);
let view = "tree";
let selected = "/";
let isRevealed = false;
let changed = new Set();
let limit = Infinity;
let run = null;

new TreeKeys(outline, { choose: chooseByKey, touched });

// Events

function opened() {
  // It tells everything anew.
  isRevealed = false;
  model.clear();
  health.clear();
  changes.clear();
  outline.clear();
}

function lost() {
  tellStatus("bad", "zookeeper_browse does not answer. The page shows what was there last.");
}

function statusTold(status) {
  if (run !== null && run !== status.run) {
    location.reload(); // it is another server, perhaps with another page
  }
  run = status.run;
  limit = status.limit;
  document.title = `${status.connection} · ZooKeeper`;
  if (status.connected) {
    tellStatus("good", status.connection);
  } else {
    tellStatus("bad", `${status.connection} does not answer. The page shows what was there last.`);
  }
}

function nodesTold(batch) {
  model.apply(batch);
  if (!changed.size) {
    requestAnimationFrame(showChanges);
  }
  batch.forEach(([path]) => changed.add(path));
}

function changesTold(list) {
  changes.add(list);
  summariseSoon();
}

function tellStatus(kind, text) {
  find("status").className = kind;
  if (find("status").textContent !== text) {
    find("status").textContent = text;
  }
}

function showChanges() {
  const paths = changed;
  changed = new Set();
  health.update(paths);
  outline.update(paths);
  const openings = firstLook.openings(paths, outline.open, (path) => model.get(path)?.children ?? 0);
  openings.forEach((path) => outline.toggle(path, true));
  if (!isRevealed) {
    isRevealed = outline.reveal(selected);
    details.show(selected);
  } else if (details.isAbout(paths)) {
    showDetailsSoon();
  }
  const isFull = model.views.size >= limit;
  find("notice").hidden = !isFull;
  find("notice").textContent = `The tree is larger than what is shown, ${plural(limit, "node")}:`
    + " start zookeeper_browse with a path behind the port, or with a higher --limit.";
  summariseSoon();
  searchSoon();
  drawSoon();
}

// Selection and views

function route() {
  const { view: wanted, path } = routeOf(location.hash);
  view = wanted;
  tabs.show(view);
  if (view === "tree") {
    select(path);
  } else if (view === "diagram") {
    diagram.show(path);
  } else {
    summarise();
  }
}

function select(path) {
  if (location.hash.length > 1) {
    firstLook.end(); // one looks at a certain node
  }
  selected = path;
  isRevealed = outline.reveal(path);
  details.show(path);
}

// A key that is held down is not to fill the browser's history.
function chooseByKey(path) {
  history.replaceState(null, "", addressOf(path));
  select(path);
}

function go(name) {
  location.hash = { tree: addressOf(selected) }[name] ?? `#${name}`;
}

addEventListener("hashchange", route);

const showDetailsSoon = later(SUMMARY_MILLISECONDS / 2, () => details.show(selected));

const summariseSoon = later(SUMMARY_MILLISECONDS, summarise);

function summarise() {
  const { count } = health;
  find("findings").textContent = count ? count.toLocaleString("en") : "";
  if (view === "health") {
    keepingFocus(find("health-view"), () => showHealth(find("health-view"), health));
  } else if (view === "changes") {
    keepingFocus(find("changes-view"), () => find("changes-view").replaceChildren(
      element("h2", {}, "Last changes"), changesList(changes.list)));
  } else if (view === "tree" && selected === "/" && isRevealed) {
    details.show(selected);
  }
}

const drawSoon = later(DIAGRAM_MILLISECONDS, () => {
  if (view === "diagram") {
    diagram.refresh();
  }
});

// Search

let searched = "";

const searchSoon = later(SEARCH_MILLISECONDS, searchNow);

function searchNow() {
  const text = input.value.trim();
  const isNew = text !== searched;
  searched = text;
  find("results").hidden = !text;
  find("outline").hidden = Boolean(text);
  if (text) {
    if (isNew) {
      find("left").scrollTop = 0;
      if (view !== "tree") {
        go("tree");
      }
    }
    search.find(text);
  } else if (isNew) {
    search.end();
    outline.reveal(selected);
  }
}

input.addEventListener("input", searchSoon);

addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== input) {
    event.preventDefault();
    input.focus();
    input.select();
  } else if (event.key === "Escape" && input.value) {
    const isInResults = find("left").contains(document.activeElement);
    input.value = "";
    searchNow(); // what is hidden takes no focus
    if (isInResults) {
      outline.focus(selected);
    }
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

route();
setInterval(refreshAges, 1000);

// The key is for the page alone: no other site can take the places of its readers.
const key = document.querySelector("meta[name=key]").content;
new Stream(`events?key=${encodeURIComponent(key)}`, {
  opened, lost, status: statusTold, nodes: nodesTold, changes: changesTold,
});
