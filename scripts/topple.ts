// npm run -s topple -- ARGS: the command line, from the sources. npm starts scripts in the package's folder: paths
// are meant from where the user is.

process.chdir(process.env.INIT_CWD || '.');
await import('../src/cli/main.ts');
