import { Problem } from '../problem.ts';

/** The used part of the bindings that a Node adapter passes. */
interface NodeBindings {
  readonly incoming?:
    | { readonly socket?: { readonly localAddress?: string | undefined } | null | undefined }
    | undefined;
}

/**
 * Refuses a request for a host that is not allowed. A page can make its own name lead to this machine: the browser then
 * takes the server for the page's own, and only the name in the request reveals that it is not.
 *
 * @param allowed host names, with a port or for any port; `any` for all. Default: loopback names, if the request
 * arrived at a loopback address; else all
 * @param node the bindings of the request's adapter, if it has any
 * @throws Problem 403
 */
export function checkHost(
  { url }: Request,
  allowed: readonly string[] | 'any' | undefined,
  node: unknown,
): void {
  const { host, hostname } = new URL(url);
  const isAllowed =
    allowed === undefined
      ? !isLoopback((node as NodeBindings | undefined)?.incoming?.socket?.localAddress) ||
        isLoopbackName(hostname)
      : allowed === 'any' || allowed.includes(host) || allowed.includes(hostname);
  if (!isAllowed) throw new Problem(403, 'Runs are not shown under this host name (`allowedHosts`).');
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(::1$|(::ffff:)?127\.)/i.test(address);
}

function isLoopbackName(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])\.?$/i.test(hostname);
}
