/** Whether a file is imported as a module, by its name; anything else is data. */
export function isModule(path: string): boolean {
  return /\.[mc]?[jt]sx?$/.test(path);
}
