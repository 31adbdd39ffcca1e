/** One finding about a request, an extension of RFC 9457. */
export interface ProblemFinding {
  /** JSON pointer into the body, as a URI fragment: `#/taskIds/0`. */
  readonly pointer: string;
  readonly detail: string;
}

export interface ProblemOptions {
  /** Headers of the response: `allow`, `retry-after`, `www-authenticate`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly errors?: readonly ProblemFinding[] | undefined;
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** A reason to refuse a request. The client gets the message as `detail`, and nothing else. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly options: ProblemOptions;

  constructor(status: number, detail: string, options: ProblemOptions = {}) {
    super(detail);
    this.status = status;
    this.options = options;
  }
}

/** Headers of every response: no cache may store it, and no browser may guess its type. */
export const safeHeaders: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
};

/** Makes a text response of known length, so that it need not be sent in chunks. */
export function textResponse(
  text: string,
  status: number,
  headers: Readonly<Record<string, string>>,
): Response {
  const bytes = new TextEncoder().encode(text);
  const all = { ...safeHeaders, ...headers, 'content-length': String(bytes.byteLength) };
  return new Response(bytes, { status, headers: all });
}

/** Makes a response of RFC 9457: `application/problem+json` with `title`, `status`, `detail` and perhaps `errors`. */
export function problemResponse({ status, message, options: { headers, errors } }: Problem): Response {
  const title = titles[status] ?? 'Error';
  const body = { type: 'about:blank', title, status, detail: message, ...(errors && { errors }) };
  return textResponse(JSON.stringify(body), status, {
    ...headers,
    'content-type': 'application/problem+json',
  });
}
