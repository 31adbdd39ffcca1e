import { Problem } from '../problem.ts';

/**
 * Checks that a client accepts the type of the response: the most specific range of `accept` decides, as in RFC 9110.
 *
 * @throws Problem 406
 */
export function checkAccept({ headers }: Request, type: string): void {
  const accept = headers.get('accept');
  if (accept === null || accept.trim() === '') return;
  const wanted = [type, `${type.split('/')[0]}/*`, '*/*'];
  const qualities = new Map<string, number>();
  for (const range of accept.split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
    qualities.set(name, Math.max(Number(quality) || 0, qualities.get(name) ?? 0));
  }
  const quality = wanted.map((range) => qualities.get(range)).find((found) => found !== undefined);
  if (quality === undefined || quality === 0)
    throw new Problem(406, `This resource is only available as \`${type}\`.`);
}
