/** A request that must be refused, as bytes on the wire. */
export interface BadRequest {
  readonly name: string;
  readonly bytes: Buffer;
  /** What is answered; without it, some 4xx. */
  readonly status?: number | undefined;
}

interface Parts {
  readonly method?: string;
  readonly target: string;
  readonly headers?: readonly string[];
  readonly body?: string | Buffer;
  readonly status?: number | undefined;
}

/** The run that the client may see. Its id stands in addresses as it is. */
export const visibleId = 'mine';
/** Id, flow, and outputs of the runs that it may not see all have this in them. */
export const secret = 'hush';

const json = 'content-type: application/json';
const run = `/runs/${visibleId}`;
const commands = ['cancel', 'pause', 'resume', 'rerun'] as const;
const readings = ['', '/events'] as const;
const endings = [...readings, ...commands.map((command) => `/${command}`)];

/** Every bad request there is here: each group is a list crossed with the places where it matters. */
export function badRequests(token: string): BadRequest[] {
  const seen = new Set<string>();
  return [
    ...badIds(),
    ...badPaths(),
    ...badMethods(),
    ...badQueries(),
    ...badLastEventIds(),
    ...badAccepts(),
    ...badTypes(),
    ...badBodies(),
    ...badLines(),
    ...badCredentials(),
  ].flatMap(({ method = 'GET', target, headers = [], body = '', status }) => {
    const own = headers.some((header) => /^authorization:/i.test(header));
    const hasLength = headers.some((header) => /^(content-length|transfer-encoding):/i.test(header));
    const lines = [
      `${method} ${target} HTTP/1.1`,
      ...(headers.some((header) => /^host:/i.test(header)) ? [] : ['host: localhost']),
      'connection: close',
      ...(own ? [] : [`authorization: Bearer ${token}`]),
      ...headers.filter((header) => header !== 'authorization:'),
      ...(hasLength || body.length === 0 ? [] : [`content-length: ${Buffer.byteLength(body)}`]),
    ];
    const bytes = Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body)]);
    const key = bytes.toString('latin1');
    if (seen.has(key)) return [];
    seen.add(key);
    const name = `${method} ${target} ${headers.join(' ')} ${body.toString('latin1')}`.slice(0, 120);
    return [{ name, bytes, status }];
  });
}

function* badIds(): Generator<Parts> {
  const unknown = [
    ...[
      'nobody',
      '0',
      '-1',
      'null',
      'undefined',
      'NaN',
      '__proto__',
      'constructor',
      'hasOwnProperty',
      'toString',
    ],
    ...[
      'Mine',
      'mine%20',
      '%20mine',
      'mine.',
      '*',
      '%2A',
      '%25',
      "'%20or%201=1--",
      '%3Cscript%3E',
      '$%7B1%7D',
    ],
    ...[
      '00000000-0000-0000-0000-000000000000',
      '%F0%9F%81%A3',
      'mine%2Fevents',
      '..%2Fmine',
      '%2Fmine',
      'mine%5C',
    ],
    ...[`${secret}-1`, `${secret}-2`, `.%2F${secret}-1`, `${secret}-1%2F`, 'x'.repeat(4_096)],
  ];
  for (const id of unknown)
    for (const ending of readings) yield { target: `/runs/${id}${ending}`, status: 404 };
  for (const id of unknown.slice(-8)) {
    for (const command of commands) yield { method: 'POST', target: `/runs/${id}/${command}`, status: 404 };
  }
  const impossible = [
    '%',
    '%zz',
    '%0',
    '%ff',
    '%c3%28',
    '%ed%a0%80',
    '%00',
    'mine%00',
    'a%0d%0aset-cookie:x',
    '%7f',
    '%1b%5b2J',
    'x'.repeat(4_097),
  ];
  for (const id of impossible)
    for (const ending of ['', '/events']) yield { target: `/runs/${id}${ending}`, status: 400 };
}

function* badPaths(): Generator<Parts> {
  const paths = [
    ...[
      '/runs/',
      '/runs//',
      '//runs',
      '/runs//mine',
      '/Runs',
      '/RUNS/mine',
      '/runs.json',
      '/runs;x',
      '/runs%2Fmine',
    ],
    ...[
      '/runs/mine/',
      '/runs/mine//events',
      '/runs/mine/Events',
      '/runs/mine/events/',
      '/runs/mine/events/1',
    ],
    ...['/runs/mine/event%73', '/runs/mine/../..', '/runs/../etc/passwd', '/runs/%2e%2e/%2e%2e/etc/passwd'],
    ...[
      '/runs/mine/..%2f..%2fetc',
      '/runs/..;/runs/mine',
      '/runs\\mine',
      '/%72uns2',
      '/run',
      '/runsx',
      '/runs/mine/tasks',
    ],
    ...[
      '//evil.example/runs',
      '/runs/mine/.',
      '/runs/.',
      '/runs/mine/delete',
      '/runs/mine/__proto__',
      '/runs/mine/constructor',
    ],
  ];
  for (const target of paths) yield { target };
  for (const target of ['/runs/', '/runs/mine/', '/runs//cancel', '/runs/mine/stop'])
    yield { method: 'POST', target, status: 404 };
  yield { target: `/runs/${'x'.repeat(9_000)}`, status: 414 };
  yield { target: `/runs?after=${'x'.repeat(9_000)}`, status: 414 };
  yield { target: `/runs/${'x'.repeat(20_000)}` };
}

function* badMethods(): Generator<Parts> {
  for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'POST', 'TRACE', 'PROPFIND', 'PURGE']) {
    yield { method, target: '/runs' };
    for (const ending of endings) {
      if (method !== 'POST' || ending === '' || ending === '/events') yield { method, target: run + ending };
    }
  }
  for (const command of commands) {
    for (const method of ['GET', 'HEAD']) yield { method, target: `${run}/${command}`, status: 405 };
  }
  for (const method of ['BREW', 'get', 'GE T', 'G\u00c4T']) yield { method, target: '/runs' };
}

function* badQueries(): Generator<Parts> {
  const lists = [
    ...[
      'limit=0',
      'limit=-1',
      'limit=201',
      'limit=1e2',
      'limit=',
      'limit=ten',
      'limit=1.5',
      'limit=0x10',
      'limit=%31%00',
    ],
    ...[
      'limit=1&limit=2',
      'limit=99999999999999999999',
      'limit[]=1',
      'status=running&status=running',
      'status=',
      'status=DONE',
    ],
    ...[
      'status=pending',
      'status=__proto__',
      'settled=1',
      'settled=',
      'settled=TRUE',
      'settled=true&settled=false',
    ],
    ...[
      'after=',
      'after=mine',
      'after=_',
      'after=1_',
      'after=-1_a',
      'after=1e5_a',
      'after=NaN_a',
      'after=1_a&after=1_b',
    ],
    ...[
      'flow=a&flow=b',
      'Limit=1',
      'order=desc',
      '__proto__=1',
      'constructor=1',
      'a',
      '=',
      '%00=1',
      'limit=%ff',
      'limit=1;status=done',
    ],
    ...[`q=${secret}`, 'callback=alert(1)', 'limit=1%0d%0ax:y'],
  ];
  for (const query of lists) yield { target: `/runs?${query}`, status: 400 };
  for (const ending of endings) {
    const method = ending === '' || ending === '/events' ? 'GET' : 'POST';
    for (const query of ['a=1', 'token=x', 'lastEventId=1'])
      yield { method, target: `${run}${ending}?${query}`, status: 400 };
  }
}

function* badLastEventIds(): Generator<Parts> {
  const ids = [
    '-1',
    '+1',
    '1.0',
    '01',
    '0x1',
    '1e3',
    'abc',
    '1 2',
    '1,2',
    '999999',
    '99999999999999999999',
    'NaN',
    'Infinity',
    '\u00b2',
    '1;2',
    "1'--",
    '__proto__',
  ];
  for (const id of ids) yield { target: `${run}/events`, headers: [`last-event-id: ${id}`], status: 400 };
  yield { target: `${run}/events`, headers: ['last-event-id: 1', 'last-event-id: 2'], status: 400 };
  yield { target: `${run}/events`, headers: ['last-event-id:'], status: 400 };
}

function* badAccepts(): Generator<Parts> {
  for (const accept of [
    'text/html',
    'text/event-stream',
    'application/json;q=0',
    '*/*;q=0',
    'image/*',
    'json',
    ';;;',
    'application/xml, text/*;q=0.5',
  ]) {
    for (const target of ['/runs', run]) yield { target, headers: [`accept: ${accept}`], status: 406 };
  }
  for (const accept of ['application/json', 'text/html', 'text/event-stream;q=0', 'text/*;q=0.0']) {
    yield { target: `${run}/events`, headers: [`accept: ${accept}`], status: 406 };
  }
}

function* badTypes(): Generator<Parts> {
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'json',
    'application/jsonp',
    'application/json; charset=utf-16',
    'application/json, text/plain',
    'application/json+x',
    '',
  ];
  for (const type of types) {
    for (const command of ['cancel', 'pause']) {
      yield {
        method: 'POST',
        target: `${run}/${command}`,
        headers: [`content-type: ${type}`],
        body: '{}',
        status: 415,
      };
    }
  }
  yield { method: 'POST', target: `${run}/pause`, body: '{}', status: 415 };
  for (const coding of ['gzip', 'br', 'identity, gzip', 'x']) {
    yield {
      method: 'POST',
      target: `${run}/pause`,
      headers: [json, `content-encoding: ${coding}`],
      body: '{}',
      status: 415,
    };
  }
}

function* badBodies(): Generator<Parts> {
  const post = (command: string, body: string | Buffer, status: number): Parts => ({
    method: 'POST',
    target: `${run}/${command}`,
    headers: [json],
    body,
    status,
  });
  const noJson = [
    '{',
    '}',
    '{"reason":}',
    '{reason:1}',
    "{'reason':'x'}",
    '{"a":1}{"a":2}',
    'undefined',
    'NaN',
    '\ufeff{}x',
    '{"reason":"\n"}',
    '{"reason":"\\x"}',
    '[',
    '"',
    '\0',
    '{"a":1,}',
    '<x/>',
    'a=1',
  ];
  for (const body of noJson) yield post('cancel', body, 400);
  for (const bytes of [
    [0xff],
    [0xc3, 0x28],
    [0xed, 0xa0, 0x80],
    [0x7b, 0x22, 0x80, 0x22, 0x7d],
    [0xf8, 0x88, 0x80, 0x80, 0x80],
  ]) {
    yield post('rerun', Buffer.from(bytes), 400);
  }
  for (const body of [
    '[]',
    'null',
    '1',
    '"x"',
    'true',
    '[[]]',
    '1e999',
    '[{"reason":"x"}]',
    '['.repeat(9_000) + ']'.repeat(9_000),
  ]) {
    for (const command of ['cancel', 'pause']) yield post(command, body, 422);
  }
  const deep = `{"reason":${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}}`;
  const reasons = [
    '1',
    'null',
    '[]',
    '{}',
    'true',
    '{"toString":1}',
    JSON.stringify('x'.repeat(1_001)),
    '["x"]',
    '{"__proto__":{}}',
  ];
  for (const reason of reasons) yield post('cancel', `{"reason":${reason}}`, 422);
  yield post('cancel', deep, 422);
  for (const key of [
    'reasons',
    'Reason',
    '__proto__',
    'constructor',
    '',
    'taskIds',
    'id',
    'status',
    'x'.repeat(2_000),
  ]) {
    for (const command of ['cancel', 'pause', 'resume'])
      yield post(command, JSON.stringify({ [key]: 1 }).replace('{}', '{"__proto__":1}'), 422);
  }
  const lists = [
    '1',
    'null',
    '"a"',
    '{}',
    '[]',
    '[1]',
    '[null]',
    '[["a"]]',
    '["a",1]',
    '["nobody"]',
    '["a","nobody"]',
    '["__proto__"]',
    '["A"]',
    '[""]',
    '["a\\u0000"]',
    '[{}]',
    '{"0":"a","length":1}',
  ];
  for (const list of lists)
    yield { ...post('rerun', `{"taskIds":${list}}`, 422), target: '/runs/settled/rerun' };
  const huge = 'x'.repeat(70_000);
  for (const command of commands) {
    yield post(command, `{"reason":"${huge}"}`, 413);
    yield post(command, ' '.repeat(70_000), 413);
    const chunk = `11170\r\n${huge}\r\n0\r\n\r\n`;
    yield { ...post(command, chunk, 413), headers: [json, 'transfer-encoding: chunked'] };
  }
  yield { ...post('pause', 'x'.repeat(2_000_000), 413) };
  yield { ...post('pause', '', 413), headers: [json, 'content-length: 99999999999'] };
  for (const command of ['cancel', 'pause', 'resume'])
    yield { ...post(command, '{}', 409), target: `/runs/settled/${command}` };
  yield post('rerun', '{}', 409);
  yield post('rerun', '{"taskIds":["a"]}', 409);
}

/** What Node's own parser refuses, or would have to. */
function* badLines(): Generator<Parts> {
  yield { target: '/runs', headers: ['host: local host'] };
  yield { target: '/runs', headers: ['host: a/b'] };
  yield { target: '/runs', headers: ['host: a@b:80'] };
  yield { target: '/runs', headers: ['host: <script>'] };
  yield { target: '/runs', headers: ['host: a:b:c'] };
  yield { target: '/runs', headers: ['host: [::1'] };
  yield { target: '/runs', headers: ['x : y'] };
  yield { target: '/runs', headers: ['x\u0000: y'] };
  yield { target: '/runs', headers: ['x: y\u0000z'] };
  yield { target: '/runs', headers: ['x: y\rset-cookie: z'] };
  yield { target: '/runs', headers: ['x: y\nfoo'] };
  yield { target: '/runs', headers: [`x: ${'y'.repeat(20_000)}`] };
  yield { target: '/runs', headers: Array.from({ length: 1_000 }, (_, at) => `x${at}: ${'y'.repeat(20)}`) };
  yield { target: '/runs HTTP/9.9' };
  yield { target: '/runs\u0000' };
  yield { target: '/runs mine' };
  yield { target: 'runs' };
  yield { target: '/runs\tx' };
  yield { target: 'http:///runs' };
  yield { target: '*', method: 'OPTIONS' };
  yield { method: 'POST', target: `${run}/pause`, headers: [json, 'content-length: -1'] };
  yield {
    method: 'POST',
    target: `${run}/pause`,
    headers: [json, 'content-length: 1', 'content-length: 2'],
    body: '{}',
  };
  yield {
    method: 'POST',
    target: `${run}/pause`,
    headers: [json, 'content-length: 2', 'transfer-encoding: chunked'],
    body: '0\r\n\r\n',
  };
  yield {
    method: 'POST',
    target: `${run}/pause`,
    headers: [json, 'transfer-encoding: chunked'],
    body: 'zz\r\n{}\r\n0\r\n\r\n',
  };
  yield { method: 'POST', target: `${run}/pause`, headers: [json, 'content-length: two'], body: '{}' };
}

function* badCredentials(): Generator<Parts> {
  const credentials = [
    '',
    'Bearer',
    'Bearer ',
    'Bearer wrong',
    'bearer',
    'Basic eDp5',
    'Bearer \u00e4',
    `Bearer ${'x'.repeat(4_000)}`,
    'Bearer null',
    'Bearer undefined',
  ];
  const places = ['/runs', run, `${run}/events`, `/runs/${secret}-1`, '/runs/nobody'];
  for (const credential of credentials) {
    for (const target of places)
      yield { target, headers: [`authorization:${credential && ` ${credential}`}`], status: 401 };
  }
  for (const command of commands) {
    yield {
      method: 'POST',
      target: `${run}/${command}`,
      headers: ['authorization: Bearer wrong'],
      status: 401,
    };
  }
}
