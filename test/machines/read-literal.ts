import ts from 'typescript';

/** What a tool that only reads the source sees of a machine, and what would keep it from seeing all. */
export interface Reading {
  /** Sentences about what does not keep to the form; none where all does. */
  readonly findings: readonly string[];
  /** By state, `*` for the root: each event with the targets of its candidates, `-` for one that stays. */
  readonly states: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** Reads the one `setup({ … }).createMachine({ … })` of a file. */
export function readLiteral(text: string): Reading {
  return new Reader(text).read();
}

const actionKeys = ['entry', 'exit', 'actions'];
const mapperKeys = ['params', 'context', 'output'];
const sentence = /^[A-Z](?:(?!\. ).)*\.$/;

class Reader {
  readonly #file: ts.SourceFile;
  readonly #findings: string[] = [];
  readonly #states: Record<string, Record<string, string[]>> = {};

  constructor(text: string) {
    this.#file = ts.createSourceFile('machine.ts', text, ts.ScriptTarget.Latest, true);
  }

  read(): Reading {
    const calls = nodesIn(this.#file).filter(ts.isCallExpression);
    const made = calls.filter((call) => /\bcreateMachine$/.test(call.expression.getText()));
    const [creation] = made;
    if (made.length !== 1 || creation === undefined)
      this.#find('file', `creates ${made.length} machines, not one`);
    else this.#readCreation(creation);
    return { findings: this.#findings, states: this.#states };
  }

  #readCreation({ expression, arguments: given }: ts.CallExpression): void {
    const from = ts.isPropertyAccessExpression(expression) ? expression.expression : expression;
    const isSetup = ts.isCallExpression(from) && from.expression.getText() === 'setup';
    if (isSetup) this.#entriesOf(from.arguments[0], 'setup');
    else this.#find('file', 'creates its machine from something else than `setup({ … })`');
    const [machine] = given;
    if (machine !== undefined && ts.isObjectLiteralExpression(machine) && given.length === 1)
      this.#readMachine(machine);
    else this.#find('file', 'creates its machine of something else than one literal');
  }

  #readMachine(machine: ts.ObjectLiteralExpression): void {
    this.#walk(machine, '', 'machine');
    const root = this.#entriesOf(machine, 'machine');
    this.#readOn('*', root.get('on'), 'machine');
    for (const [key, state] of this.#entriesOf(root.get('states'), 'states')) this.#readState(key, state);
  }

  #readState(key: string, state: ts.Expression): void {
    const place = `states.${key}`;
    const entries = this.#entriesOf(state, place);
    if (!sentence.test(textOf(entries.get('description'))))
      this.#find(place, 'has no description of one sentence');
    this.#readOn(key, entries.get('on'), place);
  }

  #readOn(state: string, on: ts.Expression | undefined, place: string): void {
    const events: Record<string, string[]> = {};
    this.#states[state] = events;
    if (on === undefined) return;
    for (const [event, given] of this.#entriesOf(on, `${place}.on`)) {
      const candidates = elementsOf(given).map((candidate) =>
        this.#entriesOf(candidate, `${place}.on.${event}`),
      );
      for (const candidate of candidates) {
        if (textOf(candidate.get('description')) === '')
          this.#find(`${place}.on.${event}`, 'has no description');
      }
      events[event] = candidates.map(
        (candidate) => textOf(candidate.get('target')).replace(/^\./, '') || '-',
      );
    }
  }

  /** Whatever stands in the literal, but for what functions do. */
  #walk(node: ts.Expression, key: string, place: string): void {
    if (ts.isArrayLiteralExpression(node)) {
      for (const element of node.elements) this.#walk(element, key, place);
    } else if (actionKeys.includes(key) || key === 'guard') this.#readReference(node, place);
    else if (ts.isObjectLiteralExpression(node)) {
      for (const [name, value] of this.#entriesOf(node, place)) this.#walk(value, name, `${place}.${name}`);
    } else if (!ts.isStringLiteral(node)) this.#readMapper(node, key, place);
  }

  /** An action or a guard: its name, or `{ type: name, params }`. */
  #readReference(node: ts.Expression, place: string): void {
    if (ts.isStringLiteral(node)) return;
    const isObject = ts.isObjectLiteralExpression(node);
    const { type, ...rest } = Object.fromEntries<ts.Expression>(isObject ? this.#entriesOf(node, place) : []);
    if (textOf(type) === '') this.#find(place, `\`${node.getText()}\` has no name`);
    for (const [key, value] of Object.entries(rest)) this.#walk(value, key, `${place}.${key}`);
  }

  /** A function that only maps, here or by the name that it has in this file. */
  #readMapper(node: ts.Expression, key: string, place: string): void {
    const found = ts.isIdentifier(node) ? this.#functionOf(node.text) : node;
    if (!mapperKeys.includes(key)) this.#find(place, `\`${node.getText()}\` is no literal`);
    else if (found === undefined || !ts.isArrowFunction(found))
      this.#find(place, `\`${node.getText()}\` is no function of this file`);
    else if (ts.isBlock(found.body)) this.#find(place, 'does more than to map');
  }

  #functionOf(name: string): ts.Expression | undefined {
    const declarations = nodesIn(this.#file).filter(ts.isVariableDeclaration);
    return declarations.find((declaration) => declaration.name.getText() === name)?.initializer;
  }

  #entriesOf(node: ts.Expression | undefined, place: string): Map<string, ts.Expression> {
    const entries = new Map<string, ts.Expression>();
    if (node === undefined || !ts.isObjectLiteralExpression(node)) {
      this.#find(place, `\`${node?.getText() ?? 'nothing'}\` is no literal`);
      return entries;
    }
    for (const property of node.properties) {
      const isPlain = ts.isPropertyAssignment(property) && !ts.isComputedPropertyName(property.name);
      if (isPlain)
        entries.set((property.name as ts.Identifier | ts.StringLiteral).text, property.initializer);
      else this.#find(place, `\`${property.getText()}\` is no plain key and value`);
    }
    return entries;
  }

  #find(place: string, finding: string): void {
    const text = `${place} ${finding}`;
    if (!this.#findings.includes(text)) this.#findings.push(text);
  }
}

function nodesIn(node: ts.Node): ts.Node[] {
  const nodes = [node];
  ts.forEachChild(node, (child) => {
    nodes.push(...nodesIn(child));
  });
  return nodes;
}

function elementsOf(node: ts.Expression): readonly ts.Expression[] {
  return ts.isArrayLiteralExpression(node) ? node.elements : [node];
}

function textOf(node: ts.Expression | undefined): string {
  return node !== undefined && ts.isStringLiteral(node) ? node.text : '';
}
