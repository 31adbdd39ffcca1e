import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** An event, an effect or a fact: a name with fields. */
export interface Message {
  readonly name: string;
  readonly meaning: string;
  readonly fields: readonly Field[];
}

export interface Field {
  readonly name: string;
  readonly isOptional: boolean;
  readonly type: string;
  readonly meaning: string;
}

/** A type used in fields, and where it is declared. */
export interface Named {
  readonly name: string;
  readonly file: string;
  readonly type: string;
  readonly meaning: string;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = ts.createProgram([`${root}machines/index.ts`], {
  module: ts.ModuleKind.NodeNext,
  allowImportingTsExtensions: true,
  strict: true,
});
const checker = program.getTypeChecker();

/** Members of a union of `{ type: 'name', … }`, in source order. */
export function unionOf(name: string): Message[] {
  const { type } = declarationOf(name) as ts.TypeAliasDeclaration;
  const members = (type as ts.UnionTypeNode).types;
  return members.map((member, index) => {
    const fields = fieldsOf(member);
    return {
      name: fields.find((field) => field.name === 'type')?.type.slice(1, -1) ?? '',
      // The comment of a member comes before its `|`, where it belongs to no node.
      meaning: commentIn(
        member.getSourceFile().text.slice(members[index - 1]?.end ?? type.pos, member.getStart()),
      ),
      fields: fields.filter((field) => field.name !== 'type'),
    };
  });
}

/** Properties of an interface whose values are `{ field: type, … }`. */
export function recordOf(name: string): Message[] {
  return propertiesOf(declarationOf(name)).map((property) => ({
    name: property.name,
    meaning: meaningOf(property),
    fields: fieldsOf(typeNodeOf(property)),
  }));
}

/** Properties of an interface. */
export function fieldsOf(node: string | ts.Node): Field[] {
  return propertiesOf(typeof node === 'string' ? declarationOf(node) : node).map((property) => {
    const isOptional = (property.flags & ts.SymbolFlags.Optional) !== 0;
    const type = flat(typeNodeOf(property));
    return {
      name: property.name,
      isOptional,
      type: isOptional ? type.replace(/ \| undefined$/, '') : type,
      meaning: meaningOf(property),
    };
  });
}

/** The docstring of a type. */
export function meaningOfType(name: string): string {
  return meaningOf(symbolOf(declarationOf(name)));
}

/** The project's own types in a text, and those used in them, in order of name. */
export function typesIn(text: string): Named[] {
  const found = new Map<string, Named>();
  const texts = [text];
  for (const each of texts) {
    for (const name of each.match(/\b[A-Z]\w+/g) ?? []) {
      const node = found.has(name) ? undefined : findDeclaration(name);
      if (node === undefined) continue;
      const file = relative(root, node.getSourceFile().fileName).replaceAll('\\', '/');
      const type = shapeOf(node);
      found.set(name, { name, file, type, meaning: meaningOf(symbolOf(node)) });
      texts.push(type);
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

type Declaration = ts.TypeAliasDeclaration | ts.InterfaceDeclaration | ts.ClassDeclaration;

function declarationOf(name: string): Declaration {
  const node = findDeclaration(name);
  if (node === undefined)
    throw new Error(`No type \`${name}\` is exported by the machines or by what they import`);
  return node;
}

function findDeclaration(name: string): Declaration | undefined {
  return program
    .getSourceFiles()
    .filter((file) => !file.isDeclarationFile)
    .flatMap((file) => [...file.statements])
    .find((node): node is Declaration => {
      const isType =
        ts.isTypeAliasDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node);
      return isType && node.name?.text === name;
    });
}

function symbolOf({ name }: Declaration): ts.Symbol {
  return checker.getSymbolAtLocation(name as ts.Identifier) as ts.Symbol;
}

function propertiesOf(node: ts.Node): ts.Symbol[] {
  return checker.getTypeAtLocation(node).getProperties();
}

function typeNodeOf(property: ts.Symbol): ts.TypeNode {
  const [declaration] = property.declarations as ts.PropertySignature[];
  return declaration?.type as ts.TypeNode;
}

function meaningOf(symbol: ts.Symbol): string {
  return ts.displayPartsToString(symbol.getDocumentationComment(checker));
}

/** The name of a class; the shape of any other type. */
function shapeOf(node: Declaration): string {
  if (ts.isClassDeclaration(node)) return 'class';
  if (ts.isTypeAliasDeclaration(node)) return flat(node.type);
  const fields = fieldsOf(node).map(
    ({ name, isOptional, type }) => `${name}${isOptional ? '?' : ''}: ${type}`,
  );
  return `{ ${fields.join('; ')} }`;
}

/** Its source text, on one line. */
function flat(node: ts.Node): string {
  const text = node.getText().replace(/\s+/g, ' ');
  return text.replace(/^\| /, '').replace(/([<(]) | ,? ?(?=[>)])/g, '$1');
}

function commentIn(text: string): string {
  const comment = /\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? '';
  return comment.replace(/\s*\n\s*\*\s?/g, ' ').trim();
}
