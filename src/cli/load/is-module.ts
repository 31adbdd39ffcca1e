/** Whether a file is imported as a module, judged by its name; any other file is data. */
export function isModule(path: string): boolean {
  return /\.[mc]?[jt]sx?$/.test(path);
}
