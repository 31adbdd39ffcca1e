/** What part of a drawing is seen: a point `p` of it is at `p * scale + offset` on the screen, in CSS pixels. */
export interface Camera {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

const least = 0.005;
const most = 3;
const margin = 28;

/** The camera that shows all of a drawing, not larger than it is drawn. */
export function showAll(drawing: Size, screen: Size): Camera {
  const scale = Math.max(
    least,
    Math.min(
      1.15,
      (screen.width - 2 * margin) / Math.max(1, drawing.width),
      (screen.height - 2 * margin) / Math.max(1, drawing.height),
    ),
  );
  return {
    scale,
    x: (screen.width - drawing.width * scale) / 2,
    y: (screen.height - drawing.height * scale) / 2,
  };
}

export function pan(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, x: camera.x + dx, y: camera.y + dy };
}

/** Zooms so that what is at a point of the screen stays there. */
export function zoomAt(camera: Camera, point: Point, factor: number): Camera {
  const scale = Math.min(most, Math.max(least, camera.scale * factor));
  const ratio = scale / camera.scale;
  return { scale, x: point.x - (point.x - camera.x) * ratio, y: point.y - (point.y - camera.y) * ratio };
}

/** Moves so that a point of the drawing is in the middle of the screen. */
export function centreOn(camera: Camera, at: Point, screen: Size, scale = camera.scale): Camera {
  return { scale, x: screen.width / 2 - at.x * scale, y: screen.height / 2 - at.y * scale };
}

export function toDrawing(camera: Camera, point: Point): Point {
  return { x: (point.x - camera.x) / camera.scale, y: (point.y - camera.y) / camera.scale };
}

export function toScreen(camera: Camera, point: Point): Point {
  return { x: point.x * camera.scale + camera.x, y: point.y * camera.scale + camera.y };
}
