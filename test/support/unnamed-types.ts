import ts from 'typescript';

/**
 * The types that are reached from what the entries of a package export, and that no entry exports: a declaration that
 * has to name one cannot. For each entry only those entries count that are loaded with it.
 *
 * @param folder the package, with whose types this ends
 */
export function unnamedTypes(program: ts.Program, entries: readonly string[], folder: string): string[] {
  const checker = program.getTypeChecker();
  return entries.flatMap((entry) => {
    const loaded = filesFrom(sourceOf(entry));
    const named = new Set(entries.filter((other) => loaded.has(sourceOf(other))).flatMap(exportsOf));
    return [...reachedFrom(entry)]
      .filter(([symbol]) => !named.has(symbol) && (symbol.flags & ts.SymbolFlags.Type) !== 0)
      .map(([, way]) => `${entry.slice(folder.length)}: ${way}`);
  });

  /** With the way that leads to each. */
  function reachedFrom(entry: string): ReadonlyMap<ts.Symbol, string> {
    const reached = new Map<ts.Symbol, string>();
    const queue = exportsOf(entry).map((symbol) => ({ symbol, way: symbol.name }));
    for (const { symbol, way } of queue) {
      if (reached.has(symbol)) continue;
      reached.set(symbol, way);
      for (const name of declarationsOf(symbol).flatMap(typeNamesIn)) {
        const found = checker.getSymbolAtLocation(name);
        if (found === undefined || found.flags & ts.SymbolFlags.TypeParameter) continue;
        const next = target(found);
        if (declarationsOf(next).length > 0) queue.push({ symbol: next, way: `${way} > ${next.name}` });
      }
    }
    return reached;
  }

  function filesFrom(entry: ts.SourceFile): ReadonlySet<ts.SourceFile> {
    const files = new Set([entry]);
    for (const file of files) {
      for (const statement of file.statements) {
        const from = ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement);
        const module =
          from && statement.moduleSpecifier && checker.getSymbolAtLocation(statement.moduleSpecifier);
        const found = module ? module.valueDeclaration?.getSourceFile() : undefined;
        if (found?.fileName.startsWith(folder)) files.add(found);
      }
    }
    return files;
  }

  function sourceOf(entry: string): ts.SourceFile {
    return program.getSourceFile(entry) as ts.SourceFile;
  }

  function exportsOf(entry: string): ts.Symbol[] {
    const module = checker.getSymbolAtLocation(sourceOf(entry)) as ts.Symbol;
    return checker.getExportsOfModule(module).map(target);
  }

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
