// Which nodes are open at first: those above the first services, as long as that takes few rows.

import { ancestors, nameOf, parentOf, PROVIDERS } from "./model.js";
import { compareNaturally } from "./order.js";

const ROOM = 60; // rows, about a screen and a half

export class FirstLook {
  constructor(most = 300) {
    this.room = ROOM;
    this.most = most; // rows that a node shows when it is opened
  }

  // The nodes to open for the services among these paths, the upper ones first.
  openings(paths, open, childCount) {
    const services = [...paths].filter((path) => nameOf(path) === PROVIDERS && path !== "/")
      .map(parentOf);
    const depth = new Map(services.map((path) => [path, path.split("/").length]));
    services.sort((one, other) =>
      depth.get(one) - depth.get(other) || compareNaturally(one, other));
    const opened = new Set();
    for (const service of services) {
      for (const above of ancestors(service)) {
        if (this.room > 0 && !open.has(above) && !opened.has(above)) {
          opened.add(above);
          this.room -= Math.min(childCount(above), this.most);
        }
      }
    }
    return [...opened];
  }

  // Nothing opens by itself any more under somebody's hands.
  end() {
    this.room = 0;
  }
}
