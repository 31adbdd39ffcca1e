import ts from 'typescript';

const parsed = new Map<string, ts.SourceFile | undefined>();

/**
 * A host of the compiler that parses each file once in this process, for all programs of one kind of module.
 *
 * @param files ones that exist only here, by path
 */
export function compilerHost(
  options: ts.CompilerOptions,
  files: ReadonlyMap<string, string> = new Map(),
): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  return {
    ...host,
    readFile: (path) => files.get(path) ?? readFile(path),
    fileExists: (path) => files.has(path) || fileExists(path),
    getSourceFile: (path, language, ...rest) => {
      const text = files.get(path);
      if (text !== undefined) return ts.createSourceFile(path, text, language);
      // The compiler's own are of no module.
      const key = /\/lib\.[^/]*\.d\.ts$/.test(path) ? path : `${options.module} ${path}`;
      if (!parsed.has(key)) parsed.set(key, getSourceFile(path, language, ...rest));
      return parsed.get(key);
    },
  };
}
