import type { UndoStatus } from '../../../model/view.ts';
import type { Theme } from '../look/theme.ts';
import { codeOf, statuses } from '../run/status-log.ts';
import { undoGlyphs } from '../run/words.ts';
import type { Camera, Size } from './camera.ts';
import { boxOf, edgePieces, firstBelow, glyphRoom, nodeHeight, type Scene } from './scene.ts';

/** The side of a tile, in CSS pixels. */
const side = 256;
/** How long tiles may be painted in a frame; at least one is. */
const budgetMs = 4;
/** The most pixels that tiles may have together. */
const mostPixels = 16_000_000;
/** While the scale changes, tiles of the last scale are stretched; for so long after a change. */
const restMs = 90;

const failure = codeOf('failed');

/** How a node looks now. */
export interface NodeLook {
  /** The number of its status; of a group, of its most telling task. */
  readonly code: number;
  /** The share of its tasks, or of those of its child run, that have settled; 0 of another task. */
  readonly share: number;
  readonly isDim: boolean;
  /** How far its undo is, if it is to be undone. */
  readonly undo?: UndoStatus | undefined;
  /** How far its child run is. */
  readonly counts?: string | undefined;
}

/** What lies over the tiles. */
export interface Overlay {
  readonly selected: number;
  readonly hovered: number;
  /** Edges to stress: from and to. */
  readonly stressed: readonly (readonly [from: number, to: number])[];
  readonly critical: readonly (readonly [from: number, to: number])[];
}

interface Layer {
  readonly scale: number;
  readonly tiles: Map<string, Tile>;
}

interface Tile {
  readonly canvas: HTMLCanvasElement;
  readonly column: number;
  readonly row: number;
}

/**
 * Paints a scene on a canvas by tiles, which are kept while it is moved. A frame costs little however many nodes there
 * are: tiles are painted a few at a time, and a node that changes is painted over in the tiles that it is in.
 */
export class GraphPainter {
  readonly #canvas: HTMLCanvasElement;
  #scene: Scene | undefined;
  #look: (node: number) => NodeLook = () => ({ code: 0, share: 0, isDim: false });
  #theme: Theme;
  #layer: Layer = { scale: 1, tiles: new Map() };
  #before: Layer | undefined;
  #scaledAt = -restMs;
  #ratio = 1;

  constructor(canvas: HTMLCanvasElement, theme: Theme) {
    this.#canvas = canvas;
    this.#theme = theme;
  }

  /** Begins anew with another scene, other colours or other looks of all nodes. */
  reset(scene: Scene, theme: Theme, look: (node: number) => NodeLook): void {
    this.#scene = scene;
    this.#theme = theme;
    this.#look = look;
    this.#layer = { scale: this.#layer.scale, tiles: new Map() };
    this.#before = undefined;
  }

  /** Paints nodes over, in the tiles that there are. */
  update(nodes: Iterable<number>, look: (node: number) => NodeLook): void {
    this.#look = look;
    const scene = this.#scene;
    if (scene === undefined) return;
    const { scale, tiles } = this.#layer;
    this.#before = undefined;
    for (const node of nodes) {
      const [x, y, width, height] = boxOf(scene, node);
      const last = Math.floor(((x + width) * scale + 1) / side);
      for (let column = Math.floor((x * scale - 1) / side); column <= last; column++) {
        const bottom = Math.floor(((y + height) * scale + 1) / side);
        for (let row = Math.floor((y * scale - 1) / side); row <= bottom; row++) {
          const tile = tiles.get(`${column} ${row}`);
          if (tile !== undefined) this.#paintOver(scene, tile, node);
        }
      }
    }
  }

  /** Draws a frame. Returns whether another is needed, since tiles are missing. */
  draw(camera: Camera, screen: Size, overlay: Overlay, now: number): boolean {
    const context = this.#canvas.getContext('2d');
    if (context === null || this.#scene === undefined || screen.width === 0) return false;
    this.#resize(screen);
    if (camera.scale !== this.#layer.scale) this.#changeScale(camera.scale, now);
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    context.fillStyle = this.#theme.paper;
    context.fillRect(0, 0, screen.width, screen.height);
    const isMissing = this.#drawTiles(context, camera, screen, now);
    this.#drawOverlay(context, this.#scene, camera, overlay);
    return isMissing;
  }

  #resize({ width, height }: Size): void {
    const ratio = Math.min(2, devicePixelRatio || 1);
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (ratio !== this.#ratio) this.#layer = { scale: this.#layer.scale, tiles: new Map() };
    this.#ratio = ratio;
    if (this.#canvas.width === across && this.#canvas.height === down) return;
    this.#canvas.width = across;
    this.#canvas.height = down;
  }

  #changeScale(scale: number, now: number): void {
    if (this.#layer.tiles.size > 0) this.#before = this.#layer;
    this.#layer = { scale, tiles: new Map() };
    this.#scaledAt = now;
  }

  #drawTiles(context: CanvasRenderingContext2D, camera: Camera, screen: Size, now: number): boolean {
    const scene = this.#scene as Scene;
    const { tiles, scale } = this.#layer;
    if (this.#before !== undefined) this.#stretch(context, this.#before, camera);
    const rests = now - this.#scaledAt >= restMs || this.#before === undefined;
    const startedAt = performance.now();
    let painted = 0;
    let missing = 0;
    const firstColumn = Math.max(0, Math.floor(-camera.x / side)) - 1;
    const firstRow = Math.max(0, Math.floor(-camera.y / side)) - 1;
    const lastColumn = Math.floor(Math.min(screen.width - camera.x, scene.width * scale + 8) / side);
    const lastRow = Math.floor(Math.min(screen.height - camera.y, scene.height * scale + 8) / side);
    for (let row = firstRow; row <= lastRow; row++) {
      for (let column = firstColumn; column <= lastColumn; column++) {
        const key = `${column} ${row}`;
        let tile = tiles.get(key);
        const isSeen =
          (column + 1) * side + camera.x > 0 &&
          (row + 1) * side + camera.y > 0 &&
          column * side + camera.x < screen.width &&
          row * side + camera.y < screen.height;
        if (!isSeen) continue;
        if (tile === undefined && rests && (painted === 0 || performance.now() - startedAt < budgetMs)) {
          tile = this.#paintTile(scene, column, row);
          painted++;
        } else if (tile !== undefined) {
          // The map is in the order of use.
          tiles.delete(key);
        }
        if (tile === undefined) missing++;
        else {
          tiles.set(key, tile);
          context.drawImage(tile.canvas, column * side + camera.x, row * side + camera.y, side, side);
        }
      }
    }
    if (missing === 0) this.#before = undefined;
    this.#dropTiles();
    return missing > 0;
  }

  #stretch(context: CanvasRenderingContext2D, { scale, tiles }: Layer, camera: Camera): void {
    const ratio = camera.scale / scale;
    for (const { canvas, column, row } of tiles.values()) {
      const [x, y] = [column * side * ratio + camera.x, row * side * ratio + camera.y];
      context.drawImage(canvas, x, y, side * ratio, side * ratio);
    }
  }

  #dropTiles(): void {
    const { tiles } = this.#layer;
    const most = Math.max(48, Math.floor(mostPixels / (side * side * this.#ratio ** 2)));
    for (const [key] of tiles) {
      if (tiles.size <= most) return;
      tiles.delete(key);
    }
  }

  #paintTile(scene: Scene, column: number, row: number): Tile {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = Math.round(side * this.#ratio);
    const tile = { canvas, column, row };
    const context = this.#contextOf(tile);
    const { scale } = this.#layer;
    const area = {
      left: (column * side) / scale,
      top: (row * side) / scale,
      right: ((column + 1) * side) / scale,
      bottom: ((row + 1) * side) / scale,
    };
    this.#paintEdges(context, scene, area);
    this.#paintNodes(context, scene, area);
    return tile;
  }

  #contextOf({ canvas, column, row }: Tile): CanvasRenderingContext2D {
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    const zoom = this.#layer.scale * this.#ratio;
    context.setTransform(zoom, 0, 0, zoom, -column * side * this.#ratio, -row * side * this.#ratio);
    return context;
  }

  #paintEdges(context: CanvasRenderingContext2D, scene: Scene, area: Area): void {
    const { left, right } = scene;
    const { scale } = this.#layer;
    const isFine = scale > 0.25;
    context.strokeStyle = this.#theme.edge;
    context.lineWidth = Math.max(0.5, Math.min(1.3, 1.2 * scale)) / scale;
    for (const [column, pieces] of scene.pieces.entries()) {
      if ((left[column] as number) > area.right) break;
      // Where many edges lie on one another, each is paler, so that their gap does not become a block.
      const perPixel = pieces.length / 4 / Math.max(1, scene.height * scale);
      context.globalAlpha = Math.min(1, 0.35 / Math.max(0.01, perPixel));
      context.beginPath();
      for (let at = 0; at < pieces.length; at += 4) {
        const [x1, y1] = [pieces[at] as number, pieces[at + 1] as number];
        const [x2, y2] = [pieces[at + 2] as number, pieces[at + 3] as number];
        if (x2 < area.left || x1 > area.right) continue;
        if (Math.max(y1, y2) < area.top || Math.min(y1, y2) > area.bottom) continue;
        context.moveTo(x1, y1);
        if (isFine && y1 !== y2) {
          const middle = (x1 + x2) / 2;
          context.bezierCurveTo(middle, y1, middle, y2, x2, y2);
        } else context.lineTo(x2, y2);
      }
      context.stroke();
      if ((right[column] as number) > area.right) break;
    }
    context.globalAlpha = 1;
  }

  #paintNodes(context: CanvasRenderingContext2D, scene: Scene, area: Area): void {
    const { left, right, y } = scene;
    const failed: number[] = [];
    for (const [column, nodes] of scene.columns.entries()) {
      if ((left[column] as number) > area.right) break;
      if ((right[column] as number) < area.left) continue;
      const half = nodeHeight / 2 + 2;
      for (let at = firstBelow(scene, nodes, area.top - half); at < nodes.length; at++) {
        const node = nodes[at] as number;
        if ((y[node] as number) > area.bottom + half) break;
        if (this.#look(node).code === failure) failed.push(node);
        else this.#paintNode(context, scene, node);
      }
    }
    // Small as it may be, a failure lies over its neighbours.
    for (const node of failed) this.#paintNode(context, scene, node);
  }

  #paintOver(scene: Scene, tile: Tile, node: number): void {
    this.#paintNode(this.#contextOf(tile), scene, node);
  }

  /** Paints a node. Nothing shines through, so that it can be painted again. */
  #paintNode(context: CanvasRenderingContext2D, scene: Scene, node: number): void {
    const { code, share, isDim, counts, undo } = this.#look(node);
    const style = this.#theme.status[statuses[code] as (typeof statuses)[number]];
    const { fill: colour, rim } = style;
    // What was undone is hollow, and its name struck through: it is not done any more.
    const [fill, ink] = undo === 'undone' ? [this.#theme.paper, this.#theme.ink] : [colour, style.ink];
    const glyph = undo === undefined ? style.glyph : undoGlyphs[undo];
    const [x, y, width, height] = boxOf(scene, node);
    const { scale } = this.#layer;
    const isGroup = scene.isRunNode[node] || (scene.drawn.nodes[node]?.tasks.length ?? 1) > 1;
    if (isDim || height * scale >= 5) {
      context.fillStyle = this.#theme.paper;
      context.fillRect(x - 0.7, y - 0.7, width + 1.4, height + 1.4);
    }
    if (isDim) context.globalAlpha = 0.22;
    context.fillStyle = fill;
    if (height * scale < 5) {
      // At least a pixel of colour, and of a failure more.
      const tall = Math.max(height, (code === failure ? 3 : 1) / scale);
      context.fillStyle = colour;
      context.fillRect(x, y + (height - tall) / 2, Math.max(width, 1 / scale), tall);
      context.globalAlpha = 1;
      return;
    }
    context.beginPath();
    context.roundRect(x, y, width, height, 5);
    context.fill();
    context.strokeStyle = undo === 'failed' ? this.#theme.status.failed.fill : rim;
    context.lineWidth = undo === 'failed' ? 3 : undo === 'undone' ? 2 : 1;
    // A task of a child run that is drawn in place.
    if (scene.drawn.nodes[node]?.inside !== undefined) context.setLineDash([4, 2]);
    context.stroke();
    context.setLineDash([]);
    if (isGroup) this.#paintShare(context, x, y, width, height, share, ink);
    if (height * scale >= 12) {
      context.fillStyle = ink;
      context.font = '12px system-ui, sans-serif';
      context.textBaseline = 'middle';
      context.textAlign = 'center';
      context.fillText(glyph, x + glyphRoom / 2 + 1, y + height / 2 + 0.5);
      context.textAlign = 'left';
      context.fillText(scene.labels[node] as string, x + glyphRoom, y + height / 2 + 0.5);
      if (undo === 'undone')
        context.fillRect(x + glyphRoom, y + height / 2, scene.textWidths[node] as number, 1);
      if (counts !== undefined) {
        context.textAlign = 'right';
        const room = width - glyphRoom - (scene.textWidths[node] as number) - 14;
        context.fillText(counts, x + width - 8, y + height / 2 + 0.5, room);
      }
    }
    context.globalAlpha = 1;
  }

  /** A bar at the bottom of a group: the share of its tasks that have settled. */
  #paintShare(
    context: CanvasRenderingContext2D,
    x: number,
    y: number,
    width: number,
    height: number,
    share: number,
    ink: string,
  ): void {
    context.fillStyle = context.strokeStyle = ink;
    context.fillRect(x + 5, y + height - 4, (width - 10) * share, 2);
    context.globalAlpha *= 0.55;
    context.beginPath();
    context.roundRect(x + 2.5, y + 2.5, width - 5, height - 5, 3);
    context.stroke();
    context.globalAlpha /= 0.55;
  }

  #drawOverlay(context: CanvasRenderingContext2D, scene: Scene, camera: Camera, overlay: Overlay): void {
    context.setTransform(
      this.#ratio * camera.scale,
      0,
      0,
      this.#ratio * camera.scale,
      this.#ratio * camera.x,
      this.#ratio * camera.y,
    );
    const { scale } = camera;
    this.#drawEdges(context, scene, overlay.critical, this.#theme.status.retrying.fill, 5 / scale);
    this.#drawEdges(context, scene, overlay.critical, this.#theme.ink, 1.6 / scale);
    this.#drawEdges(context, scene, overlay.stressed, this.#theme.accent, 1.8 / scale);
    if (overlay.hovered >= 0 && overlay.hovered !== overlay.selected)
      this.#ring(context, scene, overlay.hovered, this.#theme.ink, 1.2 / scale, scale);
    if (overlay.selected >= 0)
      this.#ring(context, scene, overlay.selected, this.#theme.accent, 2.5 / scale, scale);
  }

  #drawEdges(
    context: CanvasRenderingContext2D,
    scene: Scene,
    edges: Overlay['stressed'],
    colour: string,
    width: number,
  ): void {
    if (edges.length === 0) return;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    for (const [from, to] of edges) {
      for (const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] of edgePieces(scene, from, to)) {
        const middle = (x1 + x2) / 2;
        context.moveTo(x1, y1);
        context.bezierCurveTo(middle, y1, middle, y2, x2, y2);
      }
    }
    context.stroke();
  }

  #ring(
    context: CanvasRenderingContext2D,
    scene: Scene,
    node: number,
    colour: string,
    width: number,
    scale: number,
  ): void {
    const [x, y, across, down] = boxOf(scene, node);
    const room = 3.5 / Math.max(scale, 0.4);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.roundRect(x - room, y - room, across + 2 * room, down + 2 * room, 7);
    context.stroke();
  }
}

interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}
