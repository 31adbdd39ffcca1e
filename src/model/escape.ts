/** Longer than anybody reads on: of such a text the middle is left out. Characters. */
const maxShown = 2_000;

/** The part of `maxShown` that is the text's end. */
const tailShown = 400;

/** Nearly all texts, in which there is nothing to do. */
const plainText = /^[\x20-\x7e]*$/;

/**
 * What a terminal obeys, what turns the direction of writing, and what nobody sees: two ids that differ in it look the
 * same. Joiners and variation selectors stay where they shape what is seen, as in emoji.
 */
const unseen =
  /(?<=^|\p{ASCII}|\u200c|\u200d)(?:\u200c|\u200d)|(?<=^|\p{DI}|(?![\d#*])\p{ASCII})[\ufe00-\ufe0f]|(?!\u200c|\u200d|[\ufe00-\ufe0f])[\p{Cc}\p{Cs}\p{DI}\u2028\u2029\ufff9-\ufffb]/gu;

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * A text from anywhere, such as an id or the message of an error, as a terminal may be sent it: in one line, with what
 * is unseen made visible. What is longer than 2,000 characters loses its middle.
 */
export function escapeControls(text: string): string {
  return escapeAll(text.length > maxShown ? cutMiddle(text, maxShown, tailShown) : text);
}

/** The same of a text that is lines already, which keep their lengths. */
export function escapeLines(text: string): string {
  return text.split('\n').map(escapeAll).join('\n');
}

/** JSON that says the same, with escapes for what is unseen. */
export function escapeJson(json: string): string {
  return json.replace(/[^\x20-\x7e\n]+/g, (part) =>
    part.replace(unseen, (character) => character.split('').map(escapeUnit).join('')),
  );
}

/** The text's beginning, `…` and so many characters of its end, cutting no pair of surrogates. */
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
