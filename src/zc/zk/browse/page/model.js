// The nodes as the server tells of them.

import { compareNaturally } from "./order.js";

const NONE = Object.freeze([]);

export const PROVIDERS = "providers";

export function parentOf(path) {
  return path === "/" ? null : path.slice(0, path.lastIndexOf("/")) || "/";
}

export function nameOf(path) {
  return path === "/" ? "/" : path.slice(path.lastIndexOf("/") + 1);
}

export function childOf(path, name) {
  return path === "/" ? `/${name}` : `${path}/${name}`;
}

// The paths above a node, from the root down.
export function ancestors(path) {
  const found = [];
  for (let above = parentOf(path); above !== null; above = parentOf(above)) {
    found.unshift(above);
  }
  return found;
}

export class Model {
  constructor() {
    this.clear();
  }

  clear() {
    this.views = new Map();
    this.childSets = new Map();
    this.sorted = new Map();
  }

  get(path) {
    return this.views.get(path);
  }

  // The paths of a node's children, in natural order.
  children(path) {
    if (!this.childSets.has(path)) {
      return NONE;
    }
    if (!this.sorted.has(path)) {
      this.sorted.set(path, [...this.childSets.get(path)].sort(compareNaturally));
    }
    return this.sorted.get(path);
  }

  // The nodes one after the other, in the order of the tree: for each its path and, if it has the
  // text in its path or in a property, that it is found. Large trees are walked in parts.
  * search(text) {
    const wanted = text.toLowerCase();
    const left = ["/"];
    while (left.length) {
      const path = left.pop();
      const children = this.children(path);
      for (let place = children.length - 1; place >= 0; place -= 1) {
        left.push(children[place]);
      }
      const view = this.views.get(path);
      if (view) {
        const property = view.properties.find((each) => textOf(each).toLowerCase().includes(wanted));
        yield { path, property, isFound: Boolean(property) || path.toLowerCase().includes(wanted) };
      }
    }
  }

  // Take in what has changed.
  apply(batch) {
    for (const [path, view] of batch) {
      const parent = parentOf(path);
      if (view === null) {
        this.views.delete(path);
        if (this.childSets.get(parent)?.delete(path)) {
          this.rearrange(parent, (list, place) => list.splice(place, 1), path);
        }
        continue;
      }
      if (!this.views.has(path) && parent !== null) {
        if (!this.childSets.has(parent)) {
          this.childSets.set(parent, new Set());
        }
        if (!this.childSets.get(parent).has(path)) {
          this.childSets.get(parent).add(path);
          this.rearrange(parent, (list, place) => list.splice(place, 0, path), path);
        }
      }
      this.views.set(path, view);
    }
  }

  // Change the children that are sorted already, rather than sort thousands anew.
  rearrange(parent, change, path) {
    const list = this.sorted.get(parent);
    if (list) {
      change(list, placeOf(list, path));
    }
  }
}

// The line that a property is searched by, and shown as when it is found.
export function textOf(property) {
  return `${property.name} ${property.link ?? "="} ${property.value}`;
}

// Where a path is in a sorted list, or would be.
function placeOf(list, path) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareNaturally(list[middle], path) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
