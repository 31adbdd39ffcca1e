import { type FlowOutline, limitsOf, outlineOfTask } from '../../model/flow-outline.ts';

/** The number of tasks that are written in one go. */
const PIECE = 250;

/** The JSON of an outline; a promise of it for a large one, which is written in slices that yield to the event loop. */
export function outlineText(flow: FlowOutline): string | Promise<string> {
  const { name, hash, tasks } = flow;
  const head = `{"name":${JSON.stringify(name)},"hash":"${hash}","settings":${JSON.stringify(limitsOf(flow))},"tasks":[`;
  return tasks.length <= PIECE ? `${head}${pieceOf(flow, 0)}]}` : inSlices(flow, head);
}

async function inSlices(flow: FlowOutline, head: string): Promise<string> {
  let text = head;
  for (let from = 0; from < flow.tasks.length; from += PIECE) {
    await new Promise((resolve) => setImmediate(resolve));
    text += `${from === 0 ? '' : ','}${pieceOf(flow, from)}`;
  }
  return `${text}]}`;
}

function pieceOf({ tasks }: FlowOutline, from: number): string {
  return tasks
    .slice(from, from + PIECE)
    .map((task) => JSON.stringify(outlineOfTask(task)))
    .join(',');
}
