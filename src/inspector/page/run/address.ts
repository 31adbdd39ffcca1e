/** The views of a run. */
export const views = ['graph', 'time', 'tasks', 'events', 'machines'] as const;

export type ViewName = (typeof views)[number];

/** A place in the page: all of it that a link should show again. */
export type Address =
  | {
      readonly page: 'runs';
      readonly status: readonly string[];
      readonly flow: string;
      readonly source: string;
      readonly search: string;
    }
  | { readonly page: 'grid'; readonly flow: string; readonly source: string }
  | RunAddress
  | {
      readonly page: 'compare';
      readonly runs: readonly [RunPlace, RunPlace];
      readonly onlyDiffering: boolean;
    };

export interface RunPlace {
  readonly source: string;
  readonly id: string;
}

export interface RunAddress extends RunPlace {
  readonly page: 'run';
  readonly view: ViewName;
  /** The id of the selected task; empty for the run as a whole. */
  readonly task: string;
  /** `seq` of the entry after which the run is shown; `undefined` for the latest. */
  readonly seq: number | undefined;
  readonly search: string;
  /** Statuses to show; empty for all. */
  readonly status: readonly string[];
  readonly focus: boolean;
  readonly group: boolean;
  /** Prefixes of groups that are open. */
  readonly opened: readonly string[];
  /** Ids of tasks whose child runs are drawn in place. */
  readonly unfolded: readonly string[];
  readonly hideDone: boolean;
  readonly critical: boolean;
  readonly idle: boolean;
}

export const firstAddress: Address = { page: 'runs', status: [], flow: '', source: '', search: '' };

/** The address of a run with nothing selected. */
export function runAddress({ source, id }: RunPlace): RunAddress {
  return {
    page: 'run',
    source,
    id,
    view: 'graph',
    task: '',
    seq: undefined,
    search: '',
    status: [],
    focus: false,
    group: false,
    opened: [],
    unfolded: [],
    hideDone: false,
    critical: false,
    idle: false,
  };
}

/** Reads the part of an address after `#`. What is not understood is left out. */
export function parseAddress(hash: string): Address {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2) as [string, string?];
  const [page, ...parts] = path.split('/').map(decode);
  const params = new URLSearchParams(query);
  const text = (name: string): string => params.get(name) ?? '';
  const list = (name: string): string[] => params.getAll(name);
  const [source = '', id = '', otherSource = '', otherId = ''] = parts;
  switch (page) {
    case 'run': {
      const seq = Number(params.get('seq') ?? Number.NaN);
      return {
        page,
        source,
        id,
        view: views.find((view) => view === text('view')) ?? 'graph',
        task: text('task'),
        seq: Number.isSafeInteger(seq) && seq >= 0 ? seq : undefined,
        search: text('search'),
        status: list('status'),
        focus: params.has('focus'),
        group: params.has('group'),
        opened: list('opened'),
        unfolded: list('unfolded'),
        hideDone: params.has('hideDone'),
        critical: params.has('critical'),
        idle: params.has('idle'),
      };
    }
    case 'grid':
      return { page, flow: source, source: text('source') };
    case 'compare':
      return {
        page,
        runs: [
          { source, id },
          { source: otherSource, id: otherId },
        ],
        onlyDiffering: params.has('differing'),
      };
    default:
      return {
        page: 'runs',
        status: list('status'),
        flow: text('flow'),
        source: text('source'),
        search: text('search'),
      };
  }
}

/** Writes an address, with `#`. Defaults are left out. */
export function formatAddress(address: Address): string {
  const params = new URLSearchParams();
  const add = (name: string, value: string | boolean | readonly string[]): void => {
    if (typeof value === 'object') for (const each of value) params.append(name, each);
    else if (value === true) params.set(name, '');
    else if (value !== false && value !== '') params.set(name, value);
  };
  let path: string[];
  switch (address.page) {
    case 'run': {
      path = ['run', address.source, address.id];
      if (address.view !== 'graph') add('view', address.view);
      add('task', address.task);
      if (address.seq !== undefined) add('seq', String(address.seq));
      for (const name of [
        'search',
        'status',
        'focus',
        'group',
        'opened',
        'unfolded',
        'hideDone',
        'critical',
        'idle',
      ] as const)
        add(name, address[name]);
      break;
    }
    case 'grid':
      path = ['grid', address.flow];
      add('source', address.source);
      break;
    case 'compare':
      path = ['compare', ...address.runs.flatMap(({ source, id }) => [source, id])];
      add('differing', address.onlyDiffering);
      break;
    default:
      path = ['runs'];
      for (const name of ['status', 'flow', 'source', 'search'] as const) add(name, address[name]);
  }
  const query = params.toString().replaceAll(/=(?=&|$)/g, '');
  return `#/${path.map(encodeURIComponent).join('/')}${query === '' ? '' : `?${query}`}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
