/** Reads the lines of a stream of JSON texts, in batches as they come. Throws for a line that is no JSON. */
export async function* readLines<Line>(body: ReadableStream<Uint8Array>): AsyncGenerator<Line[]> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    const batch = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Line);
    if (batch.length > 0) yield batch;
  }
  if (rest.trim() !== '') yield [JSON.parse(rest) as Line];
}
