import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ChildCounts } from '../../../model/journal.ts';
import type { TaskStatus } from '../../../model/status.ts';
import { groupTasks } from '../run/groups.ts';
import type { Recording } from '../run/recording.ts';
import { codeOf, lastUnsettled, statuses } from '../run/status-log.ts';
import { downstreamOf, isChildTask, upstreamOf } from '../run/structure.ts';
import { type RunUndo, undoOf } from '../run/undo.ts';
import { unfold } from '../run/unfold.ts';
import { countsWords, statusWords } from '../run/words.ts';
import { isTyping, useSize, useTheme } from '../view/hooks.ts';
import { Glyph } from '../view/marks.tsx';
import { childOf, type RunState } from '../view/run-state.ts';
import { type Camera, centreOn, type Point, pan, showAll, toDrawing, toScreen, zoomAt } from './camera.ts';
import { criticalEdges } from './critical.ts';
import { GraphPainter, type NodeLook, type Overlay } from './painter.ts';
import { boxOf, createScene, nodeAt, type Scene } from './scene.ts';

/** The graph of a run's tasks, on a canvas that can be moved. */
export function GraphView({ state }: { readonly state: RunState }) {
  const { recording, address, moment, selected } = state;
  const [box, size] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const shownKey = useShownKey(state);
  const scene = useMemo(() => {
    const isAll = state.tasks.length === recording.graph.size;
    // A filter by status or name dims tasks: only what asks for another graph lays it out again.
    const shown = address.focus || address.hideDone ? tasksOfGraph(state) : undefined;
    const grouped = groupTasks(recording.graph, {
      shown: isAll ? undefined : shown,
      isGrouped: address.group,
      opened: new Set(address.opened),
    });
    return createScene(unfold(grouped, unfoldedOf(state)), (task) => isChildTask(recording.structure, task));
  }, [recording, shownKey]);
  const desk = useDesk();
  desk.state = state;
  desk.scene = scene;

  useEffect(() => {
    if (canvas.current !== null) desk.painter = new GraphPainter(canvas.current, theme);
    desk.isFresh = true;
    desk.request();
  }, []);
  useEffect(() => {
    desk.isFitted = false;
    desk.isFresh = true;
    desk.request();
  }, [scene]);
  useEffect(() => {
    desk.isFresh = true;
    desk.request();
  }, [theme, address.search, String(address.status), moment.isLatest]);
  useEffect(() => {
    desk.size = size;
    desk.theme = theme;
    desk.request();
  });
  useEffect(() => desk.reveal(selected), [selected, scene]);

  const node = selected < 0 ? -1 : (scene.drawn.nodeOf[selected] ?? -1);
  const child = selected < 0 ? undefined : moment.task(selected).child;
  const [picked, pick] = useState(-1);
  desk.pick = pick;
  const inside = scene.drawn.nodes[picked]?.inside;
  const zoom = (factor: number): void => desk.zoom({ x: size.width / 2, y: size.height / 2 }, factor);
  return (
    <div class="graph" ref={box}>
      <canvas
        ref={canvas}
        tabIndex={0}
        role="img"
        aria-label={`Graph of ${scene.drawn.nodes.length} nodes. Arrow keys walk along its edges; the table beside it lists all tasks.`}
        onPointerDown={(event) => desk.press(event)}
        onPointerMove={(event) => desk.move(event)}
        onPointerUp={(event) => desk.release(event)}
        onPointerCancel={(event) => desk.release(event)}
        onPointerLeave={() => desk.hover(-1)}
        onDblClick={(event) => {
          if (!desk.enter(event)) desk.zoom(pointOf(event), event.shiftKey ? 0.5 : 2);
        }}
        onKeyDown={(event) => desk.key(event)}
      />
      <div class="tools" role="toolbar" aria-label="Zoom">
        <button type="button" onClick={() => zoom(1.4)} aria-label="Zoom in">
          +
        </button>
        <button type="button" onClick={() => zoom(1 / 1.4)} aria-label="Zoom out">
          −
        </button>
        <button type="button" onClick={() => desk.fit()} title="Show all (0)">
          Fit
        </button>
      </div>
      {node >= 0 && scene.isRunNode[node] && child !== undefined && (
        <div class="hint">
          {inside?.of === selected && <Inside of={selected} task={inside.task} state={state} />}
          <button type="button" onClick={() => desk.unfold()} title="x">
            {isUnfolded(state) ? 'Fold it' : 'Show it here'}
          </button>
          <button type="button" onClick={() => state.open(child.runId)}>
            Open its run
          </button>
        </div>
      )}
      {node >= 0 && scene.drawn.nodes[node]?.prefix !== undefined && (
        <div class="hint">
          {scene.drawn.nodes[node]?.tasks.length} tasks in one node
          <button type="button" onClick={() => desk.open(node)}>
            Open {scene.drawn.nodes[node]?.prefix}
          </button>
        </div>
      )}
    </div>
  );
}

/** A task of a child run that is drawn in place. */
function Inside({
  of,
  task,
  state,
}: {
  readonly of: number;
  readonly task: number;
  readonly state: RunState;
}) {
  const child = state.children.get(of);
  if (child === undefined) return null;
  const id = child.recording.graph.ids[task] as string;
  const status = statuses[child.moment.codes[task] as number] as TaskStatus;
  return (
    <button type="button" onClick={() => state.open(child.recording.structure.id, id)}>
      <Glyph status={status} /> {id}: {statusWords(status)}
    </button>
  );
}

function isUnfolded({ address }: RunState): boolean {
  return address.unfolded.includes(address.task);
}

/** The child runs that are drawn in place. */
function unfoldedOf({ address, recording, children }: RunState): Map<number, Recording> {
  const unfolded = new Map<number, Recording>();
  for (const id of address.unfolded) {
    const task = recording.graph.indexOf(id);
    const child = children.get(task);
    if (child !== undefined) unfolded.set(task, child.recording);
  }
  return unfolded;
}

/** Changes when the graph must be laid out again. */
function useShownKey(state: RunState): string {
  const { address, moment, recording, tasks } = state;
  const { focus, task, hideDone, group, opened } = address;
  // What is hidden changes with time, the layout only when it is asked for.
  const hidden = useMemo(
    () => (hideDone ? `${moment.place} ${tasks.length}` : ''),
    [hideDone, focus ? task : '', moment.isLatest && recording.isSettled],
  );
  const inside = Array.from(unfoldedOf(state), ([head, { structure }]) => [head, structure.flowHash]);
  return JSON.stringify([focus ? task : '', hidden, group, group ? opened : [], inside]);
}

/** The tasks of the graph, whatever is searched for. */
function tasksOfGraph(state: RunState): ReadonlySet<number> {
  return new Set(state.tasks);
}

function useDesk(): Desk {
  const desk = useRef<Desk | undefined>(undefined);
  desk.current ??= new Desk();
  const { current } = desk;
  useEffect(() => () => current.stop(), []);
  useEffect(() => {
    // Preact adds wheel listeners as passive ones, which cannot keep the page from scrolling.
    const element = document.querySelector('.graph canvas');
    const listen = (event: Event): void => current.wheel(event as WheelEvent);
    element?.addEventListener('wheel', listen, { passive: false });
    return () => element?.removeEventListener('wheel', listen);
  }, []);
  return current;
}

const done = codeOf('done');
/** Of a group, the status to show: the one that asks most for a look. */
const telling = [
  'failed',
  'upstream_failed',
  'retrying',
  'running',
  'waiting',
  'cancelled',
  'pending',
  'skipped',
  'done',
] as const;
const weightOf = new Uint8Array(statuses.length);
for (const [index, status] of telling.entries()) weightOf[codeOf(status)] = telling.length - index;

/** A move of the camera that is under way. */
interface Glide {
  readonly from: Camera;
  readonly to: Camera;
  readonly at: number;
}

/** The canvas at work: camera, pointers, frames. */
class Desk {
  state: RunState | undefined;
  scene: Scene | undefined;
  painter: GraphPainter | undefined;
  theme: ReturnType<typeof useTheme> | undefined;
  size = { width: 0, height: 0 };
  isFresh = true;
  isFitted = false;
  #camera: Camera = { scale: 1, x: 0, y: 0 };
  #frame = 0;
  #codes: Uint8Array = new Uint8Array();
  #counted = new Map<number, unknown>();
  /** How far the undo of each task was, when it was painted. */
  #undo: RunUndo | undefined;
  /** The statuses of tasks of child runs and how far their undo was, by node. */
  #inside = new Map<number, string>();
  /** Hears which node was clicked. */
  pick: (node: number) => void = () => {};
  #pointers = new Map<number, Point>();
  #dragged = 0;
  #hovered = -1;
  #glide: Glide | undefined;
  #isWhole = true;

  request(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame((now) => this.#draw(now));
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
  }

  #draw(now: number): void {
    this.#frame = 0;
    const { scene, state, painter, theme, size } = this;
    if (scene === undefined || state === undefined || painter === undefined || theme === undefined) return;
    if (size.width === 0 || size.height === 0) return;
    // Until it is moved, it shows all, also when there comes to be more or less room.
    if (!this.isFitted || this.#isWhole) this.#camera = showAll(scene, size);
    if (!this.isFitted) this.#isWhole = true;
    this.isFitted = true;
    if (this.#glide !== undefined) this.#step(now, this.#glide);
    const look = lookOf(state, scene);
    if (this.isFresh) {
      painter.reset(scene, theme, look);
      this.isFresh = false;
      this.#codes = state.moment.codes.slice();
    } else painter.update(this.#changedNodes(state, scene), look);
    const isMissing = painter.draw(this.#camera, size, overlayOf(state, scene, this.#hovered), now);
    if (isMissing || this.#glide !== undefined) this.request();
  }

  #changedNodes(state: RunState, { drawn }: Scene): Set<number> {
    const { moment, recording, children } = state;
    const { codes } = moment;
    const changed = new Set<number>();
    for (const [node, { inside }] of children.size === 0 ? [] : drawn.nodes.entries()) {
      const child = inside && children.get(inside.of);
      if (child === undefined) continue;
      const code = child.moment.codes[inside?.task ?? -1];
      const look = `${code} ${undoOf(child.recording, child.moment)?.marks.get(inside?.task ?? -1)?.status}`;
      if (code === undefined || this.#inside.get(node) === look) continue;
      this.#inside.set(node, look);
      changed.add(node);
    }
    for (const [task, child] of recording.counted) {
      if (this.#counted.get(task) === child) continue;
      this.#counted.set(task, child);
      const node = drawn.nodeOf[task] as number;
      if (node >= 0) changed.add(node);
    }
    const undo = undoOf(recording, moment);
    if (undo !== this.#undo) {
      for (const task of [...(undo?.marks.keys() ?? []), ...(this.#undo?.marks.keys() ?? [])]) {
        const node = drawn.nodeOf[task] as number;
        if (node >= 0) changed.add(node);
      }
      this.#undo = undo;
    }
    if (this.#codes.length !== codes.length) this.#codes = new Uint8Array(codes.length);
    const before = this.#codes;
    for (let task = 0; task < codes.length; task++) {
      if (codes[task] === before[task]) continue;
      before[task] = codes[task] as number;
      const node = drawn.nodeOf[task] as number;
      if (node >= 0) changed.add(node);
    }
    return changed;
  }

  fit(): void {
    if (this.scene !== undefined) this.#glideTo(showAll(this.scene, this.size));
  }

  zoom(point: Point, factor: number): void {
    this.#isWhole = false;
    this.#glide = undefined;
    this.#camera = zoomAt(this.#camera, point, factor);
    this.request();
  }

  /** Moves so that a task is seen, if it is not. */
  reveal(task: number): void {
    const { scene, size } = this;
    const node = task < 0 ? -1 : (scene?.drawn.nodeOf[task] ?? -1);
    if (scene === undefined || node < 0 || !this.isFitted || size.width === 0) return this.request();
    const [x, y, width, height] = boxOf(scene, node);
    const middle = { x: x + width / 2, y: y + height / 2 };
    const at = toScreen(this.#camera, middle);
    const isSeen = at.x > 20 && at.y > 20 && at.x < size.width - 20 && at.y < size.height - 20;
    if (!isSeen) this.#glideTo(centreOn(this.#camera, middle, size));
    this.request();
  }

  open(node: number): void {
    const prefix = this.scene?.drawn.nodes[node]?.prefix;
    if (prefix === undefined || this.state === undefined) return;
    this.state.change({ opened: [...this.state.address.opened, prefix] });
  }

  /** Draws the child run of the selected task in place, or no more. */
  unfold(): void {
    const { state } = this;
    if (state === undefined || state.address.task === '') return;
    const { task, unfolded } = state.address;
    if (isUnfolded(state)) return state.change({ unfolded: unfolded.filter((id) => id !== task) });
    if (state.moment.task(state.selected).child !== undefined)
      state.change({ unfolded: [...unfolded, task] });
  }

  /** Opens the child run of the node at a point. Returns whether there is one. */
  enter(event: MouseEvent): boolean {
    const { tasks = [], inside } = this.scene?.drawn.nodes[this.#nodeAt(pointOf(event))] ?? {};
    const child = inside && this.state?.children.get(inside.of)?.recording;
    if (child === undefined) return this.#enter(tasks);
    this.state?.open(child.structure.id, child.graph.ids[inside?.task ?? -1]);
    return true;
  }

  #enter(tasks: readonly number[]): boolean {
    const [task = -1] = tasks;
    const child = tasks.length === 1 && task >= 0 ? this.state?.moment.task(task).child : undefined;
    if (child !== undefined) this.state?.open(child.runId);
    return child !== undefined;
  }

  press(event: PointerEvent): void {
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, pointOf(event));
    this.#dragged = 0;
    this.#glide = undefined;
  }

  move(event: PointerEvent): void {
    const before = this.#pointers.get(event.pointerId);
    const point = pointOf(event);
    if (before === undefined) return this.hover(this.#nodeAt(point));
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other === undefined) this.#camera = pan(this.#camera, point.x - before.x, point.y - before.y);
    else
      this.#camera = zoomAt(
        this.#camera,
        other,
        distance(point, other) / Math.max(1, distance(before, other)),
      );
    this.#isWhole = false;
    this.#dragged += distance(point, before);
    this.#pointers.set(event.pointerId, point);
    this.request();
  }

  release(event: PointerEvent): void {
    const wasPressed = this.#pointers.delete(event.pointerId);
    if (!wasPressed || this.#dragged > 4 || event.type === 'pointercancel') return;
    const node = this.#nodeAt(pointOf(event));
    const { tasks, inside } = this.scene?.drawn.nodes[node] ?? { tasks: [] };
    this.pick(node);
    this.state?.select(inside?.of ?? tasks[0] ?? -1);
  }

  hover(node: number): void {
    if (node === this.#hovered) return;
    this.#hovered = node;
    this.request();
  }

  wheel(event: WheelEvent): void {
    event.preventDefault();
    const isLines = event.deltaMode === WheelEvent.DOM_DELTA_LINE;
    const unit = isLines ? 16 : 1;
    if (event.shiftKey) this.#camera = pan(this.#camera, -(event.deltaX || event.deltaY) * unit, 0);
    else this.#camera = zoomAt(this.#camera, pointOf(event), Math.exp(-event.deltaY * unit * 0.0015));
    this.#isWhole = false;
    this.#glide = undefined;
    this.request();
  }

  key(event: KeyboardEvent): void {
    if (isTyping(event) || this.state === undefined) return;
    const { key } = event;
    const middle = { x: this.size.width / 2, y: this.size.height / 2 };
    if (key === '+' || key === '=') this.zoom(middle, 1.4);
    else if (key === '-') this.zoom(middle, 1 / 1.4);
    else if (key === '0') this.fit();
    else if (key === 'x') this.unfold();
    else if (key === 'Enter' && this.#enter([this.state.selectedNow()])) event.stopPropagation();
    else if (key.startsWith('Arrow') && event.shiftKey) this.#shift(key);
    else if (key.startsWith('Arrow')) this.#walk(key);
    else return;
    event.preventDefault();
  }

  #shift(key: string): void {
    const [dx, dy] = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60] }[key] ?? [0, -60];
    this.#isWhole = false;
    this.#camera = pan(this.#camera, dx as number, dy as number);
    this.request();
  }

  /** Walks from the selected task along edges, or up and down in its column. */
  #walk(key: string): void {
    const { scene, state } = this;
    if (scene === undefined || state === undefined) return;
    const { drawn, columns, layout } = scene;
    const selected = state.selectedNow();
    const node = selected < 0 ? -1 : (drawn.nodeOf[selected] as number);
    const select = (next: number | undefined): void => {
      const task = next === undefined ? undefined : drawn.nodes[next]?.tasks[0];
      if (task !== undefined) state.select(task);
    };
    if (node < 0) return select(columns.find((column) => column.length > 0)?.[0]);
    if (key === 'ArrowUp' || key === 'ArrowDown') {
      const column = columns[layout.columnOf[node] as number] as Int32Array;
      return select(column[column.indexOf(node) + (key === 'ArrowUp' ? -1 : 1)]);
    }
    const next = key === 'ArrowLeft' ? upstreamOf : downstreamOf;
    const others = (drawn.nodes[node]?.tasks ?? []).flatMap((task) => [...next(state.recording.graph, task)]);
    const nodes = others
      .map((task) => drawn.nodeOf[task] as number)
      .filter((other) => other >= 0 && other !== node);
    const near = (other: number): number => Math.abs((scene.y[other] as number) - (scene.y[node] as number));
    select(nodes.sort((a, b) => near(a) - near(b))[0]);
  }

  #nodeAt(point: Point): number {
    if (this.scene === undefined) return -1;
    const { x, y } = toDrawing(this.#camera, point);
    return nodeAt(this.scene, x, y);
  }

  #glideTo(camera: Camera): void {
    this.#isWhole = false;
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (isStill) this.#camera = camera;
    else this.#glide = { from: this.#camera, to: camera, at: performance.now() };
    this.request();
  }

  #step(now: number, { from, to, at }: Glide): void {
    const part = Math.min(1, Math.max(0, (now - at) / 220));
    const eased = 1 - (1 - part) ** 3;
    const between = (a: number, b: number): number => a + (b - a) * eased;
    const scale = Math.exp(between(Math.log(from.scale), Math.log(to.scale)));
    this.#camera = { scale, x: between(from.x, to.x), y: between(from.y, to.y) };
    if (part === 1) {
      this.#camera = to;
      this.#glide = undefined;
    }
  }
}

function lookOf(state: RunState, { drawn, isRunNode }: Scene) {
  const { moment, address, tasks, children, recording } = state;
  const { codes } = moment;
  const marks = undoOf(recording, moment)?.marks;
  const isFiltered = address.search.trim() !== '' || address.status.length > 0;
  const lit = isFiltered ? new Set(tasks) : undefined;
  return (node: number): NodeLook => {
    const { tasks: members = [], inside } = drawn.nodes[node] ?? {};
    if (inside !== undefined) {
      const child = children.get(inside.of);
      const code = child?.moment.codes[inside.task] ?? 0;
      const undo = child && undoOf(child.recording, child.moment)?.marks.get(inside.task)?.status;
      return { code, share: 0, isDim: lit !== undefined && !lit.has(inside.of), undo };
    }
    const isDim = lit !== undefined && !members.some((task) => lit.has(task));
    if (members.length === 1) {
      const [task] = members as [number];
      const code = codes[task] as number;
      const counts = isRunNode[node] ? childOf(state, task)?.counts : undefined;
      const undo = marks?.get(task)?.status;
      if (counts === undefined) return { code, share: 0, isDim, undo };
      return { code, share: settledShare(counts), isDim, counts: countsWords(counts), undo };
    }
    let best = done;
    let settled = 0;
    for (const task of members) {
      const code = codes[task] as number;
      if (code > lastUnsettled) settled++;
      if ((weightOf[code] as number) > (weightOf[best] as number)) best = code;
    }
    return { code: best, share: settled / Math.max(1, members.length), isDim };
  };
}

function settledShare({ total, ...ended }: ChildCounts): number {
  return Object.values(ended).reduce((sum, each) => sum + each, 0) / Math.max(1, total);
}

function overlayOf(state: RunState, { drawn }: Scene, hovered: number): Overlay {
  const { selected, recording, address } = state;
  const node = selected < 0 ? -1 : (drawn.nodeOf[selected] as number);
  const stressed: [number, number][] = [];
  if (node >= 0) {
    for (const other of drawn.dependsOn[node] ?? []) stressed.push([other, node]);
    for (const task of drawn.nodes[node]?.tasks ?? []) {
      for (const other of downstreamOf(recording.graph, task)) {
        const to = drawn.nodeOf[other] as number;
        if (to >= 0 && drawn.dependsOn[to]?.includes(node) === true) stressed.push([node, to]);
      }
    }
  }
  const critical = address.critical ? criticalEdges(state, drawn) : [];
  return { selected: node, hovered, stressed: stressed.slice(0, 400), critical };
}

function pointOf(event: MouseEvent): Point {
  const { left, top } = (event.currentTarget as Element).getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
