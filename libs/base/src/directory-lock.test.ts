import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { lockDirectory } from './directory-lock'

describe('lockDirectory', () => {
  let directory: string
  beforeEach(() => (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'lock-'))))
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }))

  it('refuses a second holder until the first lets go', () => {
    const first = lockDirectory(directory)
    expect(() => lockDirectory(directory)).toThrow(
      expect.objectContaining({ code: 'BASE_DIRECTORY_LOCKED' }),
    )
    first.release()
    first.release()
    lockDirectory(directory).release()
  })

  it('is free again as soon as its owner is killed', async () => {
    const source = `
      const { DatabaseSync } = require('node:sqlite')
      const held = new DatabaseSync(${JSON.stringify(path.join(directory, '.lock'))})
      held.exec('BEGIN EXCLUSIVE'); console.log('held'); setInterval(() => held.isOpen, 1000)`
    const owner = spawn(process.execPath, ['--no-warnings', '-e', source])
    await once(owner.stdout, 'data')
    expect(() => lockDirectory(directory)).toThrow(/in use by another process/)
    owner.kill('SIGKILL')
    await once(owner, 'exit')
    lockDirectory(directory).release()
  })

  it('says so when the directory is missing', () => {
    expect(() => lockDirectory(path.join(directory, 'absent'))).toThrow(
      expect.objectContaining({ code: 'BASE_DIRECTORY_UNWRITABLE' }),
    )
  })
})
