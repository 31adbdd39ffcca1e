import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** An event, an effect or a fact: something with a name that carries fields. */
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

/** A type that fields are made of, and where it stands. */
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

/** Members of a union of `{ type: 'name', … }`, in the order of the source. */
export function unionOf(name: string): Message[] {
  const { type } = declarationOf(name) as ts.TypeAliasDeclaration;
  const members = (type as ts.UnionTypeNode).types;
  return members.map((member, index) => {
    const fields = fieldsOf(member);
    return {
      name: fields.find((field) => field.name === 'type')?.type.slice(1, -1) ?? '',
      // A comment on a member stands before its `|`, where it belongs to no node.
      meaning: commentIn(member.getSourceFile().text.slice(members[index - 1]?.end ?? type.pos, member.getStart())),
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

/** The project's own types that occur in a text, in order of name. */
export function namedIn(text: string): Named[] {
  const names = [...new Set(text.match(/\b[A-Z]\w+/g))].sort();
  return names.flatMap((name) => {
    const node = findDeclaration(name);
    if (node === undefined) return [];
    const symbol = checker.getSymbolAtLocation(node.name as ts.Identifier) as ts.Symbol;
    const file = relative(root, node.getSourceFile().fileName);
    return [{ name, file, type: shapeOf(node), meaning: meaningOf(symbol) }];
  });
}

type Declaration = ts.TypeAliasDeclaration | ts.InterfaceDeclaration | ts.ClassDeclaration;

function declarationOf(name: string): Declaration {
  const node = findDeclaration(name);
  if (node === undefined) throw new Error(`No type \`${name}\` is exported by the machines or by what they import`);
  return node;
}

function findDeclaration(name: string): Declaration | undefined {
  return program
    .getSourceFiles()
    .filter((file) => !file.isDeclarationFile)
    .flatMap((file) => [...file.statements])
    .find((node): node is Declaration => {
      const isType = ts.isTypeAliasDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node);
      return isType && node.name?.text === name;
    });
}

function propertiesOf(node: ts.Node): ts.Symbol[] {
  return checker.getTypeAtLocation(node).getProperties();
}

function typeNodeOf(property: ts.Symbol): ts.TypeNode {
  return (property.declarations?.[0] as ts.PropertySignature).type as ts.TypeNode;
}

function meaningOf(symbol: ts.Symbol): string {
  return ts.displayPartsToString(symbol.getDocumentationComment(checker));
}

/** A class is known by its name; of anything else the shape is told. */
function shapeOf(node: Declaration): string {
  if (ts.isClassDeclaration(node)) return 'class';
  if (ts.isTypeAliasDeclaration(node) && !ts.isTypeReferenceNode(node.type)) return flat(node.type);
  const { NoTruncation, InTypeAlias } = ts.TypeFormatFlags;
  if (ts.isTypeAliasDeclaration(node)) return checker.typeToString(checker.getTypeAtLocation(node), node, NoTruncation | InTypeAlias);
  const fields = fieldsOf(node).map(({ name, isOptional, type }) => `${name}${isOptional ? '?' : ''}: ${type}`);
  return `{ ${fields.join('; ')} }`;
}

function flat(node: ts.Node): string {
  return node.getText().replace(/\s+/g, ' ').replace(/^\| /, '');
}

function commentIn(text: string): string {
  const comment = /\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? '';
  return comment.replace(/\s*\n\s*\*\s?/g, ' ').trim();
}
