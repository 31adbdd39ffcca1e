import type { Part } from '../run/words.ts';
import type { RunState } from './run-state.ts';

/** A sentence whose tasks are links to them. */
export function Sentence({ parts, state }: { readonly parts: readonly Part[]; readonly state: RunState }) {
  return (
    <>
      {parts.map((part, index) =>
        typeof part === 'string' ? part : <TaskLink key={index} task={part.task} state={state} />,
      )}
    </>
  );
}

/** A link to a task of the same run. */
export function TaskLink({ task, state }: { readonly task: number; readonly state: RunState }) {
  return (
    <button type="button" class="tasklink mono" onClick={() => state.select(task)}>
      {state.recording.graph.ids[task]}
    </button>
  );
}
