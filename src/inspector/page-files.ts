import { readFile } from 'node:fs/promises';

/** The files of the page, as they are served and put into exported files. */
export interface PageFiles {
  /** The page. */
  html(): Promise<string>;
  /** A file that the page asks for, by its name without a folder; `undefined` if there is none. */
  file(name: string): Promise<PageFile | undefined>;
}

export interface PageFile {
  readonly type: string;
  readonly bytes: Uint8Array;
}

const types: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** The folder of the package: two up from here in the sources, and from each chunk of the built package. */
const root = new URL('../../', import.meta.url);
const folders = ['inspector/page/', 'out/inspector-page/'].map((path) => new URL(path, root));

/** The page as it was built: with the package, or in a checkout by `npm run build:page`. */
export const pageFiles: PageFiles = {
  html: async () => {
    const html = await readBuilt('index.html');
    return html === undefined ? placeholder : new TextDecoder().decode(html);
  },
  file: async (name) => {
    const type = types[name.split('.').at(-1) ?? ''];
    const bytes = type === undefined ? undefined : await readBuilt(name);
    return bytes && { type: type as string, bytes };
  },
};

/** topple's version. */
export async function toppleVersion(): Promise<string> {
  return JSON.parse(await readFile(new URL('package.json', root), 'utf8')).version;
}

async function readBuilt(name: string): Promise<Uint8Array | undefined> {
  for (const folder of folders) {
    try {
      return await readFile(new URL(name, folder));
    } catch {
      // It is not there.
    }
  }
  return undefined;
}

const placeholder = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>topple inspect</title>
<p>The inspector runs, but its page has not been built in this checkout: <code>npm run build:page</code>.</p>
</html>
`;
