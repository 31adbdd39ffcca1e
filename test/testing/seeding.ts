// A copy of topple with one thing wrong, in the temp folder of the system, loaded beside the real one. Packages are
// those of the checkout.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type * as topple from 'topple';
import type * as testing from 'topple/testing';
import type { TreeScenario } from './child-scenarios.ts';
import type { Defect } from './defects.ts';
import { flowFor, type Scenario } from './scenarios.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const withoutCrash = ['cancel', 'pause', 'stop', 'out of time', 'rerun'] as const;

/** All commands: crashes take long, and find little that nothing else does. */
export const withCrash: readonly testing.Command[] = [...withoutCrash, 'crash'];

/** What found a defect. */
export interface Found {
  /** `model` by exploring it, `engine` by a test path. */
  readonly by: 'model' | 'engine';
  readonly scenario: string;
  /** The property that does not hold, or where engine and model differ. */
  readonly what: string;
  /** Steps up to where it shows. */
  readonly length: number;
}

/**
 * The part of a list of defects that `npm test` hunts: each third. `TOPPLE_SEED` chooses which, and `TOPPLE_DEFECTS=all`
 * takes all of them, as `npm run figures` does.
 */
export function shareOf<D extends Defect>(defects: readonly D[]): readonly D[] {
  if (process.env.TOPPLE_DEFECTS === 'all') return defects;
  const first = Number(process.env.TOPPLE_SEED ?? 0);
  return defects.filter((_, place) => (place + first) % 3 === 0);
}

/** Copies of topple in one folder, which `remove` takes away again. */
export class Copies {
  readonly #folder = mkdtempSync(join(tmpdir(), 'topple-defects-'));
  readonly #hooks: { deregister(): void };
  #count = 0;

  constructor() {
    const copies = pathToFileURL(this.#folder).href;
    const checkout = pathToFileURL(join(root, 'src/index.ts')).href;
    this.#hooks = registerHooks({
      resolve: (specifier, context, next) => {
        const isPackage = /^[\w@]/.test(specifier) && !specifier.startsWith('node:');
        const isFromCopy = context.parentURL?.startsWith(copies) === true;
        return next(specifier, isPackage && isFromCopy ? { ...context, parentURL: checkout } : context);
      },
    });
  }

  /** Throws where the text that a defect changes does not stand in its file, or not once: the defect is out of date. */
  async load(
    defect: Defect | undefined,
  ): Promise<{ readonly topple: typeof topple; readonly testing: typeof testing }> {
    const folder = join(this.#folder, String(this.#count++));
    for (const part of ['src', 'machines']) cpSync(join(root, part), join(folder, part), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    if (defect !== undefined) {
      const file = join(folder, defect.file);
      const source = readFileSync(file, 'utf8');
      const times = source.split(defect.find).length - 1;
      if (times !== 1) {
        throw new Error(
          `Defect "${defect.name}" is out of date: its text stands ${times} times in ${defect.file}, not once:\n${defect.find}`,
        );
      }
      writeFileSync(
        file,
        source.replace(defect.find, () => defect.put),
      );
    }
    const load = (file: string) => import(pathToFileURL(join(folder, file)).href);
    return { topple: await load('src/index.ts'), testing: await load('src/testing/index.ts') };
  }

  remove(): void {
    this.#hooks.deregister();
    rmSync(this.#folder, { recursive: true });
  }
}

/** Looks for something wrong with a copy of topple: explores each scenario, then has its engine go the test paths. */
export async function hunt(
  copy: { readonly topple: typeof topple; readonly testing: typeof testing },
  scenarios: readonly (Scenario | TreeScenario)[],
  commands: readonly testing.Command[] = withoutCrash,
): Promise<Found | undefined> {
  for (const scenario of scenarios) {
    const { concurrency, pools, outcomes, name } = scenario as Scenario;
    const { createFlow, createFlowFromGraph } = copy.topple;
    const flow = 'make' in scenario ? scenario.make(createFlow) : flowFor(createFlowFromGraph, scenario);
    const model = copy.testing.createFlowModel(flow, {
      concurrency,
      pools,
      outcomes,
      commands,
    });
    const [finding] = model.explore().findings;
    if (finding !== undefined)
      return { by: 'model', scenario: name, what: finding.property, length: finding.path.length };
    for (const path of model.getTestPaths()) {
      try {
        await path.test();
      } catch (error) {
        const { story, difference } = error as testing.PathError;
        if (story === undefined) throw error;
        return { by: 'engine', scenario: name, what: difference, length: story.length - 1 };
      }
    }
  }
  return undefined;
}
