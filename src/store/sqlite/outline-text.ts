import { type FlowOutline, flowsBelow, limitsOf, outlineOfTask } from '../../model/flow-outline.ts';

/** The number of tasks that are written in one go. */
const PIECE = 250;

/** The JSON of an outline; a promise of it for a large one, which is written in slices that yield to the event loop. */
export function outlineText(flow: FlowOutline): string | Promise<string> {
  const below = flowsBelow(flow);
  const size = below.reduce((sum, { tasks }) => sum + tasks.length, flow.tasks.length);
  return size <= PIECE ? [...piecesOf(flow, below)].join('') : inSlices(piecesOf(flow, below));
}

async function inSlices(pieces: Iterable<string>): Promise<string> {
  let text = '';
  for (const piece of pieces) {
    await new Promise((resolve) => setImmediate(resolve));
    text += piece;
  }
  return text;
}

function* piecesOf(flow: FlowOutline, below: readonly FlowOutline[]): Generator<string> {
  yield* ownPieces(flow);
  for (const [place, inner] of below.entries()) {
    yield place === 0 ? ',"flows":[' : ',';
    yield* ownPieces(inner);
    yield '}';
  }
  yield below.length === 0 ? '}' : ']}';
}

/** A flow without those that its tasks run, and without the brace at the end. */
function* ownPieces(flow: FlowOutline): Generator<string> {
  const { name, hash, tasks } = flow;
  yield `{"name":${JSON.stringify(name)},"hash":"${hash}","settings":${JSON.stringify(limitsOf(flow))},"tasks":[`;
  for (let from = 0; from < tasks.length; from += PIECE) {
    const piece = tasks.slice(from, from + PIECE).map((task) => JSON.stringify(outlineOfTask(task)));
    yield `${from === 0 ? '' : ','}${piece.join(',')}`;
  }
  yield ']';
}
