import type { Told } from './stage.ts';

/** Draws what happened as a Mermaid sequence diagram: who called whom, what had an effect, and what went wrong. */
export function sequenceOf(told: readonly Told[], message: string): string {
  const names = new Map<string, string>();
  const nameOf = (name: string): string => {
    const known = names.get(name) ?? `p${names.size}`;
    names.set(name, known);
    return known;
  };
  const lines = told.map(({ from, to, text, kind, isFault }) => {
    const arrow = kind === 'fault' || isFault === true ? '-x' : kind === 'answer' ? '-->>' : '->>';
    return `${nameOf(from)}${arrow}${nameOf(to)}: ${plainText(text)}`;
  });
  const last = [...names.values()].at(-1) ?? nameOf('run');
  return [
    'sequenceDiagram',
    ...[...names].map(([name, short]) => `participant ${short} as ${plainText(name)}`),
    ...lines,
    `Note over ${last}: ${plainText(message)}`,
  ]
    .map((line, place) => (place === 0 ? line : `  ${line}`))
    .join('\n');
}

/** Writes characters that have a meaning in Mermaid as entities. */
function plainText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('`', '')
    .replaceAll(/[;#<>\p{Cc}]/gu, (char) => `#${char.charCodeAt(0)};`);
}
