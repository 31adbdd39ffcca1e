import { type CoverageReport, showShare } from '../cover/coverage.ts';
import { type Cut, type Limit, nameBounds, type SearchBound } from '../search/search-bound.ts';

/** The facts that make a flow's test good or not. */
export interface Judged {
  readonly exploration: {
    readonly findings: readonly unknown[];
    readonly limitedBy: readonly SearchBound<Limit>[];
  };
  readonly cutBy: readonly SearchBound<Cut>[];
  readonly paths: readonly { readonly error?: unknown }[];
  readonly coverage: CoverageReport;
  readonly threshold: number;
}

/** Judges a flow's test, and says what is not good, or within which bounds it is good. */
export function judge(judged: Judged): { readonly isGood: boolean; readonly verdict: string } {
  const reasons = reasonsAgainst(judged);
  if (reasons.length > 0) return { isGood: false, verdict: `not good: ${reasons.join(', ')}` };
  const { limitedBy } = judged.exploration;
  return { isGood: true, verdict: limitedBy.length === 0 ? 'good' : `good within ${nameBounds(limitedBy)}` };
}

function reasonsAgainst({ exploration, cutBy, paths, coverage, threshold }: Judged): string[] {
  const { findings } = exploration;
  const failed = paths.filter(({ error }) => error !== undefined).length;
  return [
    ...(findings.length > 0
      ? [`${findings.length} ${plural(findings.length, 'property does', 'properties do')} not hold`]
      : []),
    ...(failed > 0 ? [`${failed} ${plural(failed, 'path does', 'paths do')} not agree`] : []),
    ...(cutBy.length > 0 ? [`the search was cut by ${nameBounds(cutBy)}`] : []),
    ...(coverage.share < threshold
      ? [`coverage is ${showShare(coverage.share)}, and must be ${showShare(threshold)}`]
      : []),
  ];
}

function plural(number: number, one: string, many: string): string {
  return number === 1 ? one : many;
}
