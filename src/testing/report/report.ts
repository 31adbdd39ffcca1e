import { type CoverageReport, showShare } from '../cover/coverage.ts';
import { coverageDiagrams } from '../cover/coverage-diagram.ts';
import { nameBounds } from '../search/search-bound.ts';
import type { FlowTest } from './flow-test.ts';

/** Writes a flow's test as plain text: a line for each item, and details of what is wrong. */
export function reportText({
  flow,
  isGood,
  verdict,
  lints,
  exploration,
  paths,
  uncovered,
  coverage,
}: FlowTest): string {
  const { findings, situations, steps, endings, elapsedMs, cutBy, covered, notCovered } = exploration;
  const failed = paths.filter(({ error }) => error !== undefined);
  const lines = [
    `flow ${flow}`,
    '',
    ...lints.map(({ severity, rule, message }) => `${severity} (${rule}): ${message}`),
    ...(lints.length > 0 ? [''] : []),
    `explored ${situations} situations by ${steps} steps in ${Math.round(elapsedMs)} ms; the run has ended ${endings} times${cutBy.length === 0 ? '' : `; cut by ${nameBounds(cutBy)}`}`,
    ...covered.map((sentence) => `  covered: ${sentence}`),
    ...notCovered.map((sentence) => `  not covered: ${sentence}`),
    '',
    ...findings.flatMap(({ property, message, description, story, seed, mermaid, script }) => [
      `✘ ${property}: ${message} (${description})`,
      ...story.map((sentence, index) => `    ${index}. ${sentence}`),
      `    seed: ${seed}`,
      '',
      ...indent(mermaid),
      '',
      ...indent(script),
      '',
    ]),
    ...(findings.length === 0 ? ['✔ what must hold does in every one of them', ''] : []),
    `${paths.length - failed.length} of ${paths.length} test paths agree with the engine${uncovered === 0 ? '' : `; ${uncovered} things that could be covered are on none of them`}`,
    ...paths.map(({ description, error }) => `  ${error === undefined ? '✔' : '✘'} ${description}`),
    ...failed.flatMap(({ error }) =>
      error === undefined
        ? []
        : [
            '',
            `✘ ${error.message}`,
            ...error.story.map((sentence, index) => `    ${index}. ${sentence}`),
            `    seed: ${error.seed}`,
            '',
            ...indent(error.mermaid),
            '',
            ...indent(error.script),
          ],
    ),
    '',
    ...coverageLines(coverage),
    '',
    `${isGood ? '✔' : '✘'} ${verdict}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Writes coverage as a table, then what was missed and what cannot be. */
export function coverageText(report: CoverageReport): string {
  return `${coverageLines(report).join('\n')}\n`;
}

/** Writes the same as Markdown: a table, and both machines as diagrams. */
export function coverageMarkdown(report: CoverageReport): string {
  const { task, orchestrator } = coverageDiagrams(report);
  const rows = report.groups.map(({ name, covered, total, items }) => {
    const missed = items
      .filter(({ isCovered }) => !isCovered)
      .map((item) => `\`${item.name.replaceAll('|', '\\|')}\``);
    return `| ${name} | ${covered} of ${total} | ${missed.join('<br>')} |`;
  });
  return [
    `Covered: ${report.covered} of ${report.total}, ${showShare(report.share)}`,
    '',
    '| of | covered | missed |',
    '| --- | --- | --- |',
    ...rows,
    '',
    '```mermaid',
    task,
    '```',
    '',
    '```mermaid',
    orchestrator,
    '```',
    '',
  ].join('\n');
}

function coverageLines({ covered, total, share, groups, leftOut }: CoverageReport): string[] {
  const width = Math.max(...groups.map(({ name }) => name.length));
  return [
    `coverage ${showShare(share)} (${covered} of ${total})`,
    ...groups.map(({ name, covered: some, total: all }) => `  ${name.padEnd(width)}  ${some} of ${all}`),
    ...groups.flatMap(({ items }) =>
      items.filter(({ isCovered }) => !isCovered).map(({ name }) => `  missed: ${name}`),
    ),
    ...leftOut.map(({ name, why }) => `  left out: ${name} (${why})`),
  ];
}

function indent(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : `    ${line}`));
}
