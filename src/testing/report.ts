import type { CoverageReport } from './coverage.ts';
import { coverageDiagrams } from './coverage-diagram.ts';
import type { FlowTest } from './test-flow.ts';

/** A flow's test for people: plain text, a line for each thing, details of what is wrong. */
export function reportText({
  flow,
  isGood,
  lints,
  exploration,
  paths,
  coverage,
  threshold,
}: FlowTest): string {
  const { findings, situations, steps, endings, elapsedMs, isComplete, covered, notCovered } = exploration;
  const failed = paths.filter(({ error }) => error !== undefined);
  const lines = [
    `flow ${flow}`,
    '',
    ...lints.map(({ severity, rule, message }) => `${severity} (${rule}): ${message}`),
    ...(lints.length > 0 ? [''] : []),
    `explored ${situations} situations by ${steps} steps in ${Math.round(elapsedMs)} ms; the run has ended ${endings} times${isComplete ? '' : '; not everything was looked at'}`,
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
    `${paths.length - failed.length} of ${paths.length} test paths agree with the engine`,
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
    isGood
      ? '✔ good'
      : `✘ not good: ${reasonsOf(findings.length, failed.length, coverage, threshold).join(', ')}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Coverage as a table, then what was missed and what cannot be. */
export function coverageText(report: CoverageReport): string {
  return `${coverageLines(report).join('\n')}\n`;
}

/** The same as Markdown: a table, and both machines as diagrams. */
export function coverageMarkdown(report: CoverageReport): string {
  const { task, orchestrator } = coverageDiagrams(report);
  const rows = report.groups.map(({ name, covered, total, items }) => {
    const missed = items
      .filter(({ isCovered }) => !isCovered)
      .map((item) => `\`${item.name.replaceAll('|', '\\|')}\``);
    return `| ${name} | ${covered} of ${total} | ${missed.join('<br>')} |`;
  });
  return [
    `Covered: ${report.covered} of ${report.total}, ${percent(report.share)}`,
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
    `coverage ${percent(share)} (${covered} of ${total})`,
    ...groups.map(({ name, covered: some, total: all }) => `  ${name.padEnd(width)}  ${some} of ${all}`),
    ...groups.flatMap(({ items }) =>
      items.filter(({ isCovered }) => !isCovered).map(({ name }) => `  missed: ${name}`),
    ),
    ...leftOut.map(({ name, why }) => `  left out: ${name} (${why})`),
  ];
}

function reasonsOf(findings: number, failed: number, { share }: CoverageReport, threshold: number): string[] {
  return [
    ...(findings > 0 ? [`${findings} ${findings === 1 ? 'property does' : 'properties do'} not hold`] : []),
    ...(failed > 0 ? [`${failed} ${failed === 1 ? 'path does' : 'paths do'} not agree`] : []),
    ...(share < threshold ? [`coverage is ${percent(share)}, and must be ${percent(threshold)}`] : []),
  ];
}

function percent(share: number): string {
  return `${Math.floor(share * 1_000) / 10} %`;
}

function indent(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : `    ${line}`));
}
