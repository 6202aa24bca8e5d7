/**
 * The rules of the house that no linter knows: layers, import cycles, sizes, and calls that engine libraries must make through a
 * door that a simulation can replace. Each message says what to do instead. Exit code 1 if a rule is broken.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { layers } from './layers.ts'
import { packageDirectories, repositoryRoot } from './packages.ts'
import { longFiles, longFunctions } from './tidy-allow.ts'

const FILE_LINES = { warn: 400, fail: 700 }
const FUNCTION_LINES_MAX = 70
/** Of an index, without its re-exports: those are as many as there are public names. */
const INDEX_LINES_MAX = 60
const RE_EXPORT = /^export (?:type )?\{[^}]*\} from '[^']+'\n/gm
const BANNED_FOLDERS = new Set(['utils', 'common', 'helpers', 'shared', 'core'])

/** Calls that only the doors in libs/base may make, with what to write instead. */
const BANNED_CALLS: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  { pattern: /\bDate\.now\s*\(/, instead: 'clock.now() of the Clock you are given' },
  { pattern: /\bnew Date\(\)/, instead: 'new Date(clock.now()) of the Clock you are given' },
  { pattern: /\bperformance\.now\s*\(/, instead: 'clock.monotonicMs() of the Clock you are given' },
  { pattern: /\bset(?:Timeout|Interval)\s*\(/, instead: 'clock.schedule() or clock.sleep()' },
  { pattern: /\bMath\.random\s*\(/, instead: 'random.int() of the Random you are given' },
]
/** A connector's files and sockets are its driver; an engine library has none of its own. */
const BANNED_IMPORTS: typeof BANNED_CALLS = [
  { pattern: /from '(?:node:)?fs(?:\/promises)?'/, instead: 'the Disk you are given' },
  { pattern: /from '(?:node:)?(?:net|tls)'/, instead: 'the Net you are given' },
]
const DOORS = new Set([
  'clock.ts',
  'disk.ts',
  'node-disk.ts',
  'directory-lock.ts',
  'net.ts',
  'random.ts',
])

interface SourceFile {
  readonly path: string
  readonly packageName: string
  readonly folder: 'libs' | 'connectors' | 'apps'
  readonly text: string
  readonly isTest: boolean
  readonly tree: ts.SourceFile
}

const problems: string[] = []
const warnings: string[] = []
const files = readSources()
const imports = new Map<string, string[]>()

for (const file of files) {
  checkSize(file)
  checkNames(file)
  checkImports(file)
  if (!file.isTest) checkBannedCalls(file)
  checkFunctions(file)
}
checkCycles()
checkAllowLists()

for (const warning of warnings) console.log(`warn  ${warning}`)
for (const problem of problems) console.log(`FAIL  ${problem}`)
console.log(`tidy: ${files.length} files, ${problems.length} problems, ${warnings.length} warnings`)
process.exitCode = problems.length > 0 ? 1 : 0

function readSources(): SourceFile[] {
  return packageDirectories().flatMap((directory) => {
    const folder = basename(dirname(directory)) as SourceFile['folder']
    const name = folder === 'connectors' ? `connector-${basename(directory)}` : basename(directory)
    return sourcesIn(join(directory, 'src')).map((path) => {
      const text = readFileSync(join(repositoryRoot, path), 'utf8')
      return {
        path,
        packageName: name,
        folder,
        text,
        // A package's own `testing` folder has what its tests share; nothing else imports it.
        isTest: path.endsWith('.test.ts') || path.includes('/testing/') || name === 'testing',
        tree: ts.createSourceFile(path, text, ts.ScriptTarget.ES2024, true),
      }
    })
  })
}

function sourcesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(repositoryRoot, join(entry.parentPath, entry.name)))
}

function checkSize({ path, text, isTest }: SourceFile): void {
  const lines = text.split('\n').length - 1
  if (isTest) return
  if (
    basename(path) === 'index.ts' &&
    path.split('/').length === 4 &&
    text.replace(RE_EXPORT, '').split('\n').length > INDEX_LINES_MAX
  ) {
    problems.push(`${path}: an index lists the public names and nothing else`)
  }
  if (lines > FILE_LINES.fail && !(path in longFiles)) {
    problems.push(
      `${path} has ${lines} lines (at most ${FILE_LINES.fail}): split it at its second concept`,
    )
  } else if (lines > FILE_LINES.warn) {
    warnings.push(`${path} has ${lines} lines (aim for 250): is it still one idea?`)
  }
}

function checkNames({ path }: SourceFile): void {
  const parts = path.split('/')
  const folder = parts.slice(0, -1).find((part) => BANNED_FOLDERS.has(part))
  if (folder)
    problems.push(`${path}: a folder '${folder}' says nothing; name it by the noun of the domain`)
  if (!/^[a-z0-9.-]+$/.test(parts.at(-1) as string))
    problems.push(`${path}: file names are kebab-case`)
}

function checkImports(file: SourceFile): void {
  const allowed = layers[file.packageName]
  if (!allowed) {
    problems.push(`${file.path}: package '${file.packageName}' is not in tools/layers.ts`)
    return
  }
  const local: string[] = []
  for (const { specifier, isTypeOnly, isStar } of importsOf(file.tree)) {
    if (isStar) problems.push(`${file.path}: export * hides names; list them one by one`)
    if (specifier.startsWith('.')) {
      const target = resolveLocal(file.path, specifier)
      if (target?.split('/')[1] !== file.path.split('/')[1]) {
        problems.push(`${file.path}: imports ${specifier} of another package; use its package name`)
      }
      if (target && !isTypeOnly) local.push(target)
    }
    if (specifier.startsWith('@nestjs/') && file.folder !== 'apps') {
      problems.push(
        `${file.path}: imports ${specifier}; Nest lives in apps only, take what you need as an argument`,
      )
    }
    const ours = /^@millrace\/([^/]+)/.exec(specifier)?.[1]
    const isAllowed =
      !ours ||
      ours === file.packageName ||
      allowed.includes(ours) ||
      (file.isTest && ours === 'testing')
    if (!isAllowed) {
      problems.push(
        `${file.path}: ${file.packageName} may not import @millrace/${ours}; declare the interface you need and let the app pass it in`,
      )
    }
  }
  if (!file.isTest) imports.set(file.path, local)
}

function* importsOf(
  tree: ts.SourceFile,
): Generator<{ specifier: string; isTypeOnly: boolean; isStar: boolean }> {
  for (const statement of tree.statements) {
    if (ts.isImportDeclaration(statement)) {
      const clause = statement.importClause
      const named =
        clause?.namedBindings && ts.isNamedImports(clause.namedBindings)
          ? clause.namedBindings.elements
          : []
      const isTypeOnly =
        clause?.phaseModifier === ts.SyntaxKind.TypeKeyword ||
        (named.length > 0 && !clause?.name && named.every((element) => element.isTypeOnly))
      yield {
        specifier: (statement.moduleSpecifier as ts.StringLiteral).text,
        isTypeOnly,
        isStar: false,
      }
    } else if (ts.isExportDeclaration(statement) && statement.moduleSpecifier) {
      yield {
        specifier: (statement.moduleSpecifier as ts.StringLiteral).text,
        isTypeOnly: statement.isTypeOnly,
        isStar: !statement.exportClause,
      }
    }
  }
}

function resolveLocal(from: string, specifier: string): string | undefined {
  const base = relative(repositoryRoot, resolve(repositoryRoot, dirname(from), specifier))
  return (
    [base, `${base}.ts`, `${base}.tsx`, `${base}/index.ts`].find((path) =>
      files.some((file) => file.path === path),
    ) ?? base
  )
}

function checkBannedCalls(file: SourceFile): void {
  if (file.folder === 'apps') return
  if (file.packageName === 'base' && DOORS.has(basename(file.path))) return
  const banned = file.folder === 'libs' ? [...BANNED_CALLS, ...BANNED_IMPORTS] : BANNED_CALLS
  file.text.split('\n').forEach((line, index) => {
    if (/^\s*(?:\*|\/\/|\/\*)/.test(line)) return
    for (const { pattern, instead } of banned) {
      if (pattern.test(line))
        problems.push(`${file.path}:${index + 1}: ${pattern.source} is banned here; use ${instead}`)
    }
  })
}

function checkFunctions(file: SourceFile): void {
  if (file.isTest) return
  const visit = (node: ts.Node): void => {
    const isFunction =
      ts.isFunctionDeclaration(node) ||
      ts.isMethodDeclaration(node) ||
      ts.isConstructorDeclaration(node) ||
      ts.isArrowFunction(node) ||
      ts.isFunctionExpression(node)
    if (isFunction && node.body && ts.isBlock(node.body)) {
      const lineOf = (position: number) => file.tree.getLineAndCharacterOfPosition(position).line
      const lines = lineOf(node.body.end) - lineOf(node.body.getStart()) + 1
      const id = `${file.path}#${functionName(node)}`
      if (lines > FUNCTION_LINES_MAX && !(id in longFunctions)) {
        problems.push(
          `${id} has ${lines} lines (at most ${FUNCTION_LINES_MAX}): let it decide and move the steps out`,
        )
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(file.tree)
}

function functionName(node: ts.Node): string {
  const own = (node as ts.FunctionDeclaration).name
  if (own) return own.getText()
  if (ts.isConstructorDeclaration(node)) return 'constructor'
  const parent = node.parent
  return ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)
    ? parent.name.getText()
    : 'anonymous'
}

/** Depth-first search; a cycle is reported once, from the file where it is entered. */
function checkCycles(): void {
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start !== -1) {
      problems.push(
        `import cycle: ${[...trail.slice(start), path].join(' -> ')}; move what both need into a third file`,
      )
      return
    }
    if (done.has(path)) return
    for (const target of imports.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const path of imports.keys()) visit(path, [])
}

function checkAllowLists(): void {
  for (const id of [...Object.keys(longFunctions), ...Object.keys(longFiles)]) {
    const path = id.split('#')[0]
    if (!files.some((file) => file.path === path)) {
      problems.push(`tools/tidy-allow.ts names ${id}, which does not exist; remove the line`)
    }
  }
}
