import { cases } from '../test/simulation/corpus/index.ts';
const [, , only, n = '2000', seed = '0'] = process.argv;
for (const one of cases) {
  if (only && only !== 'all' && one.name !== only) continue;
  const t = process.cpuUsage();
  const r = await one.simulate(undefined, { schedules: Number(n), seed: Number(seed) });
  const u = process.cpuUsage(t);
  console.log(one.name, r.verdict, JSON.stringify(r.outcomes), r.steps, ((u.user + u.system) / 1000 / r.schedules).toFixed(2), 'ms');
  for (const f of r.failures) { console.log(JSON.stringify(f.schedule)); console.log(f.story.map((s) => '   ' + s).join('\n').slice(0, 3000)); if (process.env.V) { console.log(f.mermaid); for (const v of f.views) console.log(JSON.stringify(v)) }}
}
