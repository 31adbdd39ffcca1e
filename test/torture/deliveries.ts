import { deliveryTrial, nothingTried } from '../support/delivery-trial.ts';
import type { Progress, Report } from './report.ts';

/** Values delivered to runs at random moments, in virtual time: 40 to each run, whose engines are stopped and crash. */
export async function deliverAtRandom(options: {
  readonly runs: number;
  readonly seed: number;
  readonly progress: Progress;
}): Promise<Report> {
  const tried = nothingTried();
  const faults: string[] = [];
  for (let run = 0; run < options.runs; run++) {
    const seed = options.seed * 100_000 + run;
    try {
      await deliveryTrial(seed, tried);
    } catch (error) {
      faults.push(`seed ${seed}: ${(error as Error).stack}`);
    }
    options.progress(`${run + 1} of ${options.runs} runs`);
  }
  const { deliveries, already, crashes, stops } = tried;
  return {
    scenario: 'deliveries',
    kills: crashes + stops,
    runs: options.runs,
    calls: deliveries,
    repeats: already,
    faults,
  };
}
