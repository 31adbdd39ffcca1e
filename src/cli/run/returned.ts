import type { Run, RunView } from '../../index.ts';
import type { FlowDefinition } from '../../model/definition.ts';
import { escapeJson } from '../../model/escape.ts';
import { toJson } from '../../model/json.ts';
import { createRecord, put } from '../../model/record.ts';
import type { Io } from '../io.ts';

/**
 * The result of a settled run for standard output, as one line of JSON, or indented for a terminal: the run's output if
 * it is done, or with `byId` the outputs of all tasks that are done, by id. `undefined` if there is none.
 */
export async function showReturned(
  run: Run,
  view: RunView,
  { settings }: FlowDefinition,
  byId: boolean,
  { stdout }: Io,
): Promise<string | undefined> {
  if (!byId && (view.status !== 'done' || settings.output === undefined)) return undefined;
  const returned = byId ? outputsOf(view) : await run.outputs();
  // A terminal obeys control characters. They occur only inside JSON's strings, where their escapes are JSON.
  return escapeJson(stdout.isTTY === true ? toJson(returned, 2) : toJson(returned));
}

function outputsOf({ tasks }: RunView): Record<string, unknown> {
  const entries = Object.entries(tasks);
  const outputs = createRecord<unknown>(entries.length);
  for (const [id, { status, output }] of entries) if (status === 'done') put(outputs, id, output);
  return outputs;
}
