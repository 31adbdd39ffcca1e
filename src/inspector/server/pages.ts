import { Problem, safeHeaders } from '../../http/problem.ts';
import type { PageFiles } from '../page-files.ts';

/** The policy of the page: it loads and asks nothing but its own server, and no other page may frame it. */
function policyAt(host: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    // Some browsers take `'self'` for no WebSocket.
    `connect-src 'self' ws://${host} wss://${host}`,
    "img-src 'self' data:",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Headers of everything that the inspector sends. */
export const inspectorHeaders: Readonly<Record<string, string>> = {
  ...safeHeaders,
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

/** Answers with the page. */
export async function pageResponse(
  files: PageFiles,
  host: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  return new Response(await files.html(), {
    headers: {
      ...inspectorHeaders,
      ...headers,
      'content-security-policy': policyAt(host),
      'content-type': 'text/html; charset=utf-8',
      'cross-origin-opener-policy': 'same-origin',
    },
  });
}

/** Answers with a file of the page. */
export async function fileResponse(files: PageFiles, name: string): Promise<Response> {
  const file = await files.file(name);
  if (file === undefined) throw new Problem(404, 'The page has no such file.');
  const body = file.bytes as Uint8Array<ArrayBuffer>;
  return new Response(body, { headers: { ...inspectorHeaders, 'content-type': file.type } });
}

/** Tells a person who has opened the page without the token where to find it. */
export function refusalPage(): Response {
  const text = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>topple inspect</title>
<h1>This address lacks its token</h1>
<p>Open the address that the inspector printed when it started. After a restart that is another one.</p>
</html>
`;
  const headers = { ...inspectorHeaders, 'content-type': 'text/html; charset=utf-8' };
  return new Response(text, { status: 403, headers });
}
