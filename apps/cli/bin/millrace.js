#!/usr/bin/env node
'use strict'
/* Starts the command on Node 24: on an older Node it hands over to the one that npm installed with the package. */
const { spawn } = require('node:child_process')
const { existsSync } = require('node:fs')
const { enableCompileCache } = require('node:module')
const { constants } = require('node:os')
const path = require('node:path')

const REQUIRED_MAJOR = 24
const program = path.join(__dirname, '..', 'dist', 'main.js')

if (!existsSync(program)) fail('it is not compiled yet: run npm run build')
else if (Number(process.versions.node.split('.')[0]) < REQUIRED_MAJOR) runOnInstalledNode()
else run()

function run() {
  // Compiled code of the last start: a sixth off the next one. A folder that cannot be written goes without.
  enableCompileCache(path.join(__dirname, '..', '.cache'))
  void require(program).main(process.argv.slice(2))
}

function runOnInstalledNode() {
  const node = installedNode()
  if (node === null) {
    fail(
      `it needs Node ${REQUIRED_MAJOR} or newer, this is ${process.version}: install it, or run npm ci with optional dependencies`,
    )
    return
  }
  const child = spawn(node, [__filename, ...process.argv.slice(2)], { stdio: 'inherit' })
  // Who started this process knows its id alone. A terminal signals both; the program takes two that come together for one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal))
  }
  child.once('error', (error) => fail(`${node} does not start: ${error.message}`))
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal]
  })
}

function installedNode() {
  try {
    return require.resolve(`node-${process.platform}-${process.arch}/bin/node`)
  } catch {
    return null
  }
}

function fail(reason) {
  process.stderr.write(`millrace: ${reason}\n`)
  process.exitCode = 1
}
