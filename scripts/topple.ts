// npm run -s topple -- ARGS: the command line, from the sources. npm starts scripts in the package's folder, but paths
// are relative to the user's.

process.chdir(process.env.INIT_CWD || '.');
await import('../src/cli/main.ts');
