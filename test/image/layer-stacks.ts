/**
 * Random stacks of layers, and a plain model of what unpacking them gives: per layer first all that is
 * hidden, then all that is added, on a nested map. Nothing of it is shared with src/image/tree.
 */
import fc from 'fast-check'
import {
  directory,
  file,
  hardlink,
  type LayerEntry,
  opaque,
  symlink,
  whiteout,
} from '../fakes/tar-layer.ts'

type ModelFile = {
  readonly kind: 'file' | 'symlink'
  readonly content: string
  readonly mode: number
}
type ModelDirectory = { readonly names: Map<string, ModelNode>; mode: number }
type ModelNode = ModelFile | ModelDirectory

const names = ['a', 'b', 'c']
const paths = fc
  .array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'))

const modes = fc.constantFrom(0o600, 0o644, 0o755, 0o4711)

/** Small, equal now and then, sometimes of a block and more (block size 4096). */
const contents = fc.oneof(
  fc.constantFrom('', 'one', 'two', '\0'.repeat(5000), 'x'.repeat(4096)),
  fc.nat(20_000).map((length) => `${length}`.repeat(Math.ceil(length / 4))),
)

const additions = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(paths, contents, modes)
      .map(([path, content, mode]) => file(path, content, { mode })),
  },
  { weight: 2, arbitrary: fc.tuple(paths, modes).map(([path, mode]) => directory(path, { mode })) },
  { weight: 1, arbitrary: paths.map((path) => symlink(`${path}-link`, 'a/b')) },
  {
    weight: 1,
    arbitrary: fc.tuple(paths, paths).map(([path, target]) => hardlink(`${path}-hard`, target)),
  },
)
const hidings = fc.oneof(paths.map(whiteout), paths.map(opaque))

/** Lowest first; what hides comes before what is added, as all tools write it. */
export const layerStacks: fc.Arbitrary<readonly (readonly LayerEntry[])[]> = drafts().map((stack) =>
  possible(stack, () => true),
)

/** The same without entries below a file, which umoci refuses where other tools replace the file. */
export const politeLayerStacks: fc.Arbitrary<readonly (readonly LayerEntry[])[]> = drafts().map(
  (stack) => possible(stack, (root, { path }) => !hasLeafAbove(root, path)),
)

function drafts(): fc.Arbitrary<readonly Draft[]> {
  return fc
    .array(fc.tuple(fc.array(hidings, { maxLength: 3 }), fc.array(additions, { maxLength: 8 })), {
      minLength: 1,
      maxLength: 4,
    })
    .map((stack) => stack.map(([hidden, added]) => ({ hidden, added })))
}

/** Every path with what is there, as the model has it: `mode kind content`. */
export function modelTree(layers: readonly (readonly LayerEntry[])[]): Record<string, string> {
  const root = newDirectory()
  for (const entries of layers) for (const entry of entries) apply(root, entry)
  const tree: Record<string, string> = {}
  const visit = (at: ModelDirectory, prefix: string) => {
    for (const [name, node] of at.names) {
      tree[prefix + name] = describeNode(node)
      if ('names' in node) visit(node, `${prefix}${name}/`)
    }
  }
  visit(root, '')
  return tree
}

function describeNode(node: ModelNode): string {
  const mode = node.mode.toString(8)
  return 'names' in node ? `${mode} directory` : `${mode} ${node.kind} ${node.content}`
}

type Draft = { readonly hidden: readonly LayerEntry[]; readonly added: readonly LayerEntry[] }

/** Without hard links to nothing, and without whiteouts where the layers below have no directory. */
function possible(
  stack: readonly Draft[],
  isTaken: (root: ModelDirectory, entry: LayerEntry) => boolean,
): readonly (readonly LayerEntry[])[] {
  const root = newDirectory()
  return stack.map(({ hidden, added }) => {
    const below = hidden.filter(({ path }) => isDirectory(root, parentOf(path)))
    const kept = below.filter(({ path }) => !below.some((other) => covers(other.path, path)))
    for (const entry of kept) apply(root, entry)
    const entries = added.filter((entry) => {
      if (entry.kind === 'hardlink' && !canLink(root, entry)) return false
      if (!isTaken(root, entry)) return false
      apply(root, entry)
      return true
    })
    return [...kept, ...entries]
  })
}

/** Whether one whiteout of a layer takes away the directory that another one is in. */
function covers(whiteoutPath: string, path: string): boolean {
  const name = whiteoutPath.replace('.wh..wh..opq', '').replace('.wh.', '')
  return path !== whiteoutPath && path.startsWith(name.endsWith('/') ? name : `${name}/`)
}

function apply(root: ModelDirectory, entry: LayerEntry): void {
  const name = entry.path.slice(entry.path.lastIndexOf('/') + 1)
  const parent = makeDirectory(root, parentOf(entry.path))
  if (name === '.wh..wh..opq') parent.names.clear()
  else if (name.startsWith('.wh.')) parent.names.delete(name.slice('.wh.'.length))
  else parent.names.set(name, nodeOf(root, entry, parent.names.get(name)))
}

function nodeOf(root: ModelDirectory, entry: LayerEntry, old: ModelNode | undefined): ModelNode {
  const { kind, mode = 0o755 } = entry
  if (kind === 'directory') {
    const kept = old !== undefined && 'names' in old ? old.names : new Map<string, ModelNode>()
    return { names: kept, mode }
  }
  if (kind === 'symlink') return { kind, content: entry.target ?? '', mode: 0o777 }
  if (kind === 'file') return { kind, content: String(entry.content), mode }
  const target = find(root, entry.target ?? '')
  if (target === undefined || 'names' in target) throw new Error('a link to nothing was generated')
  return target
}

function newDirectory(): ModelDirectory {
  return { names: new Map(), mode: 0o755 }
}

function parentOf(path: string): string {
  return path.split('/').slice(0, -1).join('/')
}

function find(root: ModelDirectory, path: string): ModelNode | undefined {
  let at: ModelNode | undefined = root
  for (const name of path.split('/').filter((part) => part !== '')) {
    at = at !== undefined && 'names' in at ? at.names.get(name) : undefined
  }
  return at
}

function isDirectory(root: ModelDirectory, path: string): boolean {
  const node = find(root, path)
  return node !== undefined && 'names' in node
}

function isLeaf(root: ModelDirectory, path: string): boolean {
  const node = find(root, path)
  return node !== undefined && !('names' in node)
}

/** A link below its own target would replace it by a directory first. */
function canLink(root: ModelDirectory, { path, target = '' }: LayerEntry): boolean {
  return isLeaf(root, target) && !hasLeafAbove(root, path)
}

function hasLeafAbove(root: ModelDirectory, path: string): boolean {
  const parts = path.split('/').slice(0, -1)
  return parts.some((_, depth) => isLeaf(root, parts.slice(0, depth + 1).join('/')))
}

function makeDirectory(root: ModelDirectory, path: string): ModelDirectory {
  let at = root
  for (const name of path.split('/').filter((part) => part !== '')) {
    const next = at.names.get(name)
    const directory = next !== undefined && 'names' in next ? next : newDirectory()
    at.names.set(name, directory)
    at = directory
  }
  return at
}
