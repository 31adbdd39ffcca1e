import { Problem, textResponse } from '../../http/problem.ts';
import { readQuery } from '../../http/runs/route.ts';
import type { ShownRun } from '../sources/source.ts';
import { inspectorHeaders } from './pages.ts';
import { readCount } from './read-count.ts';

const json = { ...inspectorHeaders, 'content-type': 'application/json' };

/** Answers with one level of a value, or with all of it, or a range of that. */
export async function valueResponse(
  run: ShownRun,
  search: URLSearchParams,
  headers: Headers,
): Promise<Response> {
  const { seq, path, from, count, whole } = readQuery(search, ['seq', 'path', 'from', 'count', 'whole']);
  if (seq === undefined || path === undefined) throw new Problem(400, '`seq` and `path` are needed.');
  const query = { seq: readCount(seq, 0, Number.MAX_SAFE_INTEGER, 'seq'), pointer: path };
  if (whole === '1') return rangeOf(await run.whole(query), headers.get('range'));
  const most = Number.MAX_SAFE_INTEGER;
  const part = {
    from: readCount(from, 0, most, 'from'),
    ...(count === undefined ? {} : { count: readCount(count, 0, most, 'count') }),
  };
  return textResponse(JSON.stringify(await run.page({ ...query, ...part })), 200, json);
}

/** The bytes of a text that a request asks for: all, or one range. */
function rangeOf(text: string, range: string | null): Response {
  const bytes = new TextEncoder().encode(text);
  const size = bytes.byteLength;
  const headers = { ...json, 'accept-ranges': 'bytes' };
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === '' && last === '') return new Response(bytes, { headers });
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (start > end) {
    const problem = 'The value has no such bytes.';
    return new Response(problem, {
      status: 416,
      headers: { ...inspectorHeaders, 'content-range': `bytes */${size}` },
    });
  }
  const part = bytes.slice(start, end + 1);
  return new Response(part, {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${start}-${end}/${size}` },
  });
}
