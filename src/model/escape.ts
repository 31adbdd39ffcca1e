/** Maximum number of characters shown; a longer text loses its middle. */
const maxShown = 2_000;

/** The number of these characters that are the text's end. */
const tailShown = 400;

/** Matches nearly all texts, which need no escapes. */
const plainText = /^[\x20-\x7e]*$/;

/**
 * Control characters, those that turn the direction of writing, and invisible ones, which make different ids look the
 * same. Joiners and variation selectors stay where they shape visible text, as in emoji.
 */
const unseen =
  /(?<=^|\p{ASCII}|\u200c|\u200d)(?:\u200c|\u200d)|(?<=^|\p{DI}|(?![\d#*])\p{ASCII})[\ufe00-\ufe0f]|(?!\u200c|\u200d|[\ufe00-\ufe0f])[\p{Cc}\p{Cs}\p{DI}\u2028\u2029\ufff9-\ufffb]/gu;

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Makes any text, such as an id or an error's message, safe for a terminal: one line, with invisible characters
 * escaped. A text of more than 2,000 characters loses its middle.
 */
export function escapeControls(text: string): string {
  return escapeAll(text.length > maxShown ? cutMiddle(text, maxShown, tailShown) : text);
}

/** Makes a text of several lines safe for a terminal, without shortening lines. */
export function escapeLines(text: string): string {
  return text.split('\n').map(escapeAll).join('\n');
}

/** The same JSON, with invisible characters escaped. */
export function escapeJson(json: string): string {
  return json.replace(/[^\x20-\x7e\n]+/g, (part) =>
    part.replace(unseen, (character) => character.split('').map(escapeUnit).join('')),
  );
}

/** The text's beginning, `…` and its last `tail` characters, `most` in all. Splits no surrogate pair. */
export function cutMiddle(text: string, most: number, tail: number): string {
  if (text.length <= most) return text;
  const head = text.slice(0, most - tail - 1).replace(/[\ud800-\udbff]$/, '');
  return `${head}…${text.slice(-tail).replace(/^[\udc00-\udfff]/, '')}`;
}

function escapeAll(text: string): string {
  if (plainText.test(text)) return text;
  return text.replace(unseen, (character) => {
    const code = character.codePointAt(0) as number;
    return escapes[character] ?? (code > 0xffff ? `\\u{${code.toString(16)}}` : escapeUnit(character));
  });
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
