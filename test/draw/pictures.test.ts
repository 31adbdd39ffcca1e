import { createFlow, createFlowFromGraph, type GraphTask, type TaskStatus } from 'topple';
import * as assert from 'uvu/assert';
import { readJson } from '../../src/cli/load/json.ts';
import { dotOf } from '../../src/draw/dot.ts';
import { expand, expandedSize } from '../../src/draw/expand.ts';
import { jsonOf } from '../../src/draw/json.ts';
import { mermaidOf, mermaidProblem } from '../../src/draw/mermaid.ts';
import { createPicture, noteText, type PictureOptions } from '../../src/draw/picture.ts';
import { svgOfGraph } from '../../src/draw/svg-graph.ts';
import { measure, shorten } from '../../src/draw/svg-text.ts';
import { spec } from '../spec.ts';
import { elementsOf } from '../support/xml.ts';

const test = spec('pictures of flows');

function picture(tasks: Record<string, GraphTask>, options?: PictureOptions) {
  const list = Object.entries(tasks).map(([id, task]) => ({ id, ...task }));
  return createPicture(createFlowFromGraph({ name: 'demo', tasks: list }, () => 1).definition, options);
}

const diamond = {
  a: {},
  b: { needs: ['a'] },
  c: { needs: ['a'], triggerRule: 'one_failed' },
  d: { needs: ['b', 'c'] },
};
const odd = 'say "hi" <b>&amp;</b> `x` \\ [y] {z} #1; \u0007\n|é🙂';

test('show only what is upstream and downstream of the focus, as far as the depth goes', () => {
  const chain = {
    a: {},
    b: { needs: ['a'] },
    c: { needs: ['b'] },
    d: { needs: ['c'] },
    x: { needs: ['a'] },
    y: { needs: ['x', 'd'] },
  };
  const idsOf = (options: PictureOptions) => picture(chain, options).tasks.map(({ id }) => id);
  assert.equal(idsOf({ focus: 'c' }), ['a', 'b', 'c', 'd', 'y']);
  assert.equal(idsOf({ focus: 'c', depth: 1 }), ['b', 'c', 'd']);
  assert.equal(idsOf({ focus: 'c', depth: 0 }), ['c']);
  assert.equal(picture(chain, { focus: 'c', depth: 1 }).dependsOn, [[], [0], [1]]);
});

test('mark the critical path where durations are known, and only there', () => {
  const timed = { a: { duration: 1 }, b: { needs: ['a'], duration: 5 }, c: { needs: ['a', 'b'] } };
  assert.equal(
    [...picture(timed).criticalPath],
    [
      [0, 1],
      [1, 2],
      [2, undefined],
    ],
  );
  assert.is(picture(diamond).criticalPath.size, 0);
});

test('are Mermaid flowcharts', () => {
  const statuses = new Map<string, TaskStatus>([
    ['a', 'done'],
    ['c', 'skipped'],
  ]);
  assert.is(
    mermaidOf(picture(diamond, { statuses, focus: 'c' })),
    `flowchart LR
  t0["✓ a"]
  t1["↷ c<br/><i>one_failed</i>"]
  t2["d"]
  t0 --> t1
  t1 --> t2
  classDef done fill:#009e73,color:#111111
  class t0 done
  classDef skipped fill:#bdbdbd,color:#111111
  class t1 skipped
  style t1 stroke-width:3px
`,
  );
});

test('escape for Mermaid all that means something to it', () => {
  const [, label] = /t0\["(.*)"]/.exec(mermaidOf(picture({ [odd]: {} }))) ?? [];
  assert.is(
    label,
    'say #34;hi#34; #60;b#62;#38;amp#59;#60;/b#62; #96;x#96; #92; #91;y#93; #123;z#125; #35;1#59;  #124;é🙂',
  );
});

test('say when Mermaid would refuse them', () => {
  const wide = (size: number) =>
    picture(
      Object.fromEntries(Array.from({ length: size }, (_, n) => [`t${n}`, n === 0 ? {} : { needs: ['t0'] }])),
    );
  const problemOf = (size: number) => mermaidProblem(mermaidOf(wide(size)));
  assert.is(problemOf(501), undefined);
  assert.is(problemOf(502), '501 edges (maxEdges is 500)');
  assert.match(problemOf(2_000) ?? '', /^\d{5} characters \(maxTextSize is 50000\) and 1999 edges/);
});

test('are Graphviz graphs', () => {
  const statuses = new Map<string, TaskStatus>([['b', 'failed']]);
  assert.is(
    dotOf(picture({ a: { duration: 1 }, b: { needs: ['a'], triggerRule: 'always' } }, { statuses })),
    `digraph "demo" {
  rankdir=LR;
  node [shape=box, style="rounded,filled", fillcolor="#f6f8fa", color="#8c959f", fontname="Helvetica", fontsize=11];
  edge [color="#8c959f", arrowsize=0.7];
  t0 [label="a", color="#8250df", penwidth=2];
  t1 [label="b\\nalways", fillcolor="#d55e00", fontcolor="#111111", tooltip="b: failed", color="#8250df", penwidth=2];
  t0 -> t1 [color="#8250df", penwidth=2];
}
`,
  );
  assert.match(
    dotOf(picture({ [odd]: {} })),
    /label="say \\"hi\\" <b>&amp;amp;<\/b> `x` \\\\ \[y] \{z} #1; {2}\|é🙂"/,
  );
});

test('are graph files as JSON, which keep their order', () => {
  const tasks = [
    { id: '2', durationMs: 5 },
    { id: '__proto__', dependsOn: ['2'], triggerRule: 'all_done', optional: true, priority: 3, pool: 'db' },
    { id: '1', dependsOn: ['__proto__', '2'] },
  ];
  const flow = createFlowFromGraph({ name: 'odd', pools: { db: 2 }, tasks }, () => 1);
  assert.is(
    jsonOf(createPicture(flow.definition)),
    `{
  "name": "odd",
  "pools": {"db":2},
  "tasks": {
    "2": {"dependsOn":[],"durationMs":5,"meta":{"column":0}},
    "__proto__": {"dependsOn":["2"],"triggerRule":"all_settled","optional":true,"priority":3,"pool":"db","meta":{"column":1}},
    "1": {"dependsOn":["__proto__","2"],"meta":{"column":2}}
  }
}
`,
  );
});

test('show tasks whatever their ids', () => {
  const ids = ['', '__proto__', 'constructor', 'two\nlines', '\ud800', 'x'.repeat(10_000)];
  const tasks = ids.map((id, index) => ({
    id,
    durationMs: 1,
    dependsOn: ids.slice(Math.max(index - 1, 0), index),
  }));
  const flow = createFlowFromGraph({ name: 'odd', tasks }, () => 1);
  const drawn = createPicture(flow.definition);
  assert.equal(
    [...drawn.criticalPath],
    ids.map((_, index) => [index, ids[index + 1] === undefined ? undefined : index + 1]),
  );
  const mermaid = mermaidOf(drawn).split('\n');
  assert.equal(
    mermaid.slice(1, 6),
    [
      't0["#160;"]',
      't1["#95;#95;proto#95;#95;"]',
      't2["constructor"]',
      't3["two lines"]',
      't4["\ufffd"]',
    ].map((line) => `  ${line}`),
  );
  const dot = dotOf(drawn).split('\n');
  assert.match(dot[4] as string, /^ {2}t0 \[label="", /);
  assert.is(dot.filter((line) => line.includes('->')).length, ids.length - 1);
  const boxes = elementsOf(svgOfGraph(drawn)).filter(({ attributes }) =>
    attributes.class?.startsWith('task'),
  );
  assert.is(boxes.length, ids.length);
  assert.equal(
    readJson(jsonOf(drawn)).kind === 'map' && Object.keys(JSON.parse(jsonOf(drawn)).tasks).sort(),
    [...ids].sort(),
  );
});

test('are SVG, with a box for each task, an arrow into each that waits, and names in full', () => {
  const statuses = new Map<string, TaskStatus>([
    ['a', 'done'],
    ['b', 'failed'],
    ['c', 'skipped'],
    ['d', 'upstream_failed'],
  ]);
  const svg = elementsOf(svgOfGraph(picture(diamond, { statuses })));
  const boxes = svg.filter(({ name, attributes }) => name === 'g' && attributes.class?.startsWith('task'));
  assert.equal(
    boxes.map(({ attributes }) => attributes.class),
    ['task done', 'task failed', 'task skipped', 'task upstream_failed'],
  );
  assert.is(svg.filter(({ attributes }) => attributes.class === 'tip').length, 3);
  assert.is(svg.filter(({ attributes }) => attributes.class === 'edge').length, 3);
  const texts = svg.map(({ text }) => text);
  for (const text of [
    'demo',
    '4 tasks, 4 dependencies',
    'a: done',
    'c: skipped, one_failed',
    '✗',
    'upstream failed 1',
  ])
    assert.ok(texts.includes(text), text);
});

test('are sound SVG whatever the ids are', () => {
  const long = 'x'.repeat(300);
  const texts = elementsOf(
    svgOfGraph(picture({ [odd]: {}, [long]: { needs: [odd] }, 'lone \ud800': {} })),
  ).map(({ text }) => text);
  assert.ok(texts.includes(odd.replace('\u0007', '�').replace('\n', ' ')));
  assert.ok(texts.includes(long), 'the tooltip has the whole id');
  assert.ok(
    texts.some((text) => /^x+…x+$/.test(text)),
    'the box has its ends',
  );
  assert.ok(texts.includes('lone \ufffd'));
});

test('keep boxes apart and inside the picture', () => {
  const tasks = Object.fromEntries(
    Array.from({ length: 120 }, (_, n) => [
      `task ${n}`,
      { needs: n < 10 ? [] : [`task ${n - 10}`, `task ${(n * 7) % (n - 9)}`] },
    ]),
  );
  const svg = elementsOf(svgOfGraph(picture(tasks)));
  const [, , width = 0, height = 0] = svg[0]?.attributes.viewBox?.split(' ').map(Number) ?? [];
  const boxes = svg.flatMap(({ name, attributes }, index) => {
    if (name !== 'g' || !attributes.class?.startsWith('task')) return [];
    const [x = 0, y = 0] =
      /translate\((\S+) (\S+)\)/
        .exec(attributes.transform ?? '')
        ?.slice(1)
        .map(Number) ?? [];
    const box = svg.slice(index).find((element) => element.name === 'rect')?.attributes;
    return [{ x, y, right: x + Number(box?.width), bottom: y + Number(box?.height) }];
  });
  assert.is(boxes.length, 120);
  for (const [index, box] of boxes.entries()) {
    assert.ok(box.x >= 0 && box.y >= -0.1 && box.right <= width && box.bottom <= height);
    for (const other of boxes.slice(index + 1))
      assert.ok(
        box.x >= other.right || other.x >= box.right || box.y >= other.bottom || other.y >= box.bottom,
      );
  }
});

test('cut a text in its middle, and not within a character', () => {
  assert.is(shorten('short', 22), 'short');
  assert.is(shorten('mProject_ID0000001_of_many', 10), 'mProjec…f_many');
  const family = '👩‍👩‍👧'.repeat(20);
  const cut = shorten(family, 8);
  assert.match(cut, /^(👩‍👩‍👧)+…(👩‍👩‍👧)*$/u);
  assert.ok(measure(cut) <= 8);
});

test('show runs inside runs folded: with a double border, the name of the flow and the number of items', () => {
  const inner = createFlow('inner').task('x', { perform: () => 1, durationMs: 5 });
  const other = createFlow('inner').flow('deep', { flow: inner });
  const flow = createFlow('outer')
    .task('a', { perform: () => [1] })
    .map('each', {
      dependsOn: ['a'],
      over: ({ deps }) => deps.a,
      perform: () => 1,
      concurrency: 2,
      tolerate: 1,
    })
    .map('runs', { over: () => [1], perform: inner })
    .flow('one', { flow: other });
  const known = new Map([['each', { items: new Array(1_200).fill(0) }]]);
  const drawn = createPicture(flow.definition, { known });
  assert.equal(
    drawn.tasks.map((task) => noteText(task)),
    [undefined, 'map ×1,200', 'map of inner', 'flow inner (2)'],
  );
  assert.equal(
    [...drawn.flows].map(([name, { tasks }]) => [name, tasks.map(({ id }) => id)]),
    [
      ['inner', ['x']],
      ['inner (2)', ['deep']],
    ],
  );
  assert.match(mermaidOf(drawn), /t1\[\["each<br\/><small>map ×1,200<\/small>"\]\]/);
  assert.match(dotOf(drawn), /t3 \[label="one\\nflow inner \(2\)", peripheries=2\]/);
  const boxes = elementsOf(svgOfGraph(drawn)).filter(({ attributes }) => attributes.class === 'inner');
  assert.is(boxes.length, 3);
  assert.equal(JSON.parse(jsonOf(drawn)), {
    name: 'outer',
    flows: {
      inner: { tasks: { x: { dependsOn: [], durationMs: 5, meta: { column: 0 } } } },
      'inner (2)': { tasks: { deep: { dependsOn: [], flow: 'inner', meta: { column: 0 } } } },
    },
    tasks: {
      a: { dependsOn: [], meta: { column: 0 } },
      each: { dependsOn: ['a'], map: { count: 1_200 }, concurrency: 2, tolerate: 1, meta: { column: 1 } },
      runs: { dependsOn: [], flow: 'inner', map: { count: 1 }, meta: { column: 0 } },
      one: { dependsOn: [], flow: 'inner (2)', meta: { column: 0 } },
    },
  });
});

test('show runs inside runs in their tasks, if they are expanded', () => {
  const leaf = createFlow('leaf')
    .task('x', { perform: () => 1 })
    .task('y', { dependsOn: ['x'], perform: () => 1 });
  const middle = createFlow('middle').flow('deep', { flow: leaf });
  const flow = createFlow('outer')
    .task('a', { perform: () => 1 })
    .flow('one', { dependsOn: ['a'], flow: middle })
    .map('each', { dependsOn: ['one'], over: () => [1], perform: leaf });
  const folded = createPicture(flow.definition);
  const drawn = expand(folded);
  assert.is(expandedSize(folded), 8);
  assert.is(
    mermaidOf(drawn),
    `flowchart LR
  t0["a"]
  subgraph t1["one<br/><small>flow middle</small>"]
    subgraph t1_0["deep<br/><small>flow leaf</small>"]
      t1_0_0["x"]
      t1_0_1["y"]
    end
  end
  subgraph t2["each<br/><small>map of leaf</small>"]
    t2_0["x"]
    t2_1["y"]
  end
  t0 --> t1
  t1 --> t2
  t1_0_0 --> t1_0_1
  t2_0 --> t2_1
`,
  );
  const dot = dotOf(drawn);
  assert.match(dot, /subgraph cluster_t1 \{\n.*\n {4}t1 \[.*\n {4}subgraph cluster_t1_0 \{/);
  assert.match(dot, / {6}t1_0_0 -> t1_0_1;\n {4}\}\n {2}\}/);
  assert.is(dot.split('{').length, dot.split('}').length);
  const svg = svgOfGraph(drawn);
  const ids = [...svg.matchAll(/<g class="task[^>]*><title>(\w+)/g)].map(([, id]) => id);
  assert.equal(ids, ['a', 'one', 'deep', 'x', 'y', 'each', 'x', 'y']);
  // Each box holds what is drawn in it, and the picture holds all.
  const boxes = boxesIn(svg);
  for (const { x, y, width, height, around } of boxes) {
    if (around === undefined) continue;
    assert.ok(x >= 0 && y >= 0 && x + width <= around.width && y + height <= around.height);
  }
  assert.is(boxes.filter(({ around }) => around !== undefined).length, 5);
  assert.equal(svgOfGraph(folded).includes('deep'), false);
});

interface Placed {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly around: Placed | undefined;
}

/** The boxes of tasks, each in the coordinates of the one around it. */
function boxesIn(svg: string): Placed[] {
  const boxes: Placed[] = [];
  const open: { shift: readonly [number, number]; box?: Placed | undefined }[] = [];
  for (const [text, name] of svg.matchAll(/<(\/?g|rect)\b[^>]*>/g)) {
    const numberOf = (key: string): number => Number(new RegExp(` ${key}="([-\\d.]+)"`).exec(text)?.[1] ?? 0);
    if (name === '/g') open.pop();
    else if (name === 'g') {
      const [, x = 0, y = 0] = /translate\(([-\d.]+) ([-\d.]+)\)/.exec(text) ?? [];
      open.push({ shift: [Number(x), Number(y)] });
    } else {
      const own = open.at(-1);
      if (own === undefined || own.box !== undefined || !text.includes('rx="6"')) continue;
      const place = open.slice(0, -1).findLastIndex(({ box }) => box !== undefined);
      const shifts = open.slice(place + 1).map(({ shift }) => shift);
      const box = {
        x: shifts.reduce((sum, [x]) => sum + x, 0),
        y: shifts.reduce((sum, [, y]) => sum + y, 0),
        width: numberOf('width'),
        height: numberOf('height'),
        around: open[place]?.box,
      };
      own.box = box;
      boxes.push(box);
    }
  }
  return boxes;
}
