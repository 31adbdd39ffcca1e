import { copyFileSync, cpSync, existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

/** The documents of a checkout that the package includes. */
const shipped = ['README.md', 'CHANGELOG.md', 'docs', 'examples'];

/** `[text](path#heading)` or `![text](path)` whose path is in the checkout. */
const link = /(!?)\[([^\]]*)\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)/g;

/** Copies the documents into the package. Links to files that it lacks become plain text. */
export function writeDocuments(root: string, folder: string): void {
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  for (const name of shipped) cpSync(join(root, name), join(folder, name), { recursive: true });
  const documents = globSync(['*.md', 'docs/**/*.md', 'sources/**/*.md'], { cwd: folder });
  for (const document of documents) {
    const path = join(folder, document);
    writeFileSync(path, relink(readFileSync(path, 'utf8'), document.replaceAll('\\', '/'), folder));
  }
}

function relink(text: string, document: string, folder: string): string {
  const isSource = document.startsWith('sources/');
  const from = dirname(isSource ? document.slice('sources/'.length) : document);
  return text.replaceAll(link, (whole, mark: string, label: string, path: string, heading = '') => {
    const target = posix.join(from, path);
    const place = [target, `sources/${target}`].find((candidate) => existsSync(join(folder, candidate)));
    if (place === undefined) return label;
    if (place === target && !isSource) return whole;
    return `${mark}[${label}](${posix.relative(dirname(document), place)}${heading})`;
  });
}
