import type { Told } from './stage.ts';

/** Tells what happened: what went wrong each by itself, and what went as planned in between together. */
export function storyOf(told: readonly Told[], world: object, message: string): readonly string[] {
  const story: string[] = [];
  let planned: string[] = [];
  /** Whether the last of them is that time has passed. */
  let isTime = false;
  const flush = (): void => {
    if (planned.length > 0) story.push(joined(planned));
    planned = [];
    isTime = false;
  };
  for (const one of told) {
    const { kind, isFault } = one;
    if (kind === 'fault' || kind === 'command' || isFault === true) {
      flush();
      story.push(sentenceOf(one));
    } else if (kind === 'time' && isTime) planned[planned.length - 1] = phraseOf(one);
    else if (
      kind === 'time' ||
      kind === 'effect' ||
      kind === 'run' ||
      kind === undefined ||
      (kind === 'body' && !one.text.startsWith('starts'))
    )
      planned.push(phraseOf(one));
    else continue;
    isTime = kind === 'time';
  }
  flush();
  story.push(`${message}. The world: ${shownWorld(world)}`);
  return story;
}

/** Planned things that are told one by one; of more, the last ones are. */
const mostPhrases = 4;

function joined(phrases: readonly string[]): string {
  const left = phrases.length - mostPhrases;
  const text = left <= 1 ? phrases.join('; ') : `after ${left} other steps ${phrases.slice(left).join('; ')}`;
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

function sentenceOf(told: Told): string {
  return joined([phraseOf(told)]);
}

function phraseOf({ from, to, text, kind }: Told): string {
  if (kind === 'command' || kind === 'run' || kind === 'time')
    return /^(the|a) /.test(text) || kind !== 'command' ? text : `somebody ${text}`;
  if (kind === 'effect') return `${to}.${text}`;
  if (kind === 'answer') return `${text} on its way to \`${to}\``;
  if (kind === undefined) return `\`${from}\` calls ${to}.${text}`;
  return `\`${from === 'run' ? to : from}\` ${text}`;
}

/** The data of the services, one line. */
function shownWorld(world: object): string {
  return Object.entries(world)
    .map(([name, value]) => `${name} ${shown(value)}`)
    .join(', ');
}

function shown(value: unknown): string {
  try {
    const text = JSON.stringify(value, (_, inner: unknown) => {
      if (inner instanceof Map) return Object.fromEntries(inner);
      return inner instanceof Set ? [...inner] : inner;
    });
    return text === undefined ? String(value) : text.length > 200 ? `${text.slice(0, 199)}…` : text;
  } catch {
    return String(value);
  }
}
