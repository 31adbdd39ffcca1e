/** Explains why a file cannot be read or written; follows "cannot be read:". */
export function explainFileError(error: unknown, wanted: 'read' | 'write'): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const missing = wanted === 'read' ? 'there is no such file' : 'its folder is missing';
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: missing,
    ENOTDIR: missing,
    EISDIR: 'it is a folder',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    ENXIO: wanted === 'write' ? 'nobody reads it' : 'it is a socket',
  };
  return reasons[code] ?? message;
}
