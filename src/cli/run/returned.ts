import type { Run, RunView } from '../../index.ts';
import type { FlowDefinition } from '../../model/definition.ts';
import { escapeJson } from '../../model/escape.ts';
import { toJson } from '../../model/json.ts';
import { createRecord, put } from '../../model/record.ts';
import type { Io } from '../io.ts';

/**
 * Gives what a settled run has for standard output, as one line of JSON, or indented for a terminal: what the flow's
 * own `output` made of a run that is done, or with `byId` the outputs of all tasks that are done, by id. `undefined`
 * where there is nothing.
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
  // A terminal obeys what it is sent. Only strings have such characters in JSON, and escapes there lose nothing.
  return escapeJson(stdout.isTTY === true ? toJson(returned, 2) : toJson(returned));
}

function outputsOf({ tasks }: RunView): Record<string, unknown> {
  const entries = Object.entries(tasks);
  const outputs = createRecord<unknown>(entries.length);
  for (const [id, { status, output }] of entries) if (status === 'done') put(outputs, id, output);
  return outputs;
}
