import { Problem } from '../problem.ts';

/**
 * Reads the JSON object in a request's body; an empty one without a body.
 *
 * @param maxBytes limit for reading
 * @throws Problem 400 for invalid JSON, 413, 415 for another type, 422 for JSON that is not an object
 */
export async function readBody(
  request: Request,
  maxBytes: number,
): Promise<Readonly<Record<string, unknown>>> {
  const value = await readValue(request, maxBytes);
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new Problem(422, 'The body must be a JSON object.', {
    errors: [{ pointer: '#', detail: 'must be an object' }],
  });
}

/**
 * Reads the JSON value in a request's body; `undefined` without a body.
 *
 * @param maxBytes limit for reading
 * @throws Problem 400 for invalid JSON, 413, 415 for another type
 */
export async function readValue(request: Request, maxBytes: number): Promise<unknown> {
  checkCoding(request.headers);
  const text = decode(await readBytes(request, maxBytes));
  if (text === '' && request.headers.get('content-type') === null) return undefined;
  checkType(request.headers);
  return text === '' ? undefined : parse(text);
}

function checkCoding(headers: Headers): void {
  const coding = headers.get('content-encoding');
  if (coding === null || coding.toLowerCase() === 'identity') return;
  throw new Problem(415, 'The body must not have a `content-encoding`.', {
    headers: { 'accept-encoding': 'identity' },
  });
}

function checkType(headers: Headers): void {
  const type = headers.get('content-type') ?? '';
  if (/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type)) return;
  throw new Problem(415, 'The body must be `application/json`, in UTF-8.', {
    headers: { accept: 'application/json' },
  });
}

async function readBytes({ headers, body }: Request, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new Problem(413, `The body may have at most ${maxBytes} bytes.`);
  if (Number(headers.get('content-length')) > maxBytes) throw tooLarge();
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  const reader = body.getReader();
  let size = 0;
  for (;;) {
    const chunk = await readChunk(reader);
    if (chunk === undefined) break;
    size += chunk.byteLength;
    if (size > maxBytes) {
      void discard(reader);
      throw tooLarge();
    }
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

async function readChunk(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return (await reader.read()).value;
  } catch {
    throw new Problem(400, 'The body ended early.');
  }
}

/**
 * Reads and discards the rest. Cancelling would be shorter, but a stream made by Node (`Readable.toWeb`), as some
 * servers pass it on, throws where nobody can catch it if a cancelled body continues.
 */
async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    while (!(await reader.read()).done);
  } catch {
    // The body ended early, which is an end too.
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Problem(400, 'The body is not UTF-8.');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, 'The body is not JSON.');
  }
}
