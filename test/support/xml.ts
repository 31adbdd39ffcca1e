/** An element of an XML document, and the text right after its opening tag. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
}

/** The elements of a document in the order of their opening tags. Throws where it is not well-formed. */
export function elementsOf(xml: string): Element[] {
  if (!xml.isWellFormed()) throw new Error('a surrogate stands alone');
  const control = /[^\t\n\r\P{Cc}]|[\ufffe\uffff]/u.exec(xml);
  if (control) throw new Error(`no XML may have the character at ${control.index}`);
  const elements: Element[] = [];
  const open: string[] = [];
  const tag = /<(\/?)([\w:-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|<|>/g;
  let end = 0;
  for (const match of xml.matchAll(tag)) {
    const [whole, closes, name = '', attributes = '', empty] = match;
    if (whole.length === 1)
      throw new Error(
        `\`${whole}\` stands alone at ${match.index}: ${xml.slice(match.index, match.index + 40)}`,
      );
    end = match.index + whole.length;
    if (closes) {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing at ${match.index}`);
      continue;
    }
    const text = xml.slice(end, xml.indexOf('<', end));
    elements.push({
      name,
      attributes: Object.fromEntries(
        Array.from(attributes.matchAll(/([\w:-]+)="([^"]*)"/g), ([, key = '', value = '']) => [
          key,
          decode(value),
        ]),
      ),
      text: decode(text),
    });
    if (!empty) open.push(name);
  }
  if (open.length > 0) throw new Error(`<${open.at(-1)}> is not closed`);
  if (xml.slice(end).trim() !== '') throw new Error('something stands after the end');
  return elements;
}

function decode(text: string): string {
  const rest = text.replaceAll(/&(amp|lt|gt|quot);/g, '');
  if (rest.includes('&')) throw new Error(`an ampersand stands alone: ${text}`);
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}
