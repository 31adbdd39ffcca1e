import { useState } from 'preact/hooks';
import type { RunKey, ValuePage } from '../../protocol.ts';
import { isStub, longText, showBytes, showValue } from '../run/value.ts';
import { showCount } from '../run/words.ts';
import { useSurroundings } from './context.ts';

/** The parts that are shown at a time. */
const step = 100;
/** The most bytes of a value whose first level is fetched as soon as it is shown. */
const mostAtOnce = 1_000_000;
/** The characters of a long text that are shown at a time. */
const textStep = 20_000;

interface Place {
  readonly run: RunKey;
  /** Of the entry that has the value. */
  readonly seq: number;
  /** JSON pointer into the entry. */
  readonly path: string;
}

/** A value of any size as a tree: a level is asked for and shown when it is opened. */
export function ValueView({ value, run, seq, path }: Place & { readonly value: unknown }) {
  const { backend } = useSurroundings();
  const bytes = isStub(value) ? value.$value.bytes : undefined;
  const address = bytes === undefined ? undefined : backend.valueAddress(run, seq, path);
  return (
    <div class="value">
      <ul>
        <Node name={undefined} value={value} place={{ run, seq, path }} isOpen={true} />
      </ul>
      {bytes !== undefined && (
        <p class="soft">
          {showBytes(bytes)} as JSON
          {address !== undefined && (
            <a href={address} download="value.json">
              Save
            </a>
          )}
        </p>
      )}
    </div>
  );
}

function Node({
  name,
  value,
  place,
  isOpen = false,
}: {
  readonly name: string | undefined;
  readonly value: unknown;
  readonly place: Place;
  readonly isOpen?: boolean;
}) {
  const shown = showValue(value, place.path);
  const hasLevels =
    (shown.parts !== undefined && shown.size > 0) || (shown.isAway && shown.kind !== 'string');
  const isLong = shown.kind === 'string' && (shown.isAway || shown.size > longText);
  // A huge value waits to be opened: what is not looked at is not fetched.
  const bytes = isStub(value) ? (value.$value.bytes ?? 0) : 0;
  const [open, setOpen] = useState(isOpen && !isLong && bytes < mostAtOnce);
  const label = name === undefined ? null : <span class="key">{name}:</span>;
  if (!hasLevels && !isLong) {
    return (
      <li>
        {label} <span class={`leaf ${shown.kind}`}>{shown.text}</span>
      </li>
    );
  }
  return (
    <li>
      <button type="button" class="open" aria-expanded={open} onClick={() => setOpen(!open)}>
        {label}{' '}
        <span class={`leaf ${shown.kind}`}>{isLong ? `${shown.text.slice(0, 80)}…` : shown.text}</span>
        {isLong && <span class="soft"> {showCount(shown.size)} characters</span>}
      </button>
      {open && (isLong ? <LongText value={value} place={place} /> : <Level value={value} place={place} />)}
    </li>
  );
}

/** The parts of a value, those that are here at once, else a page after another. */
function Level({ value, place }: { readonly value: unknown; readonly place: Place }) {
  const shown = showValue(value, place.path);
  const [count, setCount] = useState(step);
  if (shown.parts === undefined) return <FetchedLevel place={place} />;
  return (
    <ul>
      {shown.parts.slice(0, count).map(([key, part, path]) => (
        <Node key={path} name={key} value={part} place={{ ...place, path }} />
      ))}
      {shown.parts.length > count && (
        <More rest={shown.parts.length - count} onMore={() => setCount(count + step)} />
      )}
    </ul>
  );
}

function FetchedLevel({ place }: { readonly place: Place }) {
  const { pages, problem, isAsking, more } = usePages(place, step);
  const items = pages.flatMap((page) => page.items ?? []);
  const size = pages[0]?.size ?? 0;
  const [whole] = pages;
  return (
    <ul>
      {whole !== undefined && whole.items === undefined && (
        <li>
          <span class="leaf">{whole.text ?? showValue(whole.value, '').text}</span>
        </li>
      )}
      {items.map(([key, path, part]) => (
        <Node
          key={path}
          name={typeof key === 'string' ? key : showValue(key, '').text}
          value={part}
          place={{ ...place, path }}
        />
      ))}
      {isAsking && <li class="soft">Loading …</li>}
      {problem !== undefined && <li class="line bad">{problem}</li>}
      {!isAsking && items.length < size && items.length > 0 && (
        <More rest={size - items.length} onMore={more} />
      )}
    </ul>
  );
}

function LongText({ value, place }: { readonly value: unknown; readonly place: Place }) {
  if (typeof value === 'string') return <HereText text={value} />;
  return <FetchedText place={place} />;
}

function HereText({ text }: { readonly text: string }) {
  const [count, setCount] = useState(textStep);
  return (
    <>
      <pre class="text">{text.slice(0, count)}</pre>
      {text.length > count && (
        <ul>
          <More rest={text.length - count} onMore={() => setCount(count + textStep)} />
        </ul>
      )}
    </>
  );
}

function FetchedText({ place }: { readonly place: Place }) {
  const { pages, problem, isAsking, more } = usePages(place, textStep);
  const text = pages.map((page) => page.text ?? '').join('');
  const size = pages[0]?.size ?? 0;
  return (
    <>
      <pre class="text">{text}</pre>
      <ul>
        {isAsking && <li class="soft">Loading …</li>}
        {problem !== undefined && <li class="line bad">{problem}</li>}
        {!isAsking && text.length < size && <More rest={size - text.length} onMore={more} />}
      </ul>
    </>
  );
}

function More({ rest, onMore }: { readonly rest: number; readonly onMore: () => void }) {
  return (
    <li>
      <button type="button" class="more" onClick={onMore}>
        Show more ({showCount(rest)} left)
      </button>
    </li>
  );
}

/** Asks for the pages of a value one after another, the first at once. */
function usePages(
  { run, seq, path }: Place,
  count: number,
): { pages: readonly ValuePage[]; problem: string | undefined; isAsking: boolean; more: () => void } {
  const { backend } = useSurroundings();
  const [pages, setPages] = useState<readonly ValuePage[]>([]);
  const [problem, setProblem] = useState<string>();
  const [isAsking, setAsking] = useState(false);
  const more = (): void => {
    setAsking(true);
    setProblem(undefined);
    const from = pages.reduce((sum, page) => sum + (page.items?.length ?? page.text?.length ?? 0), 0);
    backend
      .value(run, seq, path, from, count)
      .then(
        (page) => setPages((before) => [...before, page]),
        (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
      )
      .finally(() => setAsking(false));
  };
  const [isBegun, begin] = useState(false);
  if (!isBegun) {
    begin(true);
    more();
  }
  return { pages, problem, isAsking, more };
}
