import ts from 'typescript';
import { compilerHost } from './compiler.ts';

/**
 * The types that are reached from what an entry of a package exports, and that no entry exports: a declaration that
 * has to name one cannot. Only entries count that are loaded with this one.
 *
 * @param folder the package, with whose types this ends
 */
export function unnamedTypes(
  entry: string,
  entries: readonly string[],
  options: ts.CompilerOptions,
  folder: string,
): string[] {
  const program = ts.createProgram([entry], options, compilerHost(options));
  const checker = program.getTypeChecker();
  const exportsOf = (file: string): ts.Symbol[] => {
    const source = program.getSourceFile(file);
    const module = source && checker.getSymbolAtLocation(source);
    return module === undefined ? [] : checker.getExportsOfModule(module).map(target);
  };
  const named = new Set(entries.flatMap(exportsOf));
  const reached = new Map<ts.Symbol, string>();
  const queue = exportsOf(entry).map((symbol) => ({ symbol, way: symbol.name }));
  for (const { symbol, way } of queue) {
    if (reached.has(symbol)) continue;
    reached.set(symbol, way);
    for (const declaration of declarationsOf(symbol)) {
      for (const name of typeNamesIn(declaration)) {
        const found = checker.getSymbolAtLocation(name);
        if (found === undefined || found.flags & ts.SymbolFlags.TypeParameter) continue;
        const next = target(found);
        if (declarationsOf(next).length > 0) queue.push({ symbol: next, way: `${way} > ${next.name}` });
      }
    }
  }
  return [...reached]
    .filter(([symbol]) => !named.has(symbol) && (symbol.flags & ts.SymbolFlags.Type) !== 0)
    .map(([, way]) => `${entry.slice(folder.length)}: ${way}`);

  function target(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  }

  function declarationsOf({ declarations = [] }: ts.Symbol): ts.Declaration[] {
    return declarations.filter((declaration) => declaration.getSourceFile().fileName.startsWith(folder));
  }
}

/** Names that stand for a type, or for the value whose type is asked for. */
function typeNamesIn(declaration: ts.Declaration): ts.Identifier[] {
  const names: ts.Identifier[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && isTypeName(node.parent)) names.push(node);
    ts.forEachChild(node, visit);
  };
  visit(declaration);
  return names;
}

function isTypeName(parent: ts.Node): boolean {
  return (
    ts.isTypeReferenceNode(parent) ||
    ts.isQualifiedName(parent) ||
    ts.isExpressionWithTypeArguments(parent) ||
    ts.isTypeQueryNode(parent) ||
    ts.isImportTypeNode(parent)
  );
}
