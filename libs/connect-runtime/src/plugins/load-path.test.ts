import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorCode, nodeDisk } from '@millrace/base'
import { createLogger, silentLogger } from '@millrace/telemetry'
import { loadPluginPath } from './load-path'
import { PluginRegistry } from './registry'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'millrace-plugins-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function aPackage(name: string, source: string): void {
  mkdirSync(join(root, name))
  writeFileSync(join(root, name, 'package.json'), JSON.stringify({ name, main: 'main.js' }))
  writeFileSync(join(root, name, 'main.js'), source)
}
const load = (logger = silentLogger) => loadPluginPath({ disk: nodeDisk, logger }, [root])

describe('loadPluginPath', () => {
  it('finds the connectors and transforms of every package in a folder', async () => {
    const connector = `{ type: 'sink', name: 'mine', classNames: ['org.mine.MineSinkConnector'], version: '3', options: {} }`
    aPackage('with-connector', `exports.plugins = [${connector}]`)
    aPackage(
      'with-transform',
      `exports.transforms = [{ name: 'up', classNames: ['org.mine.Up'], options: {} }]`,
    )
    mkdirSync(join(root, 'no-package'))
    writeFileSync(join(root, 'README'), 'not a package either')
    const registry = new PluginRegistry({ logger: silentLogger }, await load())
    expect(registry.list(true)).toEqual([
      { class: 'org.mine.MineSinkConnector', type: 'sink', version: '3' },
    ])
    expect((await registry.connector('MineSink')).name).toBe('mine')
    expect(registry.transform('org.mine.Up')?.name).toBe('up')
  })

  it('warns of a folder that is not there', async () => {
    const lines: string[] = []
    const write = (line: string) => void lines.push(line)
    rmSync(root, { recursive: true })
    expect(await load(createLogger({ level: 'warn', write, now: () => 0 }))).toEqual([])
    mkdirSync(root)
    expect(lines).toEqual([expect.stringContaining(root)])
  })

  it.each([
    ['throws when loaded', `throw new Error('no driver')`, /no driver/],
    ['exports nothing of use', `exports.answer = 42`, /exports none of/],
  ])('names the folder of a package that %s', async (_, source, message) => {
    aPackage('broken', source)
    const failure = await load().catch((error: unknown) => error)
    expect(errorCode(failure)).toBe('CONNECT_PLUGIN_LOAD')
    expect((failure as Error).message).toMatch(message)
    expect((failure as Error).message).toContain(join(root, 'broken'))
  })
})
