import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Problem } from '../../http/problem.ts';
import { soon } from '../../http/requests-first.ts';
import { undoIdOf } from '../../model/child-id.ts';
import { protocolVersion, type RecordedPart, type Recording, type SourceInfo } from '../protocol.ts';
import { rowTypes, unpackedRows } from '../rows.ts';
import type { ShownRun } from '../sources/source.ts';
import { inspectorHeaders } from './pages.ts';
import type { InspectorParts } from './parts.ts';

/** Bytes of values that are put whole into one file, about. */
const maxValues = 16 * 1_024 * 1_024;
/** Entries of child runs that are put into one file. */
const maxChildEntries = 200_000;

const doneType = rowTypes.indexOf('task.done');
const compensatingType = rowTypes.indexOf('run.compensating');

const zip = promisify(gzip);

/** Answers with one HTML file that shows a run from disk. */
export async function exportRun(parts: InspectorParts, run: ShownRun): Promise<Response> {
  const html = await exportedFile(parts, await recordingOf(parts, run));
  const name = `${run.listed().flow}-${run.id}`.replaceAll(/[^\w.-]+/g, '_').slice(0, 100);
  return new Response(html, {
    headers: {
      ...inspectorHeaders,
      'content-type': 'text/html; charset=utf-8',
      'content-disposition': `attachment; filename="${name}.html"`,
    },
  });
}

/** All that is shown of a run and of the runs below it, as a file has it. */
export async function recordingOf({ version, sources }: InspectorParts, run: ShownRun): Promise<Recording> {
  const { source } = run.listed();
  const left = { valueBytes: maxValues, entries: maxChildEntries };
  const main = await partOf(run, left);
  const children: Record<string, RecordedPart> = Object.create(null);
  let leftOut = 0;
  const open = childIdsOf(main);
  for (let id = open.shift(); id !== undefined; id = open.shift()) {
    const child = await sources.get(source)?.open(id);
    if (child === undefined) continue;
    if (child.seq > left.entries) {
      leftOut++;
      continue;
    }
    left.entries -= child.seq;
    const part = await partOf(child, left);
    children[id] = part;
    open.push(...childIdsOf(part));
  }
  return {
    version: protocolVersion,
    topple: version,
    exportedAt: Date.now(),
    source: sources.get(source)?.info() as SourceInfo,
    ...main,
    ...(Object.keys(children).length === 0 ? {} : { children }),
    ...(leftOut === 0 ? {} : { leftOut }),
  };
}

/** The runs right below a run, among them those that undo it. */
function childIdsOf({ structure, feed }: RecordedPart): string[] {
  const ids = new Set(Object.values(structure.children ?? {}).map(({ id }) => id));
  let undos = 0;
  for (const line of feed) {
    if (!('entries' in line)) continue;
    for (const row of line.entries.rows)
      if (row[0] === compensatingType) ids.add(undoIdOf(structure.id, ++undos));
  }
  return [...ids];
}

/** One run. What it holds is taken off from what is left. */
async function partOf(run: ShownRun, left: { valueBytes: number }): Promise<RecordedPart> {
  const structure = run.structure();
  const feed: Recording['feed'][number][] = [];
  const end = run.seq;
  for (let seq = 0; seq < end; ) {
    const batch = run.read(seq);
    if (batch.to <= seq) break;
    seq = batch.to;
    const { gap, entries } = batch;
    if (gap !== undefined) feed.push({ gap });
    if (entries !== undefined) feed.push({ entries: JSON.parse(Buffer.concat(entries).toString()) });
    await new Promise<void>(soon);
  }
  const { lines, dropped } = run.logs(0);
  if (lines.length > 0 || dropped > 0) feed.push({ logs: lines, dropped });
  feed.push({ end: { seq: end, isSettled: run.isSettled } });
  return { structure: { ...structure, commands: [] }, feed, values: await valuesOf(run, feed, left) };
}

/** The values that stand as stubs in a feed, as far as they fit. */
async function valuesOf(
  run: ShownRun,
  feed: Recording['feed'],
  left: { valueBytes: number },
): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const line of feed) {
    if (!('entries' in line)) continue;
    for (const [index, row] of unpackedRows(line.entries.rows).entries()) {
      for (const { pointer, bytes } of stubsIn(row)) {
        if (bytes > left.valueBytes) continue;
        const seq = line.entries.from + index;
        try {
          const text = await run.whole({ seq, pointer });
          left.valueBytes -= text.length;
          if (left.valueBytes >= 0) values[`${seq}:${pointer}`] = JSON.parse(text);
        } catch (error) {
          // Too large, or gone with its program: the stub says what it was.
          if (!(error instanceof Problem)) throw error;
        }
      }
    }
  }
  return values;
}

/** Stubs in the place of whole values of an entry: of an output, or of a field. */
function stubsIn(row: readonly unknown[]): readonly { readonly pointer: string; readonly bytes: number }[] {
  // Behind the output of a task whose body is a run stand that run's counts.
  const last = row[0] === doneType ? row[4] : row.at(-1);
  if (typeof last !== 'object' || last === null) return [];
  const fields: readonly (readonly [string, unknown])[] =
    '$value' in last ? [['output', last]] : Object.entries(last);
  return fields.flatMap(([field, value]) => {
    const facts = (value as { readonly $value?: { readonly bytes?: unknown } } | null)?.$value;
    return typeof facts?.bytes === 'number' ? [{ pointer: `/${field}`, bytes: facts.bytes }] : [];
  });
}

/**
 * The page with a recording in it. Its policy allows its own script and style, by their hashes, and nothing else: what
 * stands in the recording is data, base64, whatever it says.
 */
export async function exportedFile(
  { files }: Pick<InspectorParts, 'files'>,
  recording: Recording,
): Promise<string> {
  const html = await files.html();
  const [script, style] = await Promise.all(
    ['page-in-file.js', 'page.css'].map(async (name) => textOf(await files.file(name))),
  );
  const code = inScript(script ?? '');
  const css = (style ?? '').replaceAll(/<\/(style)/gi, '<\\/$1');
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(code)}'`,
    `style-src '${hashOf(css)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const data = (await zip(JSON.stringify(recording), { level: 9 })).toString('base64');
  const head = [
    `<meta http-equiv="content-security-policy" content="${policy}">`,
    `<style>${css}</style>`,
  ].join('\n');
  const tail = [
    `<script type="application/json" id="topple-export">${data}</script>`,
    `<script type="module">${code}</script>`,
  ].join('\n');
  return withoutFiles(html)
    .replace(/<meta charset[^>]*>/i, (charset) => `${charset}\n${head}`)
    .replace(/<\/body>|<\/html>|$/i, (end) => `${tail}\n${end}`);
}

/** A page without the script and the style sheet that it would load. */
function withoutFiles(html: string): string {
  return html
    .replaceAll(/<script\b[^>]*\bsrc=[^>]*><\/script>\s*/gi, '')
    .replaceAll(/<link\b[^>]*\bstylesheet\b[^>]*>\s*/gi, '');
}

/** Code that neither ends its script element nor begins a comment, wherever such text stands in it. */
function inScript(code: string): string {
  return code.replaceAll(/<(\/script|!--)/gi, '\\x3c$1');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function textOf(file: { readonly bytes: Uint8Array } | undefined): string {
  return file === undefined ? '' : new TextDecoder().decode(file.bytes);
}
