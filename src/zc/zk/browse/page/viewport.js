// The part of a picture that is in sight: moved, enlarged, and fitted into its pane. A part is a box
// in units of the picture, of the pane's proportions; the scale is pixels per unit.

const MAX_SCALE = 4;
const MAX_FIT = 1.5; // small pictures are not blown up
const MIN_READABLE = 0.9;

export function scaleOf(part, pane) {
  return pane.width / part.width;
}

// All of the picture, in the middle.
export function fit(picture, pane) {
  return centred(picture, pane, fitScale(picture, pane));
}

// All of the picture, or if that could not be read, as on a phone, its beginning.
export function begin(picture, pane) {
  const scale = fitScale(picture, pane);
  if (scale >= MIN_READABLE) {
    return centred(picture, pane, scale);
  }
  const part = centred(picture, pane, MIN_READABLE);
  return {
    ...part,
    x: part.width < picture.width ? picture.x : part.x,
    y: part.height < picture.height ? picture.y : part.y,
  };
}

// Enlarge, or make smaller, around a point of the pane.
export function zoom(part, picture, pane, factor, point) {
  const least = Math.min(fitScale(picture, pane), MIN_READABLE) / 2;
  const scale = Math.min(MAX_SCALE, Math.max(least, scaleOf(part, pane) * factor));
  const [across, down] = [point.x / pane.width, point.y / pane.height];
  const [width, height] = [pane.width / scale, pane.height / scale];
  return inside({
    x: part.x + across * (part.width - width),
    y: part.y + down * (part.height - height),
    width,
    height,
  }, picture);
}

// Move by pixels.
export function pan(part, picture, pane, right, down) {
  const scale = scaleOf(part, pane);
  return inside({ ...part, x: part.x - right / scale, y: part.y - down / scale }, picture);
}

// The same part in a pane of another size.
export function resized(part, pane) {
  return { ...part, height: part.width * pane.height / pane.width };
}

function fitScale(picture, pane) {
  return Math.min(pane.width / picture.width, pane.height / picture.height, MAX_FIT);
}

function centred(picture, pane, scale) {
  const [width, height] = [pane.width / scale, pane.height / scale];
  return {
    x: picture.x + (picture.width - width) / 2,
    y: picture.y + (picture.height - height) / 2,
    width,
    height,
  };
}

// The middle stays within the picture, or it could be lost.
function inside(part, picture) {
  const clamp = (start, size, from, length) =>
    Math.min(Math.max(start, from - size / 2), from + length - size / 2);
  return {
    ...part,
    x: clamp(part.x, part.width, picture.x, picture.width),
    y: clamp(part.y, part.height, picture.y, picture.height),
  };
}
