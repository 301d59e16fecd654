// The focus, while what has it is made anew.

const FOCUSABLE = "a, button, [tabindex]";

// Do something to what is in `place`, and have the focus be where it was, if that is still there.
export function keepingFocus(place, show) {
  const { activeElement } = document;
  const sign = place.contains(activeElement) ? signOf(activeElement) : null;
  show();
  if (sign !== null && !place.contains(document.activeElement)) {
    [...place.querySelectorAll(FOCUSABLE)].find((each) => signOf(each) === sign)
      ?.focus({ preventScroll: true });
  }
}

// By this an element is known again.
function signOf(made) {
  return [made.tagName, made.dataset.key, made.getAttribute("href"), made.getAttribute("aria-label")]
    .join(" ");
}
