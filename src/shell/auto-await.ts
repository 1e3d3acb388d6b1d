/**
 * Lets people write `image = client.pull('x')` and get the image. Code outside functions is rewritten
 * so that every call whose value is used there is awaited when it is thenable; array elements,
 * arguments, values in object literals, `void f()`, the object of `.then/.catch/.finally` and the
 * right side of `for await` are left alone, so `Promise.all([f(), g()])` still runs in parallel.
 *
 * `f()` becomes `(__is((f())) ? await __take() : __take())`. A plain `await f()` would do for values,
 * but `while (true) { await f() }` never ends and never lets a Ctrl-C in; the conditional form stays
 * synchronous while nothing is thenable. Names become configurable globals, not bindings, so that a
 * failed `const z = …` can be typed again (node:repl locks the name: `const z = await fail()` twice).
 */
import type { Node, Program, VariableDeclaration } from 'acorn'
import { frameClose, frameOpen } from './code-frame.ts'
import { importAsCode } from './import-as-code.ts'
import { isAwaitingLoop, isLoop, openLoopCheck } from './loop-checks.ts'
import { type EditedSource, SourceEdits } from './source-edits.ts'
import {
  childrenOf,
  hasOptionalLink,
  isFunction,
  namesOfPattern,
  type SyntaxNode,
} from './syntax-node.ts'

export type RewrittenSource = EditedSource & {
  /** The names that become globals, to be declared before the text runs. */
  readonly names: readonly string[]
  /** Those and the names that the text sets otherwise, outside functions. */
  readonly set: readonly string[]
}

/** 'used': the value is looked at here, so a promise is no good. 'passed': it goes on as it is. */
type Use = 'used' | 'passed'

const wrapOpen = '(__is(('
const wrapClose = ')) ? await __take() : __take())'
const promiseMethods = new Set(['then', 'catch', 'finally'])

// Expressions that cannot be thenable, or whose value has been awaited inside already.
const neverThenable = new Set([
  'Literal',
  'TemplateLiteral',
  'ArrowFunctionExpression',
  'FunctionExpression',
  'ClassExpression',
  'ObjectExpression',
  'ArrayExpression',
  'UnaryExpression',
  'UpdateExpression',
  'BinaryExpression',
  'AwaitExpression',
  'AssignmentExpression',
])

/** @param program What acorn made of `source`; see parse-source.ts. */
export function rewriteForAwait(source: string, program: Program): RewrittenSource {
  const rewriter = new Rewriter(source)
  rewriter.program(program)
  return { ...rewriter.edits.apply(source), ...rewriter.namesOf() }
}

class Rewriter {
  readonly edits = new SourceEdits()
  readonly names = new Set<string>()
  readonly #assigned = new Set<string>()
  readonly #source: string

  constructor(source: string) {
    this.#source = source
  }

  namesOf(): Pick<RewrittenSource, 'names' | 'set'> {
    return { names: [...this.names], set: [...new Set([...this.names, ...this.#assigned])] }
  }

  program(program: Program): void {
    const statements = program.body as readonly SyntaxNode[]
    const last = statements.findLast((statement) => statement.type !== 'EmptyStatement')
    const functions = statements.filter((statement) => statement.type === 'FunctionDeclaration')
    const hoisted = functions.map((statement) => String(statement['id'].name))
    for (const name of hoisted) this.names.add(name)
    this.edits.open(0, frameOpen(hoisted))
    for (const statement of statements) this.#topStatement(statement, statement === last)
    this.edits.close(this.#source.length, frameClose)
  }

  #topStatement(node: SyntaxNode, isLast: boolean): void {
    if (node.type === 'ExpressionStatement') {
      // The box keeps a value that has `then` from being awaited once more by the async function; behind a
      // comma a function without a name does not get that of the field.
      if (isLast) this.edits.open(node.start, 'return { value: (0, ')
      this.#expressionStatement(node)
      if (isLast) this.edits.close(this.#beforeSemicolon(node), ') }')
      this.#endStatement(node)
    } else if (node.type === 'VariableDeclaration' && isPlainDeclaration(node)) {
      this.#declaration(node, 'statement')
    } else if (node.type === 'ClassDeclaration') {
      this.#classDeclaration(node)
    } else if (node.type === 'ImportDeclaration') {
      this.#importDeclaration(node)
    } else {
      this.#visit(node, 'used')
    }
  }

  #visit(node: SyntaxNode, use: Use): void {
    if (isFunction(node) || node.type === 'ClassBody') {
      this.#insideFunction(node)
      return
    }
    const closeLoop = isLoop(node) ? openLoopCheck(node, this.edits) : undefined
    const special = this.#visitors[node.type]
    if (special !== undefined) special(node, use)
    else this.#visitAll(childrenOf(node), 'used')
    closeLoop?.()
  }

  #assign(target: SyntaxNode): void {
    for (const name of namesOfPattern(target)) this.#assigned.add(name)
  }

  #visitAll(nodes: readonly SyntaxNode[], use: Use): void {
    for (const node of nodes) this.#visit(node, use)
  }

  readonly #visitors: { readonly [type: string]: (node: SyntaxNode, use: Use) => void } = {
    CallExpression: (node, use) => this.#call(node, use),
    TaggedTemplateExpression: (node, use) => this.#call(node, use),
    ImportExpression: (node, use) => this.#importExpression(node, use),
    MemberExpression: (node) => this.#member(node, 'used'),
    AwaitExpression: (node) => this.#await(node['argument']),
    UpdateExpression: (node) => {
      this.#assign(node['argument'])
      this.#visit(node['argument'], 'used')
    },
    UnaryExpression: (node) =>
      this.#visit(node['argument'], node['operator'] === 'void' ? 'passed' : 'used'),
    ArrayExpression: (node) => this.#visitAll(childrenOf(node), 'passed'),
    NewExpression: (node) => {
      this.#visit(node['callee'], 'used')
      this.#visitAll(node['arguments'], 'passed')
    },
    SpreadElement: (node) => this.#visit(node['argument'], 'used'),
    Property: (node) => {
      if (node['computed']) this.#visit(node['key'], 'used')
      this.#visit(node['value'], 'passed')
    },
    ConditionalExpression: (node, use) => {
      this.#visit(node['test'], 'used')
      this.#visit(node['consequent'], use)
      this.#visit(node['alternate'], use)
    },
    LogicalExpression: (node, use) => {
      this.#visit(node['left'], 'used')
      this.#visit(node['right'], use)
    },
    SequenceExpression: (node, use) => {
      const expressions: readonly SyntaxNode[] = node['expressions']
      this.#visitAll(expressions.slice(0, -1), 'used')
      this.#visitAll(expressions.slice(-1), use)
    },
    ChainExpression: (node, use) => {
      this.#visit(node['expression'], 'passed')
      if (use === 'used') this.#wrap(node.start, node.end)
    },
    AssignmentExpression: (node) => {
      this.#assign(node['left'])
      this.#visit(node['left'], 'passed')
      this.#value(node['right'])
    },
    AssignmentPattern: (node) => {
      this.#visit(node['left'], 'passed')
      this.#value(node['right'])
    },
    ExpressionStatement: (node) => {
      this.#expressionStatement(node)
      this.#endStatement(node)
    },
    ThrowStatement: (node) => {
      this.#visit(node['argument'], 'used')
      this.#endStatement(node)
    },
    VariableDeclaration: (node) => {
      if (node['kind'] === 'var') {
        this.#declaration(node, 'statement')
      } else {
        this.#initialisers(node)
        this.#endStatement(node)
      }
    },
    ForStatement: (node) => this.#forStatement(node),
    ForInStatement: (node) => this.#forEach(node),
    ForOfStatement: (node) => this.#forEach(node),
  }

  /** Ctrl-C ends the wait, whatever is waited for. */
  #await(argument: SyntaxNode): void {
    this.edits.open(argument.start, '__wait((')
    this.#visit(argument, 'passed')
    this.edits.close(argument.end, '))')
  }

  /** An expression whose value is kept or shown: awaited when it is thenable, call or not. */
  #value(node: SyntaxNode): void {
    this.#visit(node, 'passed')
    if (!neverThenable.has(node.type)) this.#wrap(node.start, node.end)
  }

  #expressionStatement(node: SyntaxNode): void {
    const expression: SyntaxNode = node['expression']
    const wrapped = !neverThenable.has(expression.type)
    // The bracket goes to the end of the statement, as `({a: 1})` ends after its expression does.
    if (wrapped) this.edits.open(node.start, wrapOpen)
    this.#visit(expression, 'passed')
    if (wrapped) this.edits.close(this.#beforeSemicolon(node), wrapClose)
  }

  #call(node: SyntaxNode, use: Use): void {
    const callee: SyntaxNode = node['callee'] ?? node['tag']
    if (callee.type === 'MemberExpression') {
      const name = callee['computed'] ? undefined : callee['property'].name
      this.#member(callee, promiseMethods.has(name) ? 'passed' : 'used')
    } else {
      this.#visit(callee, 'used')
      this.#keepShortCircuit(callee, node)
    }
    this.#visitAll(node['arguments'] ?? node['quasi'].expressions, 'passed')
    if (use === 'used') this.#wrap(node.start, node.end)
  }

  #member(node: SyntaxNode, use: Use): void {
    const object: SyntaxNode = node['object']
    this.#visit(object, use)
    if (use === 'used') this.#keepShortCircuit(object, node)
    if (node['computed']) this.#visit(node['property'], 'used')
  }

  /** Brackets around the head of `a?.b().c` would end its short circuit: `(a?.b())?.c` keeps it. */
  #keepShortCircuit(inner: SyntaxNode, outer: SyntaxNode): void {
    if (inner.type !== 'CallExpression' || outer['optional'] || !hasOptionalLink(inner)) return
    const trivia = /^(?:\s|\/\*[\s\S]*?\*\/|\/\/.*\n|\))*/.exec(this.#source.slice(inner.end))
    const next = inner.end + (trivia?.[0].length ?? 0)
    this.edits.open(next, this.#source[next] === '.' ? '?' : '?.')
  }

  #importExpression(node: SyntaxNode, use: Use): void {
    this.#dynamicImport(node)
    this.#visit(node['source'], 'passed')
    if (use === 'used') this.#wrap(node.start, node.end)
  }

  /** vm.Script has no `import()` without a flag (Node 20-24), so it becomes a call of our own. */
  #dynamicImport(node: SyntaxNode): void {
    this.edits.replace(node.start, node.start + 'import'.length, '__import')
  }

  /** Functions keep their meaning, but for `import()` and for the ears of their loops. */
  #insideFunction(node: SyntaxNode): void {
    if (node.type === 'ImportExpression') this.#dynamicImport(node)
    const closeLoop = isAwaitingLoop(node) ? openLoopCheck(node, this.edits) : undefined
    for (const child of childrenOf(node)) this.#insideFunction(child)
    closeLoop?.()
  }

  #declaration(node: SyntaxNode, place: 'statement' | 'for'): void {
    const declaration = node as unknown as VariableDeclaration
    const isLet = declaration.kind === 'let'
    const open = place === 'statement' ? 'void (' : '('
    this.edits.replace(node.start, node.start + declaration.kind.length, open)
    for (const { id, init, end } of declaration.declarations) {
      for (const name of namesOfPattern(id as SyntaxNode)) this.names.add(name)
      this.#visit(id as SyntaxNode, 'passed')
      if (init) this.#value(init as SyntaxNode)
      else if (isLet) this.edits.close(end, ' = undefined')
    }
    this.edits.close(this.#endOfDeclarators(declaration), ')')
    if (place === 'statement') this.#endStatement(node)
  }

  #endOfDeclarators(declaration: VariableDeclaration): number {
    return this.#source[declaration.end - 1] === ';' ? declaration.end - 1 : declaration.end
  }

  #initialisers(node: SyntaxNode): void {
    for (const declarator of node['declarations'] as readonly SyntaxNode[]) {
      this.#visit(declarator['id'], 'passed')
      if (declarator['init']) this.#value(declarator['init'])
    }
  }

  #forStatement(node: SyntaxNode): void {
    const init: SyntaxNode | null = node['init']
    if (init?.type === 'VariableDeclaration' && init['kind'] === 'var') {
      this.#declaration(init, 'for')
    } else if (init?.type === 'VariableDeclaration') {
      this.#initialisers(init)
    } else if (init) {
      this.#visit(init, 'used')
    }
    for (const part of [node['test'], node['update'], node['body']]) {
      if (part) this.#visit(part, 'used')
    }
  }

  #forEach(node: SyntaxNode): void {
    const left: SyntaxNode = node['left']
    if (left.type !== 'VariableDeclaration') {
      this.#assign(left)
      this.#visit(left, 'passed')
    } else {
      const pattern: SyntaxNode = left['declarations'][0].id
      if (left['kind'] === 'var') {
        this.edits.replace(left.start, left.start + 'var'.length, '')
        for (const name of namesOfPattern(pattern)) this.names.add(name)
      }
      this.#visit(pattern, 'passed')
    }
    this.#visit(node['right'], node['await'] ? 'passed' : 'used')
    this.#visit(node['body'], 'used')
  }

  #classDeclaration(node: SyntaxNode): void {
    const name = String(node['id'].name)
    this.names.add(name)
    this.edits.open(node.start, `void (${name} = `)
    if (node['superClass']) this.#visit(node['superClass'], 'used')
    this.#insideFunction(node['body'])
    this.edits.close(node.end, ');')
  }

  #importDeclaration(node: SyntaxNode): void {
    const { names, text } = importAsCode(node)
    for (const name of names) this.names.add(name)
    const lineEnds = this.#source.slice(node.start, node.end).replace(/[^\n]/g, '')
    this.edits.replace(node.start, node.end, `${text}${lineEnds}`)
  }

  // Double brackets: a comma expression must not become two arguments.
  #wrap(start: number, end: number): void {
    this.edits.open(start, wrapOpen)
    this.edits.close(end, wrapClose)
  }

  /** Without a semicolon a line runs on: the brackets that the next one gets would call it. */
  #endStatement(node: Node): void {
    if (!this.#endsInSemicolon(node)) this.edits.close(node.end, ';')
  }

  #endsInSemicolon(node: Node): boolean {
    return this.#source[node.end - 1] === ';'
  }

  #beforeSemicolon(node: Node): number {
    return this.#endsInSemicolon(node) ? node.end - 1 : node.end
  }
}

function isPlainDeclaration(node: SyntaxNode): boolean {
  return ['var', 'let', 'const'].includes(node['kind'])
}
