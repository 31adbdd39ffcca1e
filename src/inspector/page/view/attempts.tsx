import type { LogLine, RunKey } from '../../protocol.ts';
import type { AttemptStory } from '../run/attempts.ts';
import { showWait, statusWords } from '../run/words.ts';
import { Duration, Glyph, Instant, timeOfDay } from './marks.tsx';
import { ValueView } from './value-view.tsx';

/** Every attempt, folded, with its error, stack, progress and logs. */
export function Attempts({
  attempts,
  maxAttempts,
  now,
  logs,
  run,
}: {
  readonly attempts: readonly AttemptStory[];
  readonly maxAttempts: number | undefined;
  readonly now: number;
  readonly logs: readonly LogLine[];
  readonly run: RunKey;
}) {
  if (attempts.length === 0) return <p class="soft">None has started.</p>;
  return (
    <ol class="attempts">
      {attempts.map((attempt, index) => {
        const { life, startedAt, endedAt, ending, error, retryAt, progress } = attempt;
        const until = endedAt ?? Number.POSITIVE_INFINITY;
        const own = logs.filter((line) => {
          return line.attempt === attempt.attempt && line.at >= startedAt && line.at <= until;
        });
        const isLast = index === attempts.length - 1;
        const last = progress.at(-1);
        const isBegunAnew = life > 0 && attempts[index - 1]?.life !== life;
        return (
          <li key={`${life} ${index}`}>
            {isBegunAnew && <p class="soft again">run again</p>}
            <details open={isLast && (error !== undefined || own.length > 0 || progress.length > 0)}>
              <summary>
                <Glyph status={ending === 'lost' ? 'cancelled' : (ending ?? 'running')} />
                <b>
                  {attempt.attempt}
                  {maxAttempts !== undefined && maxAttempts > 1 && (
                    <span class="soft"> of {maxAttempts}</span>
                  )}
                </b>
                <span>{statusWords(ending ?? 'running')}</span>
                <span class="figure">
                  <Duration ms={(endedAt ?? now) - startedAt} />
                </span>
              </summary>
              <dl class="pairs">
                <dt>started</dt>
                <dd>
                  <Instant at={startedAt} />
                </dd>
                <dt>ended</dt>
                <dd>{endedAt === undefined ? 'not yet' : <Instant at={endedAt} />}</dd>
              </dl>
              {last !== undefined && ending === undefined && (
                <progress value={last.fraction} max={1} aria-label="Progress" />
              )}
              {error !== undefined && (
                <div class="error">
                  <p class="message">
                    <b>{error.name}</b>: {error.message}
                  </p>
                  {error.stack !== undefined && (
                    <details>
                      <summary>Stack</summary>
                      <pre>{error.stack}</pre>
                    </details>
                  )}
                </div>
              )}
              {progress.length > 0 && (
                <ul class="progress">
                  {progress.slice(-30).map(({ at, fraction, note }) => (
                    <li key={`${at} ${fraction}`}>
                      <Instant at={at} /> {Math.round(fraction * 100)} % {note}
                    </li>
                  ))}
                </ul>
              )}
              {own.length > 0 && <Logs lines={own} run={run} />}
            </details>
            {retryAt !== undefined && endedAt !== undefined && (
              <p class="soft retry">↻ {showWait(retryAt - endedAt)} before the next</p>
            )}
          </li>
        );
      })}
    </ol>
  );
}

const mostLines = 500;

function Logs({ lines, run }: { readonly lines: readonly LogLine[]; readonly run: RunKey }) {
  return (
    <details class="logs" open>
      <summary>Logs ({lines.length})</summary>
      {lines.length > mostLines && <p class="soft">The last {mostLines} of them:</p>}
      <ol>
        {lines.slice(-mostLines).map(({ n, at, message, data }) => (
          <li key={n}>
            <time>{timeOfDay(new Date(at))}</time> <span>{message}</span>
            {data !== undefined && <ValueView value={data} run={run} seq={0} path="" />}
          </li>
        ))}
      </ol>
    </details>
  );
}
