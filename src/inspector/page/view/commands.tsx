import { useRef, useState } from 'preact/hooks';
import { isSettledRun } from '../../../model/status.ts';
import type { CommandRequest, CommandType } from '../../protocol.ts';
import { count } from '../run/words.ts';
import { useSurroundings } from './context.ts';
import type { RunState } from './run-state.ts';

/** A command that waits for a yes. */
export interface Asked {
  readonly title: string;
  readonly text: string;
  readonly button: string;
  readonly request: CommandRequest;
  /** A text that goes with it. */
  readonly field?: { readonly label: string; readonly isJson: boolean } | undefined;
}

/** What can be done with a run. Nothing is done without a yes. */
export function Commands({ state }: { readonly state: RunState }) {
  const { backend } = useSurroundings();
  const [asked, setAsked] = useState<Asked>();
  const { session, recording, moment } = state;
  const { structure } = session;
  const run = { source: recording.structure.source, id: recording.structure.id };
  const may = (type: CommandType): boolean => structure?.commands.includes(type) === true && moment.isLatest;
  const { status } = recording.fold;
  const exported = backend.exportAddress(run);
  const tasks = count(recording.graph.size, 'task');
  return (
    <div class="commands">
      {may('pause') && status === 'running' && (
        <button
          type="button"
          onClick={() =>
            setAsked({
              title: 'Pause the run?',
              text: 'No attempt starts until it is resumed. Those under way go on.',
              button: 'Pause',
              request: { type: 'pause' },
            })
          }
        >
          Pause
        </button>
      )}
      {may('resume') && status === 'paused' && (
        <button
          type="button"
          onClick={() =>
            setAsked({
              title: 'Resume the run?',
              text: 'Attempts may start again.',
              button: 'Resume',
              request: { type: 'resume' },
            })
          }
        >
          Resume
        </button>
      )}
      {may('cancel') && !isSettledRun(status) && status !== 'cancelling' && (
        <button
          type="button"
          class="danger"
          onClick={() =>
            setAsked({
              title: 'Cancel the run?',
              text: 'Nothing more starts, and attempts under way are told to end.',
              button: 'Cancel the run',
              request: { type: 'cancel' },
              field: { label: 'Reason, for its journal', isJson: false },
            })
          }
        >
          Cancel
        </button>
      )}
      {may('rerun') && isSettledRun(status) && (
        <button
          type="button"
          onClick={() =>
            setAsked({
              title: 'Run it again?',
              text: `The tasks that did not end well, of ${tasks}, run again, and everything downstream of them. If all ended well, all run again.`,
              button: 'Rerun',
              request: { type: 'rerun' },
            })
          }
        >
          Rerun
        </button>
      )}
      {exported !== undefined && (
        <a class="button" href={exported} download={`${recording.structure.id}.html`}>
          Export
        </a>
      )}
      {asked !== undefined && <Confirm asked={asked} run={run} onEnd={() => setAsked(undefined)} />}
    </div>
  );
}

/** Asks before a command is sent, and shows a refusal. */
export function Confirm({
  asked,
  run,
  onEnd,
}: {
  readonly asked: Asked;
  readonly run: { readonly source: string; readonly id: string };
  readonly onEnd: () => void;
}) {
  const { backend, announce } = useSurroundings();
  const [problem, setProblem] = useState<string>();
  const [isSent, setSent] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const key = useRef<HTMLInputElement>(null);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      setSent(true);
      await backend.command(
        run,
        withField(asked, field.current?.value ?? '', key.current?.value.trim() ?? ''),
      );
      announce(`${asked.button}: done`);
      onEnd();
    } catch (error) {
      setSent(false);
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <dialog
      class="confirm"
      aria-labelledby="confirm-title"
      ref={(dialog) => {
        if (dialog !== null && !dialog.open) dialog.showModal();
      }}
      onClose={onEnd}
    >
      <form onSubmit={send}>
        <h2 id="confirm-title">{asked.title}</h2>
        <p>{asked.text}</p>
        {asked.field !== undefined && (
          <label>
            {asked.field.label}
            <textarea
              ref={field}
              rows={asked.field.isJson ? 5 : 2}
              maxLength={asked.field.isJson ? undefined : 1_000}
            />
          </label>
        )}
        {asked.request.type === 'deliver' && (
          <label>
            Key, so that the same delivery counts once (optional)
            <input type="text" ref={key} maxLength={256} />
          </label>
        )}
        {problem !== undefined && (
          <p class="line bad" role="alert">
            {problem}
          </p>
        )}
        <div class="answers">
          <button type="button" onClick={onEnd}>
            Back
          </button>
          <button
            type="submit"
            class={asked.request.type === 'cancel' ? 'danger' : 'primary'}
            disabled={isSent}
          >
            {asked.button}
          </button>
        </div>
      </form>
    </dialog>
  );
}

function withField({ request, field }: Asked, text: string, key: string): CommandRequest {
  if (field === undefined || (text.trim() === '' && !field.isJson)) return request;
  if (!field.isJson) return { ...request, reason: text };
  try {
    const value = text.trim() === '' ? null : JSON.parse(text);
    return { ...request, value, ...(key !== '' && { key }) };
  } catch {
    throw new Error('The value must be JSON: a text stands in double quotes.');
  }
}
