// A pane with a picture that is moved and enlarged by mouse, fingers, keys and buttons.

import { element } from "./elements.js";
import { begin, fit, pan, resized, zoom } from "./viewport.js";

const STEP = 1.3; // of a button or key
const MOVE = 60; // pixels, of an arrow key
const SLOP = 4; // pixels; with less movement it is a click
const WHEEL = 0.0015;

const KEYS = {
  "+": (canvas) => canvas.zoom(STEP), "=": (canvas) => canvas.zoom(STEP),
  "-": (canvas) => canvas.zoom(1 / STEP), 0: (canvas) => canvas.fit(),
  ArrowLeft: (canvas) => canvas.move(MOVE, 0), ArrowRight: (canvas) => canvas.move(-MOVE, 0),
  ArrowUp: (canvas) => canvas.move(0, MOVE), ArrowDown: (canvas) => canvas.move(0, -MOVE),
};

export class Canvas {
  constructor() {
    this.pane = element("div", { className: "pane", tabIndex: 0 });
    this.pane.setAttribute("role", "group");
    this.pane.setAttribute("aria-label",
      "Diagram: arrow keys move it, plus and minus zoom, 0 fits it in");
    this.svg = null;
    this.part = null; // of the picture, in sight
    this.isMoved = false; // by somebody: then it stays so when the picture changes
    this.fingers = new Map();
    this.isDragged = false;
    this.listen();
  }

  // Show a picture; its box is in units of its own. Another picture begins where it begins.
  show(svg, picture, isOther) {
    this.svg = svg;
    this.picture = picture;
    this.pane.replaceChildren(svg);
    this.isMoved &&= !isOther;
    this.resize();
  }

  buttons() {
    const make = (text, name, act) => {
      const button = element("button", { type: "button", title: name }, text);
      button.ariaLabel = name;
      button.addEventListener("click", act);
      return button;
    };
    return [
      make("−", "Zoom out", () => this.zoom(1 / STEP)),
      make("+", "Zoom in", () => this.zoom(STEP)),
      make("Fit", "Fit in", () => this.fit()),
    ];
  }

  get size() {
    const { width, height } = this.pane.getBoundingClientRect();
    return { width, height };
  }

  resize() {
    if (!this.svg || !this.size.width || !this.size.height) {
      return; // not in sight
    }
    this.look(this.isMoved && this.part ? resized(this.part, this.size)
      : begin(this.picture, this.size));
  }

  look(part) {
    this.part = part;
    this.svg.setAttribute("viewBox", `${part.x} ${part.y} ${part.width} ${part.height}`);
  }

  fit() {
    this.change(() => fit(this.picture, this.size));
  }

  move(right, down) {
    this.change(() => pan(this.part, this.picture, this.size, right, down));
  }

  zoom(factor, point) {
    const { width, height } = this.size;
    this.change(() => zoom(this.part, this.picture, this.size, factor,
      point ?? { x: width / 2, y: height / 2 }));
  }

  change(partOf) {
    if (this.svg && this.part) {
      this.isMoved = true;
      this.look(partOf());
    }
  }

  listen() {
    const on = (kind, handle, options) => this.pane.addEventListener(kind, handle, options);
    on("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * WHEEL), this.pointOf(event));
    }, { passive: false });
    on("keydown", (event) => {
      if (KEYS[event.key] && !(event.ctrlKey || event.metaKey || event.altKey)) {
        event.preventDefault();
        KEYS[event.key](this);
      }
    });
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.moved(event));
    for (const kind of ["pointerup", "pointercancel", "pointerleave"]) {
      on(kind, (event) => this.fingers.delete(event.pointerId));
    }
    on("dragstart", (event) => event.preventDefault());
    on("click", (event) => {
      if (this.isDragged && event.detail > 0) { // 0 is a key
        event.preventDefault();
        event.stopPropagation();
      }
    }, { capture: true });
    on("focusin", (event) => this.reveal(event.target));
    new ResizeObserver(() => this.resize()).observe(this.pane);
  }

  pointOf(event) {
    const { left, top } = this.pane.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  down(event) {
    if (!this.fingers.size) {
      this.isDragged = false;
      this.start = this.pointOf(event);
    }
    this.fingers.set(event.pointerId, this.pointOf(event));
  }

  moved(event) {
    if (!this.fingers.has(event.pointerId)) {
      return;
    }
    const point = this.pointOf(event);
    if (!this.isDragged && this.fingers.size < 2 && distance(point, this.start) < SLOP) {
      return;
    }
    if (!this.isDragged) {
      this.isDragged = true;
      this.pane.setPointerCapture(event.pointerId);
    }
    const former = [...this.fingers.values()];
    this.fingers.set(event.pointerId, point);
    const fingers = [...this.fingers.values()];
    const [before, after] = [middle(former), middle(fingers)];
    this.move(after.x - before.x, after.y - before.y);
    if (fingers.length > 1) {
      this.zoom(distance(...fingers) / Math.max(1, distance(...former)), after);
    }
  }

  // Move what the tab key has come to into sight.
  reveal(target) {
    if (target === this.pane || !target.matches(":focus-visible")) {
      return;
    }
    const [box, pane] = [target.getBoundingClientRect(), this.pane.getBoundingClientRect()];
    if (box.left < pane.left || box.right > pane.right || box.top < pane.top
        || box.bottom > pane.bottom) {
      this.move((pane.left + pane.right - box.left - box.right) / 2,
        (pane.top + pane.bottom - box.top - box.bottom) / 2);
    }
  }
}

function distance(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}

function middle(points) {
  const [one, other] = [points[0], points[1] ?? points[0]];
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}
