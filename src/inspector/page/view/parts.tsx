import type { ComponentChildren } from 'preact';
import { showCount, statusWords } from '../run/words.ts';
import { Glyph } from './marks.tsx';

/** Names with values; a pair of which the value is `undefined` is left out. */
export function Pairs({
  of,
}: {
  readonly of: readonly (readonly [name: string, value: ComponentChildren])[];
}) {
  return (
    <dl class="pairs">
      {of.map(
        ([name, value]) =>
          value !== undefined && [<dt key={`${name}:`}>{name}</dt>, <dd key={name}>{value}</dd>],
      )}
    </dl>
  );
}

/** A choice of one out of a few. */
export function Choice({
  label,
  value,
  of,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly of: readonly (readonly [value: string, text: string])[];
  readonly onChange: (value: string) => void;
}) {
  return (
    <label>
      <span aria-hidden="true">{label}</span>
      <select aria-label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {of.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A field to search in. */
export function Search({
  id,
  label,
  value,
  onChange,
}: {
  readonly id?: string;
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  return (
    <input
      id={id}
      type="search"
      placeholder={label}
      aria-label={label}
      value={value}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  );
}

/** A box to tick. */
export function Tick({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: boolean;
  readonly onChange: (value: boolean) => void;
}) {
  return (
    <label class="check">
      <input type="checkbox" checked={value} onChange={(event) => onChange(event.currentTarget.checked)} />
      {label}
    </label>
  );
}

/** Statuses with their counts, each of which can be filtered by. Those that do not occur are left out. */
export function StatusFilter({
  of,
  chosen,
  onChange,
}: {
  readonly of: readonly (readonly [status: string, count: number])[];
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
}) {
  return (
    <ul class="chips" aria-label="Filter by status">
      {of.map(([status, count]) => {
        const isOn = chosen.includes(status);
        if (count === 0 && !isOn) return null;
        return (
          <li key={status}>
            <button
              type="button"
              class={`chip ${status}`}
              aria-pressed={isOn}
              onClick={() => onChange(isOn ? chosen.filter((each) => each !== status) : [...chosen, status])}
            >
              <Glyph status={status} />
              <b>{showCount(count)}</b> {statusWords(status)}
            </button>
          </li>
        );
      })}
    </ul>
  );
}

/** A part of a panel with its heading. */
export function Part({
  title,
  badge,
  label = title,
  children,
}: {
  readonly title: ComponentChildren;
  readonly badge?: ComponentChildren;
  readonly label?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <section aria-label={String(label)}>
      <h3>
        {title} {badge !== undefined && <span class="badge">{badge}</span>}
      </h3>
      {children}
    </section>
  );
}
